"""What several runs agree on: weights by the worst, or the best, of their ranks in each (COLT, arXiv 2212.12770).

COLT prunes every partition's weights and intersects. A weight is in the intersection of the runs' k largest exactly
when its worst rank over the runs is within k, and in their union exactly when its best rank is: so any number of
weights can be agreed on, not only those that some k gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dilt.tickets.masks import BoolArray, Mask, intersection, union
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import Scope, Weights, apportion, magnitudes, prune_to_count

UINT32 = np.uint32(0xFFFFFFFF)
SAMPLE = 1 << 16  # live entries, about, by which it is guessed at which ranks it is decided what is kept
NEAR = 1 / 128  # of all ranks: how far to each side of the guess they are looked at

Rank = Literal["worst", "best"]
Values = NDArray[np.floating]
Ranks = NDArray[np.intp]


def keep_agreed(
    weights: Sequence[Weights],
    masks: Sequence[Mask],
    count: int,
    scope: Scope,
    rank: Rank = "worst",
    pattern: Pattern = ANY,
) -> Mask:
    """Exactly ``count`` of the weights that all runs have, by their worst ranks, or that any has, by their best ones.

    Args:
        weights: those of each run.
        masks: under which each run's weights were trained; in a run's ranks, weights that only others have come last.
        scope: ``global`` ranks all layers together, ``layerwise`` keeps the same share of each.

    Raises:
        ValueError: there are fewer than ``count`` such weights, or a weight is not finite.
    """
    within = _had(masks, rank)
    if pattern != ANY:
        return prune_to_count(agreed_saliencies(weights, masks, scope, rank), within, count, scope, pattern=pattern)
    if count > within.count:
        raise ValueError(f"{count} weights to keep, but only {within.count} are live")
    counts = [count] if scope == "global" else list(apportion(within.counts, count).values())
    layers: dict[str, BoolArray] = {}
    for names, number in zip(_ranked_together(within, scope), counts, strict=True):
        live, values = _compared(weights, masks, names)
        layers |= _by_layer(_first(values, live, _flat(within, names), number, rank), within, names)
    return Mask.of_own(layers)


def agreed_saliencies(
    weights: Sequence[Weights], masks: Sequence[Mask], scope: Scope, rank: Rank = "worst"
) -> dict[str, Values]:
    """Saliencies of which `keep_agreed` keeps the largest; 0 for weights that no run has."""
    shapes = masks[0]
    saliencies: dict[str, Values] = {}
    for names in _ranked_together(shapes, scope):
        live, values = _compared(weights, masks, names)
        positions = np.flatnonzero(live)
        flat = np.zeros(len(live))
        flat[positions] = len(positions) - _over_runs([_ranks(each[positions]) for each in values], rank)
        saliencies |= _by_layer(flat, shapes, names)
    return saliencies


def _had(masks: Sequence[Mask], rank: Rank) -> Mask:
    """The weights that all runs have, or that any has."""
    return intersection(masks) if rank == "worst" else union(masks)


def _ranked_together(mask: Mask, scope: Scope) -> list[list[str]]:
    """The layers that are ranked as one, in turn."""
    return [mask.names] if scope == "global" else [[name] for name in mask.names]


def _compared(
    weights: Sequence[Weights], masks: Sequence[Mask], names: Sequence[str]
) -> tuple[BoolArray, list[Values]]:
    """Which weights any run has, and each run's magnitudes, 0 for those that it does not have; shapes (size,).

    Args:
        names: layers, whose weights are counted through.
    """
    had = [_flat(mask, names) for mask in masks]
    compared = []
    for each, mask, own in zip(weights, masks, had, strict=True):
        values = _flat(each, names)
        np.abs(values, out=values)
        if not np.isfinite(values.max(initial=0)):
            magnitudes(each, mask)  # raises the error, which names the layer
        np.multiply(values, own, out=values)
        compared.append(values)
    return reduce(np.logical_or, had), compared


def _flat(layers: Mapping[str, NDArray[Any]] | Mask, names: Sequence[str]) -> NDArray[Any]:
    """Some layers' values, one layer after the other."""
    return np.concatenate([layers[name].ravel() for name in names])


