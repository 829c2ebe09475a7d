"""Searches for the best match of two layers on many probes: first on a few of the probes, in the end on all.

Layers can be laid over each other in a few ways that differ by the reflection or exchange of their principal axes, and
a search ends near the way that it begins with. A part of the probes shows which way is best, at a small part of the
cost (multiscale optimal transport: Merigot 2011; of Gromov-Wasserstein: Xu et al. 2019). `matching` does each search.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from dilt.geometry.matching import Assignments, Descent, FloatArray, Match, Matching, Order

MANY = 400  # probes from which on it pays to begin with a part of them
FEWEST = 100  # probes to begin with; on half as many, losses too often had another order than on all
STEPS = 2  # of linear assignment, at each number of probes, for each candidate
APART = 0.3  # share of the mean cost that two matches send probes apart on average; below it they are the same way
MARGIN = 1250.0  # see `_promising`
MOST = 4  # candidates followed to twice the probes


def search_from_few(matching: Matching) -> Match:
    """The lowest match found with ever more probes, ended as `Matching.search` ends; steps are those of all probes."""
    best, *others = _promising(matching, steps=1)
    found = matching.finish(best)
    steps = found.steps + sum(descent.steps for descent in others)
    return Match(found.order, found.loss, found.start, steps, found.converged)


def extended(matching: Matching, coarse: Order) -> Order:
    """A match of every second probe, extended to the others by their costs to the matched ones."""
    first, second = matching.first[1::2, ::2], matching.second[1::2, ::2][:, coarse]
    costs = (first**2).mean(axis=1)[:, None] + (second**2).mean(axis=1) - (2 / len(coarse)) * (first @ second.T)
    order = np.empty(len(matching.first), dtype=np.int64)
    order[::2] = 2 * coarse
    order[1::2] = 2 * Assignments().solve(np.maximum(costs, 0)) + 1
    return order


def _promising(matching: Matching, steps: int = STEPS) -> list[Descent]:
    """Different descents after some steps: the lowest first, then those that are hardly above it.

    Losses on few probes are less certain: descents may be 8 % above the lowest on 125 probes, 2 % on 250 and 0.5 % on
    500, which is `MARGIN` over the square of the number of probes.
    """
    number = len(matching.first)
    if number < 2 * FEWEST:
        descents, steps = list(_starts(matching)), 2 * STEPS  # they are further from their ends
    else:
        half = Matching(matching.first[::2, ::2].copy(), matching.second[::2, ::2].copy())
        descents = [Descent(extended(matching, coarse.order), coarse.start) for coarse in _promising(half)]
    losses = {}
    for descent in descents:
        matching.descend(descent, steps)
        losses[descent] = matching.loss(descent.order)
    descents.sort(key=losses.__getitem__)  # stable: of equals the simplest start
    chosen: list[Descent] = []
    apart = APART * matching.second.mean()
    for descent in descents:
        if losses[descent] > losses[descents[0]] * (1 + MARGIN / number**2) or len(chosen) == MOST:
            break
        if all(matching.second[descent.order, other.order].mean() > apart for other in chosen):
            chosen.append(descent)
    return chosen


def _starts(matching: Matching) -> Iterator[Descent]:
    """The identity, the ranks of the eccentricities, and two principal axes laid over each other, either way round."""
    yield Descent(matching.identity(), "identity")
    yield Descent(matching.by_eccentricity(), "eccentricity")
    first, second = principal_axes(matching.first), principal_axes(matching.second)
    for signs in itertools.product((1, -1), repeat=2):
        costs = ((first[:, None] - second * signs) ** 2).sum(axis=2)
        yield Descent(Assignments().solve(costs), "axes")


def principal_axes(costs: FloatArray) -> FloatArray:
    """The probes' coordinates along two principal axes, (num_probes, 2), by classical scaling (Torgerson 1952)."""
    squares = costs**2
    means = squares.mean(axis=0)
    spectrum, axes = np.linalg.eigh((means + means[:, None] - squares - means.mean()) / 2)
    return np.asarray(axes[:, -2:] * np.sqrt(np.maximum(spectrum[-2:], 0)))
