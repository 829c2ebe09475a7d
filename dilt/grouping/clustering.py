"""Modules: groups of (ticket, layer) found by spectral clustering of a distance matrix.

Whether they are more than smooth drift is answered by `nulls`, how stable they are by `stability`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.randomness import generator
from dilt.settings.grouping import Clustering

FloatArray = NDArray[np.float64]
Labels = NDArray[np.int64]
MIN_NODES = 4


@dataclass(frozen=True)
class Modules:
    """A clustering of m nodes.

    Attributes:
        labels: (m,), module of each node, numbered from 0 in order of appearance.
        silhouettes: (m,), silhouette of each node.
        silhouette_by_number: mean silhouette for every number of modules tried.
        eigenvalues: (m,), of the normalised Laplacian, ascending.
        number_by_eigengap: the number of modules below the largest gap of eigenvalues.
    """

    labels: Labels
    silhouettes: FloatArray
    silhouette_by_number: dict[int, float]
    eigenvalues: FloatArray
    number_by_eigengap: int

    @property
    def number(self) -> int:
        """How many modules there are."""
        return int(self.labels.max()) + 1

    @property
    def silhouette(self) -> float:
        """Mean silhouette at the number of modules that the rule chose; it is compared with that of nulls."""
        return float(self.silhouettes.mean())


def find_modules(distances: FloatArray, settings: Clustering) -> Modules:
    """Cluster nodes by their distances (m, m), symmetric with zero diagonal, into as many modules as the rule says.

    Raises:
        ValueError: there are too few nodes for a choice, or for the number that is set.
    """
    limit = len(distances) - 2
    if len(distances) < MIN_NODES:
        raise ValueError(
            f"{len(distances)} layers cannot be grouped into modules; keep at least {MIN_NODES} (ticket, layer)"
        )
    if settings.number is not None and settings.number > limit:
        raise ValueError(
            f"{len(distances)} layers cannot be grouped into {settings.number} modules; "
            f"set clustering.number to {limit} or less"
        )
    eigenvalues, embedding = laplacian(affinity(distances, settings))
    tried = range(2, min(settings.max_modules, limit) + 1)
    by_eigengap = int(np.diff(eigenvalues)[1 : tried[-1]].argmax()) + 2
    groupings = {number: cluster(embedding, number) for number in tried}
    mean_silhouettes = {number: float(silhouettes(distances, labels).mean()) for number, labels in groupings.items()}
    by_silhouette = max(mean_silhouettes, key=lambda number: mean_silhouettes[number])
    chosen = settings.number or (by_silhouette if settings.chooser == "silhouette" else by_eigengap)
    labels = groupings[chosen] if chosen in groupings else cluster(embedding, chosen)
    return Modules(labels, silhouettes(distances, labels), mean_silhouettes, eigenvalues, by_eigengap)


def affinity(distances: FloatArray, settings: Clustering) -> FloatArray:
    """Gaussian affinity (m, m), with one scale or with each node's own.

    ``median``: exp(-d^2 / 2 s^2), s the median distance. ``local``: exp(-d^2 / s_i s_j), s_i the distance to the
    ``neighbour``-th nearest node (Zelnik-Manor and Perona 2004, equation 3).
    """
    positive = distances[distances > 0]
    # Layers can be identical, as residual blocks that start at the identity are: no scale may be zero.
    least = float(positive.min()) if positive.size else 1.0
    if settings.affinity == "local":
        nearest = np.sort(distances, axis=1)[:, min(settings.neighbour, len(distances) - 1)]
        scales = np.maximum(nearest, least)
        exponent = distances**2 / (scales[:, None] * scales[None, :])
    else:
        scale = max(float(np.median(distances[np.triu_indices(len(distances), 1)])), least)
        exponent = distances**2 / (2 * scale**2)
    # The least affinity keeps the graph connected, which its eigenvectors need.
    result: FloatArray = np.maximum(np.exp(-exponent), 1e-12)
    return result


def laplacian(affinities: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of the symmetric normalised Laplacian, ascending, (m,), and the spectral embedding, (m, m).

    Column k of the embedding is the k-th eigenvector of the random walk on the affinities (Shi and Malik 2000), which
    never stays where it is.
    """
    walks = affinities * (1 - np.eye(len(affinities)))
    roots = np.sqrt(walks.sum(axis=1))
    values, vectors = np.linalg.eigh(np.eye(len(walks)) - walks / (roots[:, None] * roots[None, :]))
    return np.clip(values, 0, None), vectors / roots[:, None]


def cluster(embedding: FloatArray, number: int) -> Labels:
    """Spectral clustering into ``number`` groups, deterministic, numbered in order of appearance.

    Each node goes with the pivot, of ``number`` pivots, that its row of the embedding is nearest to once rotated
    (Damle, Minden and Ying 2019, algorithm 1). The result is that of scikit-learn's SpectralClustering with
    ``cluster_qr``, which would decompose the Laplacian anew for every number: with nulls, a job took 19.5 s instead of
    3.5.
    """
    from scipy.linalg import qr, svd

    vectors = embedding[:, :number]
    pivots = qr(vectors.T, pivoting=True)[2][:number]
    left, _, right = svd(vectors[pivots].T)
    return _in_order(np.abs(vectors @ (left @ right)).argmax(axis=1))


def silhouettes(distances: FloatArray, labels: Labels) -> FloatArray:
    """Silhouette of each node (Rousseeuw 1987), (m,); 0 for a module of one, -1 for all where there is one module.

    The same as scikit-learn's silhouette_samples without its checks, which take twenty times as long as the sum, for
    each number of modules of thousands of surrogates.
    """
    if not labels.any():
        return np.full(len(labels), -1.0)
    member = np.eye(int(labels.max()) + 1)[labels]
    sizes, nodes = member.sum(axis=0), np.arange(len(labels))
    total = distances @ member
    mean = total / sizes
    within = total[nodes, labels] / np.maximum(sizes[labels] - 1, 1)
    mean[nodes, labels] = np.inf
    nearest = mean.min(axis=1)
    widest = np.maximum(within, nearest)
    result = np.where((sizes[labels] > 1) & (widest > 0), (nearest - within) / np.where(widest > 0, widest, 1), 0)
    return np.asarray(result, dtype=np.float64)


def rand_index(first: Sequence[object], second: Sequence[object]) -> float:
    """Adjusted Rand index of two groupings of the same nodes (Hubert and Arabie 1985)."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score([str(group) for group in first], [str(group) for group in second]))


def agreement(labels: Labels, groups: Sequence[str], settings: Clustering) -> tuple[float, float]:
    """Adjusted Rand index of modules with given groups (layers, stages, tickets), and its permutation p value."""
    found = rand_index(groups, labels.tolist())
    draws = generator(settings.seed, "agreement")
    shuffled = [rand_index(groups, draws.permutation(labels).tolist()) for _ in range(settings.shuffles)]
    return found, (1 + sum(value >= found for value in shuffled)) / (1 + settings.shuffles)


def contiguity(labels: Labels, settings: Clustering) -> tuple[int, float]:
    """Number of runs of equal labels along depth, and the share of permutations with as few: small for contiguous."""
    found = _num_runs(labels)
    draws = generator(settings.seed, "contiguity")
    shuffled = [_num_runs(draws.permutation(labels)) for _ in range(settings.shuffles)]
    return found, (1 + sum(value <= found for value in shuffled)) / (1 + settings.shuffles)


def _num_runs(labels: Labels) -> int:
    return 1 + int(np.count_nonzero(np.diff(labels)))


def _in_order(labels: Labels) -> Labels:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
