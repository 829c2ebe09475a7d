"""The section ``clustering``: how layers are grouped into modules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import Count, Section, Seed


class Clustering(Section):
    """Spectral clustering of layers into modules."""

    affinity: Literal["median", "local"] = "median"
    neighbour: Count = 7
    chooser: Literal["silhouette", "eigengap"] = "silhouette"
    number: Annotated[int, Field(ge=2)] | None = None
    max_modules: Annotated[int, Field(ge=2)] = 8
    subsamples: Count = 20
    shuffles: Annotated[int, Field(ge=19)] = 99
    seed: Seed = 0
