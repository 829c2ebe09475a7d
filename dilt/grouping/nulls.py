"""Nulls that the modules of a chain have to beat: smooth drift along depth, and another network's chain.

A null is a set of surrogates: distances between layers, each clustered exactly as the data are, including the choice of
how many modules. A surrogate is the geometric lag means of the chain times residuals that the null draws; a lag is how
many layers two layers are apart. Which chains are compared is left to `module_verdict`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import toeplitz

from dilt.foundations.randomness import generator
from dilt.grouping.clustering import FloatArray, find_modules
from dilt.settings.grouping import Clustering

LEVEL = 0.05  # of the test, as a p value
MARGIN = 0.05  # least gain in silhouette over the null that is worth a claim
ENOUGH = 10  # surrogates as good as the chain, after which its p value is known well enough
# Dimensions of the space of a smooth path: with more of them, the distances of one lag are more alike.
DIMENSIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)


@dataclass(frozen=True)
class Null:
    """How the modules of a chain compare with a null.

    Attributes:
        p: share of chain and surrogates with at least the chain's silhouette (sequential: Besag and Clifford 1991).
        gain: the chain's silhouette minus the surrogates' median.
    """

    p: float
    gain: float

    @property
    def beaten(self) -> bool:
        """Whether the modules beat the null: they are hardly chance (`LEVEL`), and clearly better (`MARGIN`)."""
        return self.p <= LEVEL and self.gain >= MARGIN


def smooth_drift(distances: FloatArray, settings: Clustering) -> Null:
    """Compare modules with smooth drift, in which the distance of two layers depends on their lag and on chance.

    Chance can be in the layers' places on a path (a displaced layer is displaced from all others) or in each distance
    by itself (residuals exchanged at random). Each null fits data of its own kind, and is too easy to beat for data of
    the other kind. Modules must beat both nulls. Returns the one that was not beaten, else the closer one.

    Args:
        distances: (L, L) of the layers of a chain in order of depth.
    """
    by_path = path_drift(distances, settings)
    if not by_path.beaten:
        return by_path
    by_exchange = exchangeable_drift(distances, settings)
    return max(by_path, by_exchange, key=lambda null: (not null.beaten, null.p, -null.gain))


def path_drift(distances: FloatArray, settings: Clustering) -> Null:
    """Compare modules with chains of `smooth_path`."""
    path = smooth_path(distances, generator(settings.seed, "path"))
    return _hold_against(distances, path, settings, "path")


def exchangeable_drift(distances: FloatArray, settings: Clustering) -> Null:
    """Compare modules with lag means times the chain's own residuals, put at random places."""
    own = residuals(distances)
    return _hold_against(distances, lambda draws: exchange(own, draws), settings, "exchange")


def other_chain(distances: FloatArray, other: FloatArray, settings: Clustering) -> Null:
    """Compare modules with the residuals of another network's chain, plus differences put at random places."""
    others = residuals(other)
    difference = residuals(distances) - others
    return _hold_against(distances, lambda draws: others + exchange(difference, draws), settings, "other")


def residuals(distances: FloatArray) -> FloatArray:
    """Logs of a chain's distances without the mean of each lag, (L, L), symmetric; zero on the diagonal.

    Distances of zero count as the least positive one: layers can be identical.
    """
    logs = _logs(distances)
    return np.asarray(logs - toeplitz(_lag_means(logs)))


def exchange(values: FloatArray, draws: np.random.Generator) -> FloatArray:
    """Residuals (L, L) put at random places, symmetric; the one of the largest lag, zero by construction, stays.

    Around their own mean, a lag's n residuals have (n - 1)/n of the true variance; they are scaled up for that.
    """
    num_layers = len(values)
    rows, columns = np.triu_indices(num_layers, 1)
    kept = columns - rows < num_layers - 1
    rows, columns = rows[kept], columns[kept]
    count = num_layers - (columns - rows)
    pool = values[rows, columns] * np.sqrt(count / (count - 1))
    result: FloatArray = np.zeros((num_layers, num_layers))
    result[rows, columns] = draws.permutation(pool)
    return result + result.T


