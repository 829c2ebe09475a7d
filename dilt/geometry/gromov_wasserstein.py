"""Gromov-Wasserstein distances between layer representations (arXiv 2410.16484), each with a lower bound.

A layer is a cloud of probes with a ground cost between every two. GW compares two clouds without needing a common
space. The problem is not convex: for near-identical layers POT's default start ends at distances up to 155 times too
large. With the ground costs here the loss is concave in the transport plan, so that the search is one over
permutations, done by `matching`. For other costs, and for weighted probes, POT's conditional gradient descends from the
identity plan. The probes are the same for all layers, in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dilt.geometry.matching import FloatArray, Match, Matching, Order, import_ot
from dilt.geometry.multiscale import MANY, search_from_few

Cost = Literal["euclidean", "sqeuclidean", "cosine"]
Scaling = Literal["mean", "max", "none"]
Solver = Literal["standard", "thorough"]

STEPS = 10_000  # of POT's conditional gradient, its own default


@dataclass(frozen=True)
class Geometry:
    """A layer's ground costs, and what the bounds on its distances are computed from.

    Attributes:
        costs: (num_probes, num_probes), symmetric with zero diagonal.
        sums: (num_probes,), row sums, ascending.
        spectrum: (num_probes,), eigenvalues of the costs centred on both sides, ascending.
    """

    costs: FloatArray
    sums: FloatArray
    spectrum: FloatArray

    @classmethod
    def of(cls, costs: FloatArray) -> Geometry:
        """The geometry of ground costs."""
        means = costs.mean(axis=0)
        return cls(costs, np.sort(costs.sum(axis=0)), np.linalg.eigvalsh(costs - means - means[:, None] + means.mean()))

    @property
    def conditionally_negative(self) -> bool:
        """Whether the costs are conditionally negative semidefinite, up to rounding.

        Euclidean and squared Euclidean distances are (Schoenberg 1938), and so is 1 - cosine similarity: the squared
        distance of unit vectors, halved. With two such costs the GW loss is concave in the transport plan.
        """
        return bool(self.spectrum[-1] <= 1e-6 * max(-self.spectrum[0], np.finfo(float).tiny))


@dataclass(frozen=True)
class Distance:
    """Result of one comparison.

    Attributes:
        loss: min over plans T of sum (C1_ik - C2_jl)^2 T_ij T_kl, as found: an upper bound of the minimum.
        identity_loss: the same sum at the identity plan, which is no smaller: the square of the distance between
            representational dissimilarity matrices.
        lower_bound: of the minimum, so that ``loss`` is at most ``loss - lower_bound`` too large.
        start: what the search that found it began with.
        iterations: linear assignments of all probes solved (in the searches from all starts), or conditional-gradient
            steps.
        converged: whether the search ended at a point that its steps do not lower.
        order: (num_probes,), the permutation found; None where the plan need not be one.
    """

    loss: float
    identity_loss: float
    lower_bound: float
    start: str
    iterations: int
    converged: bool
    order: Order | None

    @property
    def distance(self) -> float:
        """Memoli's Gromov-Wasserstein distance, sqrt(loss) / 2 (Found. Comput. Math. 2011, section 5)."""
        return float(np.sqrt(self.loss) / 2)

    @property
    def rdm_distance(self) -> float:
        """The distance at the identity plan, between representational dissimilarity matrices."""
        return float(np.sqrt(self.identity_loss) / 2)


def ground_cost(products: FloatArray, cost: Cost, scaling: Scaling) -> FloatArray:
    """Cost between every two probes of a layer, shape (num_probes, num_probes).

    A constant layer has cost zero everywhere, whatever the scaling.

    Args:
        products: (num_probes, num_probes), inner products of the centred activations (`cka.centred_products`).
        cost: distance between two probes' activations; cosine is 1 - cosine similarity of the centred activations.
        scaling: what the costs are divided by: their mean or maximum over distinct probes, or nothing.
    """
    squares = np.diagonal(products)
    if not squares.any():
        return np.zeros_like(products)
    if cost == "cosine":
        norms = np.sqrt(squares)
        scale = norms[:, None] * norms
        costs = 1 - np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    else:
        costs = np.maximum(squares[:, None] + squares[None, :] - 2 * products, 0)
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


