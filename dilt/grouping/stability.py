"""Stability of groups of nodes: how often two nodes fall together in several groupings of the same nodes.

Groupings come from subsets of the probes, from subsets of the nodes, or from seeds (Monti et al. 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.randomness import generator
from dilt.grouping.clustering import FloatArray, Labels, affinity, cluster, laplacian, rand_index
from dilt.settings.grouping import Clustering

ABSENT = -1  # label of a node that a grouping does not have


def over_probes(matrices: Sequence[FloatArray], number: int, settings: Clustering) -> NDArray[np.int64]:
    """Groupings (num_subsets, m) of the nodes by their distances on each subset of the probes."""
    return np.array([_grouping(distances, number, settings) for distances in matrices])


def over_nodes(distances: FloatArray, number: int, settings: Clustering) -> NDArray[np.int64]:
    """Groupings (subsamples, m) of random four fifths of the nodes; the others are `ABSENT`."""
    m = len(distances)
    size = max(4, round(0.8 * m))
    found = np.full((settings.subsamples, m), ABSENT)
    for index in range(settings.subsamples):
        chosen = np.sort(generator(settings.seed, "subsample", index).choice(m, size, replace=False))
        found[index, chosen] = _grouping(distances[np.ix_(chosen, chosen)], min(number, size - 2), settings)
    return found


def co_grouping(groupings: NDArray[np.int64]) -> FloatArray:
    """Share of the groupings that put two nodes together, of those that have both; NaN where none has, (m, m)."""
    present = (groupings != ABSENT).astype(np.float64)
    both = present.T @ present
    together = np.zeros_like(both)
    for labels in groupings:
        together += (labels[:, None] == labels[None, :]) & (labels != ABSENT)[:, None]
    return np.where(both > 0, together / np.maximum(both, 1), np.nan)


def stability(shares: FloatArray, labels: Labels) -> FloatArray:
    """For each node the mean share with the others of its module, (m,); NaN for a module of one."""
    mates = (labels[:, None] == labels[None, :]) & ~np.eye(len(labels), dtype=bool) & np.isfinite(shares)
    total, count = np.where(mates, shares, 0).sum(axis=1), mates.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_rand_index(groupings: NDArray[np.int64]) -> float:
    """Mean adjusted Rand index of every two groupings, on the nodes that both have; NaN for a single one."""
    found = []
    for first, second in combinations(groupings, 2):
        both = (first != ABSENT) & (second != ABSENT)
        found.append(rand_index(first[both].tolist(), second[both].tolist()))
    return float(np.mean(found)) if found else float("nan")


def _grouping(distances: FloatArray, number: int, settings: Clustering) -> Labels:
    return cluster(laplacian(affinity(distances, settings))[1], number)
