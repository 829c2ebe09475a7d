"""Rows of tables on the overlap of trajectories' masks by layer, beside what chance would give, and on densities.

Siblings are the controls: the same classes, trained in another order of batches.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np

from dilt.tickets.masks import BoolArray, Mask
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.trajectories import sibling

WHOLE = "all"
CONNECTED = 0.95  # of the live weights should be on a path: with fewer, tickets of equal size are not equal networks


def density_rows(
    tickets: Mapping[str, Mask], effective: Callable[[Mask], Mask], pattern: Pattern = ANY
) -> list[dict[str, str | int | float]]:
    """A row per ticket and layer, and one for the whole ticket: weights, live and effective ones, dead outputs.

    ``effective_density`` is the share of all weights that are live and on a path from an input to an output of the
    network (arXiv 2107.02306). ``dead_outputs`` counts outputs (rows of the weight) without any live weight: a
    disconnected ticket has many. Under a pattern ``in_pattern`` is the share of groups that keep it: 1 for tickets that
    can be multiplied by as such; the union's can be less.

    Args:
        effective: gives a mask's weights that are on a path, as `networks.paths` does.
    """
    rows: list[dict[str, str | int | float]] = []
    for ticket, mask in tickets.items():
        dead = {name: len(kept) - int(np.count_nonzero(_any_of(kept))) for name, kept in mask.layers.items()}
        lives, on_path = mask.counts, effective(mask).counts
        layers = [(name, mask[name].size, lives[name], on_path[name], dead[name]) for name in mask.names]
        whole = (WHOLE, mask.size, sum(lives.values()), sum(on_path.values()), sum(dead.values()))
        for layer, weights, live, reached, dead_outputs in [whole, *layers]:
            rows.append(
                {
                    "ticket": ticket,
                    "layer": layer,
                    "weights": weights,
                    "live": live,
                    "density": live / weights,
                    "effective": reached,
                    "effective_density": reached / weights,
                    "dead_outputs": dead_outputs,
                }
            )
        if pattern != ANY:
            keeping = pattern.share(mask)
            whole_keeping = tuple(map(sum, zip(*keeping.values(), strict=True)))
            for row, (kept, groups) in zip(rows[-len(layers) - 1 :], [whole_keeping, *keeping.values()], strict=True):
                row["in_pattern"] = kept / groups
    return rows


def _any_of(kept: BoolArray) -> BoolArray:
    """Which outputs (rows) have a live weight."""
    whole = kept.view(np.uint8).reshape(len(kept), -1)  # whose maximum is found many times as fast as any of booleans
    live: BoolArray = whole.max(axis=1).view(np.bool_)
    return live


def disconnected(rows: Iterable[Mapping[Any, Any]]) -> list[str]:
    """The tickets of which less than `CONNECTED` of the live weights is on a path: a line for each round that has any.

    Args:
        rows: those of `density_rows`, with their round, of any seeds. Shares are means over seeds; a ticket without
            weights has none.
    """
    shares: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["layer"] == WHOLE and row["live"]:
            shares[row["round"]][row["ticket"]].append(row["effective"] / row["live"])
    lines = []
    for round_, tickets in sorted(shares.items()):
        told = [f"{name} {fmean(all_):.3f}" for name, all_ in tickets.items() if fmean(all_) < CONNECTED]
        if told:
            lines.append(f"round {round_}: {', '.join(told)}")
    return lines


def overlaps_of_trajectories(
    partitions: Mapping[str, Mask], siblings: Mapping[str, Mask]
) -> list[dict[str, str | int | float]]:
    """Rows of `overlap_rows` for all partitions, for their pairs if there are more than two, for each and its sibling.

    Args:
        siblings: mask of each partition's sibling, by partition name.
    """
    rows = overlap_rows("partitions", partitions)
    if len(partitions) > 2:  # a partition and its sibling are two masks, to be compared with two
        for pair in combinations(partitions, 2):
            rows += overlap_rows("pairs", {name: partitions[name] for name in pair})
    for name, mask in partitions.items():
        rows += overlap_rows("siblings", {name: mask, sibling(name): siblings[name]})
    return rows


def overlap_rows(kind: str, masks: Mapping[str, Mask]) -> list[dict[str, str | int | float]]:
    """Agreement of two or more masks, a row per layer and one for the whole.

    Args:
        kind: what sort of agreement this is: ``partitions`` (of all), ``pairs`` of them, or ``siblings``.
        masks: the masks by name of their trajectory.

    Returns:
        Rows with the numbers of live weights that all share and that any has, their Jaccard index, and what chance
        gives for shared weights and index: independent random masks of the same density in each layer.
    """
    first, *rest = masks.values()
    shared, joined = first, first
    for mask in rest:
        shared, joined = shared & mask, joined | mask
    by_layer = []
    of_masks, in_shared, in_joined = [mask.densities for mask in masks.values()], shared.counts, joined.counts
    for name in first.names:
        densities = np.array([each[name] for each in of_masks])
        size = first[name].size
        chance_shared = size * densities.prod()
        chance_joined = size * (1 - (1 - densities).prod())
        by_layer.append((name, size, in_shared[name], in_joined[name], chance_shared, chance_joined))
    whole = (WHOLE, *(sum(column) for column in list(zip(*by_layer, strict=True))[1:]))
    return [
        {
            "kind": kind,
            "trajectories": " & ".join(masks),
            "layer": layer,
            "weights": weights,
            "shared": both,
            "joined": either,
            "jaccard": both / either if either else 1.0,
            "shared_by_chance": float(chance_both),
            "jaccard_by_chance": float(chance_both / chance_either) if chance_either else 1.0,
        }
        for layer, weights, both, either, chance_both, chance_either in [whole, *by_layer]
    ]