def smooth_path(distances: FloatArray, draws: np.random.Generator) -> Callable[[np.random.Generator], FloatArray]:
    """A function that draws residuals (L, L) of random paths, which drift and deviate from drift as a chain does.

    Squared distances of lag l are c + a l^(2 b) on average: fractional Brownian motion (Mandelbrot and Van Ness 1968)
    and independent noise of each layer. Dimensions are chosen so that the residuals vary as the chain's do.
    """
    num_layers = len(distances)
    centring = np.eye(num_layers) - 1 / num_layers
    values, vectors = np.linalg.eigh(-0.5 * centring @ toeplitz(_variogram(np.exp(2 * _logs(distances)))) @ centring)
    factor = vectors * np.sqrt(np.clip(values, 0, None))

    def draw(dimensions: int, draws: np.random.Generator) -> FloatArray:
        places = factor @ draws.normal(size=(num_layers, dimensions))
        return residuals(np.linalg.norm(places[:, None] - places[None, :], axis=-1))

    spread = np.array([np.mean([np.square(draw(p, draws)).sum() for _ in range(10)]) for p in DIMENSIONS])
    wanted = max(np.square(residuals(distances)).sum(), 1e-12)
    dimensions = DIMENSIONS[int(np.abs(np.log(spread / wanted)).argmin())]
    return lambda draws: draw(dimensions, draws)


def _hold_against(
    distances: FloatArray, draw: Callable[[np.random.Generator], FloatArray], settings: Clustering, name: str
) -> Null:
    """Compare the chain's silhouette with those of surrogates, which are its lag means times drawn residuals."""
    observed = find_modules(distances, settings).silhouette
    drift = toeplitz(_lag_means(_logs(distances)))
    found: list[float] = []
    reached = 0
    while len(found) < settings.shuffles and reached < ENOUGH:
        surrogate = np.exp(drift + draw(generator(settings.seed, "null", name, len(found))))
        np.fill_diagonal(surrogate, 0)
        found.append(find_modules(surrogate, settings).silhouette)
        reached += found[-1] >= observed
    p = reached / len(found) if reached == ENOUGH else (1 + reached) / (1 + len(found))
    return Null(p, observed - float(np.median(found)))


def _variogram(squares: FloatArray) -> FloatArray:
    """c + a l^(2 b) for every lag l, zero at 0, fitted to the logs of the lag means of squared distances, (L,)."""
    from scipy.optimize import least_squares

    lags = np.arange(1, len(squares))
    means = np.log(_lag_means(squares)[1:])
    weights = np.sqrt(len(squares) - lags)  # roots of the numbers of pairs of the lags

    def curve(q: FloatArray) -> FloatArray:
        return np.asarray(np.exp(q[0]) + np.exp(q[1]) * lags ** (2 * q[2]), dtype=np.float64)

    def misfit(q: FloatArray) -> FloatArray:
        return np.asarray(weights * (np.log(curve(q)) - means), dtype=np.float64)

    start = float(means[0])
    bounds = ([start - 15, start - 15, 0.02], [start + 10, start + 10, 1.0])
    fits = [least_squares(misfit, [start - 1.4, start - 0.7, b], bounds=bounds) for b in (0.3, 0.7, 0.95)]
    return np.concatenate([[0.0], curve(min(fits, key=lambda fit: float(fit.cost)).x)])


def _logs(distances: FloatArray) -> FloatArray:
    """Logs of distances, at least that of the least positive one; zero on the diagonal."""
    positive = distances[distances > 0]
    logs = np.log(np.maximum(distances, positive.min() if positive.size else 1.0))
    np.fill_diagonal(logs, 0)
    return np.asarray(logs)


def _lag_means(values: FloatArray) -> FloatArray:
    """Mean of each diagonal of a symmetric matrix, (L,)."""
    return np.array([np.diagonal(values, lag).mean() for lag in range(len(values))])
