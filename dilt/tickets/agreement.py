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
from dilt.tickets.pruning import Scope, Weights, apportion, magnitudes, magnitudes_at, prune_to_count

UINT32 = np.uint32(0xFFFFFFFF)
SAMPLE = 1 << 16  # entries by which it is guessed at which ranks it is decided what is kept
NEAR = 1 / 32  # of all ranks: how far to each side of the guess they are looked at

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
        among = _flat(within, names)
        kept = np.zeros(len(among), dtype=np.bool_)
        kept[live[np.flatnonzero(_first(values, among[live], number, rank))]] = True
        layers |= _by_layer(kept, within, names)
    return Mask.of_own(layers)


def agreed_saliencies(
    weights: Sequence[Weights], masks: Sequence[Mask], scope: Scope, rank: Rank = "worst"
) -> dict[str, Values]:
    """Saliencies of which `keep_agreed` keeps the largest; 0 for weights that no run has."""
    shapes = masks[0]
    saliencies: dict[str, Values] = {}
    for names in _ranked_together(shapes, scope):
        live, values = _compared(weights, masks, names)
        flat = np.zeros(sum(shapes[name].size for name in names))
        flat[live] = len(live) - _over_runs([_ranks(each) for each in values], rank)
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
) -> tuple[NDArray[np.intp], list[Values]]:
    """Positions of the weights that any run has, and each run's magnitudes there, 0 for those that others have.

    Args:
        names: layers, whose weights are counted through.
    """
    had = [_flat(mask, names) for mask in masks]
    live = np.flatnonzero(reduce(np.logical_or, had))
    compared = []
    for each, mask, own in zip(weights, masks, had, strict=True):
        values = magnitudes_at(each, live, names)
        np.copyto(values, 0, where=~own[live])
        if not np.isfinite(values.max(initial=0)):
            magnitudes(each, mask)  # raises the error, which names the layer
        compared.append(values)
    return live, compared


def _flat(layers: Mapping[str, NDArray[Any]] | Mask, names: Sequence[str]) -> NDArray[Any]:
    """Some layers' values, one layer after the other."""
    return np.concatenate([layers[name].ravel() for name in names])


def _by_layer(flat: NDArray[Any], mask: Mask, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The inverse of `_flat`, with the mask's shapes."""
    pieces = np.split(flat, np.cumsum([mask[name].size for name in names])[:-1])
    return {name: piece.reshape(mask[name].shape) for name, piece in zip(names, pieces, strict=True)}


def _first(values: Sequence[Values], among: BoolArray, count: int, rank: Rank) -> BoolArray:
    """Which ``count`` of some entries come first by the worst or best of their ranks; of equal ones, the first.

    Ranks are found near the one that decides, as a sample tells; all of them, should the sample mislead.
    """
    if count == 0:
        return np.zeros_like(among)
    join = np.logical_and if rank == "worst" else np.logical_or
    for bounds in (_around(values, among, count, rank), [(0, np.inf)] * len(values)):
        near = [_Near(each, *between) for each, between in zip(values, bounds, strict=True)]
        first: BoolArray = reduce(join, [run.above for run in near]) & among
        open_ = np.flatnonzero(reduce(join, [run.from_low for run in near]) & among & ~first)
        missing = count - int(np.count_nonzero(first))
        if not 0 < missing <= len(open_):
            continue
        ranks = _over_runs([run.ranks(open_) for run in near], rank)
        last = np.partition(ranks, missing - 1)[missing - 1]
        if all(run.begin <= last < run.end for run in near):
            break
    equal = open_[ranks == last]
    first[open_[ranks < last]] = True
    first[equal[: count - int(np.count_nonzero(first))]] = True
    return first


def _over_runs(ranks: Sequence[Ranks], rank: Rank) -> Ranks:
    """The worst or best of each entry's ranks."""
    return reduce(np.maximum if rank == "worst" else np.minimum, ranks)


def _around(values: Sequence[Values], among: BoolArray, count: int, rank: Rank) -> list[tuple[float, float]]:
    """Two values of each run, between whose ranks those of the entries should be that are just, or just not, kept."""
    size = len(among)
    number = min(size, SAMPLE)
    positions = np.arange(number) * size // number
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


class _Near:
    """The ranks of a run's entries that lie between two values.

    Attributes:
        above: entries above both, shape (size,).
        from_low: these, and those between.
        begin, end: the first rank between, and the first after those.
    """

    def __init__(self, values: Values, low: float, high: float) -> None:
        self.above, self.from_low = values > high, values >= low
        between = np.flatnonzero(self.from_low & ~self.above)
        self.begin = int(np.count_nonzero(self.above))
        self.end = self.begin + len(between)
        self._ranks = np.empty(len(values), dtype=np.intp)  # of those between alone
        self._ranks[between[_from_the_largest(values[between])]] = np.arange(self.begin, self.end)

    def ranks(self, positions: NDArray[np.intp]) -> Ranks:
        """Ranks of some entries: -1 for those above, the number of all entries for those below."""
        below_too = np.where(self.from_low[positions], self._ranks[positions], len(self._ranks))
        return np.where(self.above[positions], -1, below_too)


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
