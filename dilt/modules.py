"""Modules: groups of (ticket, layer) found by spectral clustering of a distance matrix, with stability and a null.

The number of modules is the one with the largest mean silhouette. Distances come from `transport`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilt.randomness import generator
from dilt.settings import Clustering

FloatArray = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Modules:
    """A clustering of m nodes.

    Attributes:
        labels: (m,), module of each node, numbered from 0 in order of appearance.
        silhouettes: (m,), silhouette of each node.
        silhouette_by_number: mean silhouette for every number of modules tried.
        eigenvalues: (m,), of the normalised Laplacian, ascending.
        stability: mean adjusted Rand index between these modules and those of random subsets of the nodes.
        shuffled_p: share of shuffled distance matrices whose best silhouette is as large: small where modules are
            more than what the selection finds in noise.
    """

    labels: Labels
    silhouettes: FloatArray
    silhouette_by_number: dict[int, float]
    eigenvalues: FloatArray
    stability: float
    shuffled_p: float

    @property
    def number(self) -> int:
        """How many modules there are."""
        return int(self.labels.max()) + 1


def find_modules(distances: FloatArray, settings: Clustering) -> Modules:
    """Cluster nodes by their distances (m, m), symmetric with zero diagonal.

    Raises:
        ValueError: there are fewer than four nodes, so no number of modules to choose.
    """
    if len(distances) < 4:
        raise ValueError(f"{len(distances)} layers cannot be grouped into modules; keep at least four (ticket, layer)")
    from sklearn.metrics import silhouette_samples

    scores = _silhouettes(distances, settings.max_modules)
    number = max(scores, key=lambda k: scores[k])
    labels = cluster(distances, number)
    return Modules(
        labels,
        silhouette_samples(distances, labels, metric="precomputed"),
        scores,
        laplacian_eigenvalues(affinity(distances)),
        _stability(distances, labels, settings),
        _shuffled_p(distances, scores[number], settings),
    )


def affinity(distances: FloatArray) -> FloatArray:
    """Gaussian affinity with the median off-diagonal distance as its scale."""
    scale = float(np.median(distances[np.triu_indices(len(distances), 1)])) or float(distances.max()) or 1.0
    result: FloatArray = np.exp(-(distances**2) / (2 * scale**2))
    return result


def cluster(distances: FloatArray, number: int) -> Labels:
    """Spectral clustering into ``number`` groups, deterministic, numbered in order of appearance."""
    from sklearn.cluster import SpectralClustering

    model = SpectralClustering(number, affinity="precomputed", assign_labels="cluster_qr", random_state=0)
    return _in_order(model.fit_predict(affinity(distances)))


def laplacian_eigenvalues(affinities: FloatArray) -> FloatArray:
    """Eigenvalues of the symmetric normalised Laplacian, ascending, shape (m,)."""
    degrees = affinities.sum(axis=1)
    normalised = affinities / np.sqrt(degrees[:, None] * degrees[None, :])
    return np.clip(np.linalg.eigvalsh(np.eye(len(affinities)) - normalised), 0, None)


def agreement(labels: Labels, groups: Sequence[str], settings: Clustering) -> tuple[float, float]:
    """Adjusted Rand index of modules with given groups (layers, tickets), and its permutation p value."""
    from sklearn.metrics import adjusted_rand_score

    found = adjusted_rand_score(groups, labels)
    draws = generator(settings.seed, "agreement")
    shuffled = [adjusted_rand_score(groups, draws.permutation(labels)) for _ in range(settings.shuffles)]
    return float(found), (1 + sum(value >= found for value in shuffled)) / (1 + settings.shuffles)


def _silhouettes(distances: FloatArray, max_modules: int) -> dict[int, float]:
    from sklearn.metrics import silhouette_score

    scores = {}
    for number in range(2, min(max_modules, len(distances) - 2) + 1):
        labels = cluster(distances, number)
        distinct = len(np.unique(labels))
        scores[number] = float(silhouette_score(distances, labels, metric="precomputed")) if distinct > 1 else -1.0
    return scores


def _stability(distances: FloatArray, labels: Labels, settings: Clustering) -> float:
    """Mean agreement with clusterings of random four fifths of the nodes."""
    from sklearn.metrics import adjusted_rand_score

    number, size = int(labels.max()) + 1, max(4, round(0.8 * len(labels)))
    scores = []
    for index in range(settings.subsamples):
        chosen = np.sort(generator(settings.seed, "subsample", index).choice(len(labels), size, replace=False))
        again = cluster(distances[np.ix_(chosen, chosen)], min(number, size - 2))
        scores.append(adjusted_rand_score(labels[chosen], again))
    return float(np.mean(scores))


def _shuffled_p(distances: FloatArray, observed: float, settings: Clustering) -> float:
    rows, columns = np.triu_indices(len(distances), 1)
    reached = 0
    for index in range(settings.shuffles):
        shuffled = np.zeros_like(distances)
        shuffled[rows, columns] = generator(settings.seed, "shuffle", index).permutation(distances[rows, columns])
        scores = _silhouettes(shuffled + shuffled.T, settings.max_modules)
        reached += max(scores.values()) >= observed
    return (1 + reached) / (1 + settings.shuffles)


def _in_order(labels: Labels) -> Labels:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