def gromov_wasserstein(
    first: Geometry, second: Geometry, solver: Solver = "standard", weights: FloatArray | None = None
) -> Distance:
    """GW between two layers over the same probes in the same order.

    Args:
        solver: ``standard`` searches from the identity, from the eccentricities, or from both where neither is clearly
            ahead; with many probes (`multiscale.MANY`) from the best match of a part of them. ``thorough`` searches
            from all of these and from the match of the third lower bound, and keeps the lowest loss. So it is never
            above standard, nor above POT's conditional gradient from its default start: the search from the
            eccentricities takes the same steps.
        weights: (num_probes,), weights of the probes, which sum to 1; None: all equal.

    Raises:
        ValueError: the numbers of probes differ.
    """
    if first.costs.shape != second.costs.shape:
        raise ValueError(
            f"layers seen on {len(first.costs)} and {len(second.costs)} probes cannot be compared; use the same probes"
        )
    if weights is not None or not (first.conditionally_negative and second.conditionally_negative):
        return _conditional_gradient(first.costs, second.costs, weights)
    matching, many = Matching(first.costs, second.costs), len(first.costs) >= MANY
    identity = matching.identity()
    identity_loss, bound = matching.loss(identity), projection_bound(first, second)
    if identity_loss == 0:
        return Distance(0.0, 0.0, 0.0, "identity", 0, True, identity)
    if solver == "standard":
        found = [search_from_few(matching)] if many else matching.race()
        if min(match.loss for match in found) > identity_loss:
            found.append(matching.search(identity, "identity"))
    else:
        order, third = matching.by_cost_distributions()
        starts = {"identity": identity, "eccentricity": matching.by_eccentricity(), "third lower bound": order}
        found, bound = [matching.search(start, name) for name, start in starts.items()], max(bound, third)
        if many:
            found.append(search_from_few(matching))
    return _lowest(found, identity_loss, bound)


def improved(first: Geometry, second: Geometry, known: Distance, order: Order) -> Distance:
    """The known distance, or a lower one if the search from ``order``, composed of other pairs' matches, finds one."""
    found = Matching(first.costs, second.costs).search(order, "composed")
    steps = known.iterations + found.steps
    if found.loss >= known.loss:
        return replace(known, iterations=steps)
    bound = min(known.lower_bound, found.loss)
    return Distance(found.loss, known.identity_loss, bound, found.start, steps, found.converged, found.order)


def projection_bound(first: Geometry, second: Geometry) -> float:
    """Lower bound of the loss over permutations (Hadley, Rendl, Wolkowicz 1992): eigenvalues and row sums, sorted.

    The costs' parts along and across the constant vector are matched separately, each by any orthogonal matrix.
    """
    number = len(first.sums)
    along = (2 / number) * (first.sums @ second.sums) - first.sums.sum() * second.sums.sum() / number**2
    squares = (first.costs**2).mean() + (second.costs**2).mean()
    return max(float(squares - 2 * (first.spectrum @ second.spectrum + along) / number**2), 0.0)


def _lowest(found: list[Match], identity_loss: float, bound: float) -> Distance:
    best = min(found, key=lambda match: match.loss)  # the first of equals: the simplest start
    steps = sum(match.steps for match in found)
    loss = min(best.loss, identity_loss)
    return Distance(loss, identity_loss, min(bound, loss), best.start, steps, best.converged, best.order)


def _conditional_gradient(first: FloatArray, second: FloatArray, weights: FloatArray | None) -> Distance:
    """POT's solver from the identity plan, for costs and weights whose minimum need not be at a permutation.

    The lower bound is that of Cauchy and Schwarz: the squared difference of the two clouds' sizes.
    """
    if weights is None:
        weights = np.full(len(first), 1 / len(first))
    joint = weights[:, None] * weights
    identity_loss = float(((first - second) ** 2 * joint).sum())
    if identity_loss == 0:
        return Distance(0.0, 0.0, 0.0, "identity", 0, True, None)
    sizes = [float(np.sqrt((costs**2 * joint).sum())) for costs in (first, second)]
    value, log = import_ot().gromov.gromov_wasserstein2(
        first,
        second,
        weights,
        weights,
        loss_fun="square_loss",
        symmetric=True,
        G0=np.diag(weights),
        max_iter=STEPS,
        log=True,
    )
    # The gradient steps cannot rise above the start; rounding can, by some 1e-17.
    loss = min(max(float(value), 0.0), identity_loss)
    steps = len(log["loss"]) - 1
    bound = min((sizes[0] - sizes[1]) ** 2, loss)
    return Distance(loss, identity_loss, bound, "identity", steps, steps < STEPS, None)