def _by_layer(flat: NDArray[Any], mask: Mask, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The inverse of `_flat`, with the mask's shapes."""
    pieces = np.split(flat, np.cumsum([mask[name].size for name in names])[:-1])
    return {name: piece.reshape(mask[name].shape) for name, piece in zip(names, pieces, strict=True)}


def _first(values: Sequence[Values], live: BoolArray, among: BoolArray, count: int, rank: Rank) -> BoolArray:
    """Which ``count`` of some entries come first by the worst or best of their ranks; of equal ones, the first.

    Ranks are found near the one that decides, as a sample tells; all of them, should the sample mislead.

    Args:
        live: entries that have ranks.
        among: entries to choose from, all of them live.
    """
    kept = np.zeros_like(among)
    if count == 0:
        return kept
    for bounds in (_around(values, live, among, count, rank), [(0, np.inf)] * len(values)):
        # Those that have no ranks are zero too, and so are left aside only where zeros count.
        positions = np.flatnonzero(live) if any(low == 0 for low, _ in bounds) else slice(None)
        near = [_Near(each[positions], *between) for each, between in zip(values, bounds, strict=True)]
        first = _first_near(near, among[positions], count, rank)
        if first is not None:
            break
    assert first is not None  # all ranks were looked at
    kept[positions] = first
    return kept


def _first_near(near: Sequence[_Near], among: BoolArray, count: int, rank: Rank) -> BoolArray | None:
    """`_first`, by the ranks between two values of each run; None if it is decided by others."""
    join = np.logical_and if rank == "worst" else np.logical_or
    first: BoolArray = reduce(join, [run.above for run in near]) & among
    open_ = reduce(join, [run.from_low for run in near]) & among & ~first
    positions = np.flatnonzero(open_)
    missing = count - int(np.count_nonzero(first))
    if not 0 < missing <= len(positions):
        return None
    ranks = _over_runs([run.ranks(open_, positions) for run in near], rank)
    last = np.partition(ranks, missing - 1)[missing - 1]
    if not all(run.begin <= last < run.end for run in near):
        return None
    equal = positions[ranks == last]
    first[positions[ranks < last]] = True
    first[equal[: count - int(np.count_nonzero(first))]] = True
    return first


def _over_runs(ranks: Sequence[Ranks], rank: Rank) -> Ranks:
    """The worst or best of each entry's ranks."""
    return reduce(np.maximum if rank == "worst" else np.minimum, ranks)


def _around(
    values: Sequence[Values], live: BoolArray, among: BoolArray, count: int, rank: Rank
) -> list[tuple[float, float]]:
    """Two values of each run, between whose ranks those of the entries should be that are just, or just not, kept."""
    size = int(np.count_nonzero(live))
    positions = _sample(live, size)
    number = len(positions)
    sampled = [each[positions] for each in values]
    ranks = _over_runs([_ranks(each) for each in sampled], rank)
    ranks[~among[positions]] = number
    place = (count - 1) * number // size
    middle = int(np.partition(ranks, place)[place])
    margin = max(1, int(number * NEAR))
    found = []
    for each in sampled:
        from_the_largest = np.sort(each)[::-1]
        high = from_the_largest[middle - margin] if middle >= margin else np.inf
        low = from_the_largest[middle + margin] if middle + margin < number else 0
        found.append((low, high))
    return found


def _sample(live: BoolArray, size: int) -> NDArray[np.intp]:
    """Positions of about `SAMPLE` of the live entries, of which there are ``size``; of all, if they are no more."""
    if size <= SAMPLE:
        return np.flatnonzero(live)
    drawn = np.random.default_rng(0).integers(len(live), size=SAMPLE * len(live) // size)
    return drawn[live[drawn]]


class _Near:
    """The ranks of a run's entries that lie between two values.

    Attributes:
        above: entries above both, shape (size,).
        from_low: these, and those between.
        begin, end: the first rank between, and the first after those.
    """

    def __init__(self, values: Values, low: float, high: float) -> None:
        self.above, self.from_low = values > high, values >= low
        self._between = np.flatnonzero(self.from_low & ~self.above)
        self._ranks = _ranks(values[self._between])  # among those between
        self.begin = int(np.count_nonzero(self.above))
        self.end = self.begin + len(self._between)

    def ranks(self, some: BoolArray, positions: NDArray[np.intp]) -> Ranks:
        """Ranks of some entries: -1 for those above, the number of all entries for those below.

        Args:
            some: the entries, shape (size,).
            positions: theirs.
        """
        above = self.above[positions]
        found = np.where(above, -1, len(some))
        found[self.from_low[positions] & ~above] = self.begin + self._ranks[some[self._between]]
        return found


def _ranks(values: Values) -> Ranks:
    """Places of entries, none below zero, when sorted from the largest, 0 first; equal ones in their order."""
    ranks = np.empty(len(values), dtype=np.intp)
    ranks[_from_the_largest(values)] = np.arange(len(values))
    return ranks


def _from_the_largest(values: Values) -> NDArray[np.integer]:
    """Positions of the entries, none below zero, from the largest; of equal ones, the first comes first."""
    if values.dtype != np.float32:
        return np.argsort(-values, kind="stable")
    # Bits of floats from zero on are in the floats' order. Whole numbers of bits and position are sorted six times as
    # fast as positions by floats.
    keys = (UINT32 - values.view(np.uint32)).astype(np.uint64) << 32
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    return keys.view(np.int64) & np.int64(UINT32)
