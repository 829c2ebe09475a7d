"""The sections ``representations`` and ``distances``: which activations are kept, and how they are compared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import Count, Distinct, Section

FEWEST_PROBES = 8  # that layers are compared on


class Representations(Section):
    """Activations of each block on a fixed set of probe images."""

    probes: Annotated[int, Field(ge=FEWEST_PROBES)] = 100
    layers: Distinct[str] | None = Field(None, min_length=1)
    pooling: Literal["mean", "flat", "tokens", "projection"] = "mean"
    projected_features: Count = 512
    flat_limit_mb: Count = Field(default=256, description="flattened layers above it are kept as inner products")


class Distances(Section):
    """Whose layers are compared, and how Gromov-Wasserstein distances are measured."""

    tickets: Distinct[str] | None = Field(None, min_length=1, description="tickets compared; null: about a dozen")
    cost: Literal["euclidean", "sqeuclidean", "cosine"] = "euclidean"
    scaling: Literal["mean", "max", "none"] = "mean"
    solver: Literal["standard", "thorough"] = "standard"
    probe_subsets: Count = Field(default=1, description="disjoint subsets of the probes, compared in place of all")
