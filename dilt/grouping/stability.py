"""Consensus of several partitions of the same nodes: how often two nodes fall together, and how stable each one is.

Partitions come from subsets of the probes, from subsets of the nodes, or from seeds (Monti et al. 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.randomness import generator
from dilt.grouping.clustering import FloatArray, Labels, affinity, cluster, laplacian, rand_index
from dilt.settings.grouping import Clustering

ABSENT = -1  # label of a node that a partition does not have


def over_probes(matrices: Sequence[FloatArray], number: int, settings: Clustering) -> NDArray[np.int64]:
    """Partitions (num_subsets, m) of the nodes by their distances on each subset of the probes."""
    return np.array([_partition(distances, number, settings) for distances in matrices])


def over_nodes(distances: FloatArray, number: int, settings: Clustering) -> NDArray[np.int64]:
    """Partitions (subsamples, m) of random four fifths of the nodes; the others are `ABSENT`."""
    m = len(distances)
    size = max(4, round(0.8 * m))
    found = np.full((settings.subsamples, m), ABSENT)
    for index in range(settings.subsamples):
        chosen = np.sort(generator(settings.seed, "subsample", index).choice(m, size, replace=False))
        found[index, chosen] = _partition(distances[np.ix_(chosen, chosen)], min(number, size - 2), settings)
    return found


def consensus(partitions: NDArray[np.int64]) -> FloatArray:
    """Share of the partitions that put two nodes together, of those that have both; NaN where none has, (m, m)."""
    present = (partitions != ABSENT).astype(np.float64)
    both = present.T @ present
    together = np.zeros_like(both)
    for labels in partitions:
        together += (labels[:, None] == labels[None, :]) & (labels != ABSENT)[:, None]
    return np.where(both > 0, together / np.maximum(both, 1), np.nan)


def stability(shares: FloatArray, labels: Labels) -> FloatArray:
    """Mean consensus of each node with the others of its module, (m,); NaN for a module of one."""
    mates = (labels[:, None] == labels[None, :]) & ~np.eye(len(labels), dtype=bool) & np.isfinite(shares)
    total, count = np.where(mates, shares, 0).sum(axis=1), mates.sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mean_rand_index(partitions: NDArray[np.int64]) -> float:
    """Mean adjusted Rand index of every two partitions, on the nodes that both have; NaN for a single one."""
    scores = []
    for first, second in combinations(partitions, 2):
        both = (first != ABSENT) & (second != ABSENT)
        scores.append(rand_index(first[both].tolist(), second[both].tolist()))
    return float(np.mean(scores)) if scores else float("nan")


def _partition(distances: FloatArray, number: int, settings: Clustering) -> Labels:
    return cluster(laplacian(affinity(distances, settings))[1], number)
