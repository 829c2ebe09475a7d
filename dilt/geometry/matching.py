"""Searches for the permutation of probes that matches two ground costs best, for losses concave in the transport plan.

Such losses have their minima at permutations. A linear assignment lowers them by a full step (no line search), and an
exchange of two probes can lead on where no assignment does. `gromov_wasserstein` decides which costs are of this kind.
A permutation matches probe i of the first layer to probe ``order[i]`` of the second.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Order = NDArray[np.int64]

LARGE = 256  # probes from which POT's network simplex finds a first assignment sooner than SciPy's augmenting paths
SWEEPS = 3  # of Bellman and Ford: enough to make the next assignment some 1.7 times faster than a cold one
CLEARLY = 2.0  # times the identity's loss; searches with more after two steps were not seen to end below the identity's
STEPS = 200  # of linear assignment; two to twenty are usual
TOLERANCE = 1e-11  # relative; smaller changes are rounding


@dataclass(frozen=True)
class Match:
    """Where a search ended.

    Attributes:
        order: (num_probes,), the permutation.
        loss: mean over i, k of (C1_ik - C2_order(i)order(k))^2.
        start: what the search began with.
        steps: linear assignments solved.
        converged: whether neither a linear assignment nor an exchange of two probes lowers the loss.
    """

    order: Order
    loss: float
    start: str
    steps: int
    converged: bool


class Matching:
    """Two ground costs, (num_probes, num_probes), symmetric with zero diagonal, and searches for the best match."""

    def __init__(self, first: FloatArray, second: FloatArray) -> None:
        self.first, self.second = first, second
        self._offset = (first**2).mean(axis=1)[:, None] + (second**2).mean(axis=1)
        self._probes = np.arange(len(first))

    def loss(self, order: Order) -> float:
        """The Gromov-Wasserstein loss of a match."""
        return float(((self.first - self.second[order][:, order]) ** 2).mean())

    def identity(self) -> Order:
        """Every probe matched to itself."""
        return self._probes.copy()

    def by_eccentricity(self) -> Order:
        """Probes matched by the rank of their mean cost: where POT's first step from its default start ends."""
        order = np.empty(len(self._probes), dtype=np.int64)
        order[np.argsort(self.first.sum(axis=1), kind="stable")] = np.argsort(self.second.sum(axis=1), kind="stable")
        return order

    def by_cost_distributions(self) -> tuple[Order, float]:
        """Probes matched by their sorted costs, and the value of that assignment: Memoli's third lower bound."""
        products = np.sort(self.first, axis=1) @ np.sort(self.second, axis=1).T
        costs = self._costs(products)
        order = Assignments().solve(costs)
        return order, max(float(costs[self._probes, order].mean()), 0.0)

    def search(self, order: Order, start: str, exchange: bool = True) -> Match:
        """Linear assignments until none lowers the loss, then exchanges until none does, in turn until neither does.

        Without exchanges this is POT's conditional gradient.
        """
        return self.finish(Descent(order, start), exchange)

    def race(self) -> list[Match]:
        """Searches from the identity, from the eccentricities, or from both where neither is clearly ahead.

        Near-identical layers are matched from the identity alone. For layers of unrelated geometry, such as those of an
        untrained and a trained network, the other start nearly always ends lower. Two steps from it show which case it
        is.
        """
        descent = Descent(self.by_eccentricity(), "eccentricity")
        self.descend(descent, steps=2)
        ahead = self.loss(descent.order) / max(self.loss(self._probes), np.finfo(float).tiny)
        found = []
        if ahead >= 1:
            found.append(self.search(self.identity(), "identity"))
        if ahead <= CLEARLY:
            found.append(self.finish(descent))
        return found

    def finish(self, descent: Descent, exchange: bool = True) -> Match:
        """Search on from where a descent is, as `search` does."""
        while True:
            stationary = self.descend(descent)
            if not (stationary and exchange and self._exchange(descent)):
                return Match(descent.order, self.loss(descent.order), descent.start, descent.steps, stationary)

    def descend(self, descent: Descent, steps: int = STEPS) -> bool:
        """Take linear assignment steps; returns whether the last one found nothing lower."""
        for _ in range(steps):
            products = self._products(descent)
            now = products[self._probes, descent.order].sum()
            order = descent.assignments.solve(self._costs(products))
            descent.steps += 1
            if products[self._probes, order].sum() - now <= TOLERANCE * abs(now):
                return True
            descent.move(order)
        return False

    def _exchange(self, descent: Descent) -> bool:
        """Exchange the partners of pairs of probes until no exchange gains; returns whether any was made.

        All gains follow from one product of matrices. Probes that are each other's best partners are exchanged at once;
        together exchanges can gain less than each alone, so that fewer are made when the loss does not fall.
        """
        moved = False
        while True:
            matched = self._products(descent)[:, descent.order]
            kept = np.diagonal(matched)
            gains = matched + matched.T - kept[:, None] - kept
            gains += 2 * self.first * self.second[descent.order][:, descent.order]
            np.fill_diagonal(gains, 0)
            partner = gains.argmax(axis=1)
            gain = gains[self._probes, partner]
            best = (gain > TOLERANCE * kept.sum()) & (partner[partner] == self._probes) & (self._probes < partner)
            chosen = np.flatnonzero(best)
            chosen = chosen[np.argsort(-gain[chosen], kind="stable")]
            if not self._exchanged(descent, chosen, partner, float(kept.sum())):
                return moved
            moved = True

    def _exchanged(self, descent: Descent, chosen: Order, partner: Order, now: float) -> bool:
        while len(chosen):
            order = descent.order.copy()
            order[chosen], order[partner[chosen]] = descent.order[partner[chosen]], descent.order[chosen]
            moved = np.flatnonzero(order != descent.order)
            change = self.second[order[moved]] - self.second[descent.order[moved]]
            products = self._products(descent) + self.first[:, moved] @ change
            if products[self._probes, order].sum() - now > TOLERANCE * abs(now):
                descent.move(order, products)
                return True
            chosen = chosen[: len(chosen) // 2]
        return False

    def _products(self, descent: Descent) -> FloatArray:
        """Sum over k of C1_ik C2_jorder(k), shape (num_probes, num_probes)."""
        if descent.products is None:
            descent.products = self.first @ self.second[descent.order]
        return descent.products

    def _costs(self, products: FloatArray) -> FloatArray:
        """Half the gradient of the loss, in a form that is never negative: POT silently fails on large negatives."""
        return np.asarray(self._offset - (2 / len(products)) * products)


class Descent:
    """State of a search: its start's name, the permutation, its products with both costs, the assignments solved."""

    def __init__(self, order: Order, start: str) -> None:
        self.order, self.start = order, start
        self.products: FloatArray | None = None
        self.assignments = Assignments()
        self.steps = 0

    def move(self, order: Order, products: FloatArray | None = None) -> None:
        """Go to another permutation."""
        self.order, self.products = order, products


class Assignments:
    """Exact linear assignments of costs that change little from one to the next.

    Each is solved on costs reduced by the potentials of the one before. SciPy gives no potentials, but a few sweeps of
    Bellman and Ford over its solution come close to them, and no potentials change the solution.
    """

    def __init__(self) -> None:
        self._columns: FloatArray | None = None

    def solve(self, costs: FloatArray) -> Order:
        """The permutation of least total cost, for (num_probes, num_probes) costs of at least zero."""
        if self._columns is None and len(costs) >= LARGE:
            order, self._columns = _network_simplex(costs)
            return order
        from scipy.optimize import linear_sum_assignment

        columns = np.zeros(len(costs)) if self._columns is None else self._columns
        reduced = costs - columns
        reduced -= reduced.min(axis=1, keepdims=True)
        reduced -= reduced.min(axis=0)
        order = np.asarray(linear_sum_assignment(reduced)[1], dtype=np.int64)
        self._columns = _potentials(costs, order, columns)
        return order


def _potentials(costs: FloatArray, order: Order, columns: FloatArray) -> FloatArray:
    """Column potentials near those that prove an assignment optimal, from those of the one before."""
    slack = costs[:, order]
    slack -= np.diagonal(slack)[:, None].copy()
    along = columns[order]
    for _ in range(SWEEPS):
        along = (along[:, None] + slack).min(axis=0)
    result = np.empty_like(along)
    result[order] = along
    return result


def _network_simplex(costs: FloatArray) -> tuple[Order, FloatArray]:
    """The permutation of least total cost and its column potentials, by POT.

    Raises:
        ArithmeticError: POT did not find the optimum.
    """
    ot = import_ot()
    ones = np.ones(len(costs))  # whole numbers, so that the plan is a permutation exactly
    plan, log = ot.emd(ones, ones, costs, numItermax=10**8, log=True, center_dual=False, check_marginals=False)
    if log["result_code"] != 1 or not np.array_equal(plan.sum(axis=1), ones):
        raise ArithmeticError(f"POT's linear assignment of {len(costs)} probes did not end: {log['warning']}")
    return plan.argmax(axis=1), log["v"]


def import_ot() -> Any:
    """POT without its optional backends: they would load torch, which takes seconds and is not needed here."""
    for backend in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW"):
        os.environ.setdefault(f"POT_BACKEND_DISABLE_{backend}", "1")
    import ot

    return ot
