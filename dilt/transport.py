"""Gromov-Wasserstein distances between layer representations (arXiv 2410.16484), solved by POT.

A layer is a cloud of probes with a ground cost between every two. GW compares two clouds without needing a common
space. It is not convex: everything here starts from the identity coupling (probe i of one layer matched to probe i
of the other), since POT's default start is up to 155 times too far for near-identical layers. The probes are the same
for all layers, in the same order; a shuffled copy of a layer would not be recognised from this start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Cost = Literal["euclidean", "sqeuclidean", "cosine"]
Scaling = Literal["mean", "max", "none"]


@dataclass(frozen=True)
class Distance:
    """Result of one comparison.

    Attributes:
        loss: POT's value, min over couplings T of sum (C1_ik - C2_jl)^2 T_ij T_kl.
        identity_loss: the same sum at the identity coupling: an upper bound, and the square of the distance between
            representational dissimilarity matrices.
        iterations: conditional-gradient steps taken.
    """

    loss: float
    identity_loss: float
    iterations: int

    @property
    def distance(self) -> float:
        """Memoli's Gromov-Wasserstein distance, sqrt(loss) / 2 (Found. Comput. Math. 2011, section 5)."""
        return float(np.sqrt(self.loss) / 2)


def ground_cost(features: NDArray[np.floating], cost: Cost, scaling: Scaling) -> FloatArray:
    """Cost between every two probes of a layer, shape (num_probes, num_probes).

    A layer that is constant over the probes (a dead ticket's) has cost zero everywhere, whatever the scaling.

    Args:
        features: (num_probes, num_features).
        cost: distance between two probes' activations; cosine is 1 - cosine similarity of the centred activations.
        scaling: what the costs are divided by: their mean or maximum over distinct probes, or nothing.
    """
    shifted = features.astype(np.float64) - features[0]
    centred = shifted - shifted.mean(axis=0)
    if not centred.any():
        return np.zeros((len(centred), len(centred)))
    if cost == "cosine":
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        unit = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 0)
        costs = 1 - unit @ unit.T
    else:
        squares = (centred**2).sum(axis=1)
        costs = np.maximum(squares[:, None] + squares[None, :] - 2 * centred @ centred.T, 0)
        costs[costs < 1e-12 * max(squares.max(), np.finfo(float).tiny)] = 0
        if cost == "euclidean":
            costs = np.sqrt(costs)
    np.fill_diagonal(costs, 0)
    costs = np.asarray((costs + costs.T) / 2, dtype=np.float64)
    if not costs.any():
        return np.zeros_like(costs)
    if scaling == "mean":
        costs /= costs.sum() / (len(costs) * (len(costs) - 1))
    elif scaling == "max":
        costs /= costs.max()
    return costs


def gromov_wasserstein(first: FloatArray, second: FloatArray) -> Distance:
    """GW between two ground costs over the same probes, uniform weights, from the identity coupling.

    Args:
        first, second: (num_probes, num_probes), symmetric, probes in the same order.

    Raises:
        ValueError: the numbers of probes differ.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"layers seen on {len(first)} and {len(second)} probes cannot be compared; use the same probes"
        )
    identity_loss = float(((first - second) ** 2).mean())
    if identity_loss == 0:
        return Distance(0.0, 0.0, 0)
    ot = _import_ot()
    weights = np.full(len(first), 1 / len(first))
    value, log = ot.gromov.gromov_wasserstein2(
        first, second, weights, weights, loss_fun="square_loss", symmetric=True, G0=np.diag(weights), log=True
    )
    # The gradient steps cannot rise above the start; rounding can, by some 1e-17.
    return Distance(min(max(float(value), 0.0), identity_loss), identity_loss, len(log["loss"]) - 1)


def _import_ot() -> Any:
    """POT without its optional backends: they would load torch, which takes seconds and serves nothing here."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot

    return ot
