"""Error barriers on the straight line between two trained networks, as instability analysis has them.

From Frankle et al. 2020 (arXiv 1912.05671, section 2). Pure functions on arrays. `lines` scores the networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilt.foundations.storage import Tensors

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Errors and losses on the line between two networks.

    Siblings have classes and images in common. Two partitions have not: the network on the line gets the head of the
    partition whose images it is asked about, and the images of each count by the share that its own network has there.
    So each end is a network on its own classes, the middle is the mean over both, and for networks with images in
    common it is the plain error.

    Attributes:
        kind: ``siblings`` or ``partitions``.
        first, second: the trajectories whose networks are the ends.
        alphas: (points,), from 0 (the first network) to 1 (the second), equally far apart.
        errors: (2, points), shares of the first's images, and of the second's, that are classified wrongly.
        losses: (2, points), mean cross-entropies in nats.
        images: number of images, of both together where they differ.
    """

    kind: str
    first: str
    second: str
    alphas: Floats
    errors: Floats
    losses: Floats
    images: int

    @property
    def error(self) -> Floats:
        """Of both, each by its network's share: (points,)."""
        return weighed(self.errors, self.alphas)

    @property
    def loss(self) -> Floats:
        """Of both, each by its network's share: (points,), in nats."""
        return weighed(self.losses, self.alphas)

    def rows(self) -> list[dict[str, Any]]:
        """A row per point: alpha, error and loss, and the errors on the first's and the second's images."""
        columns = {"alpha": self.alphas, "error": self.error, "loss": self.loss}
        columns |= {"error_first": self.errors[0], "error_second": self.errors[1]}
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [self._address() | dict(zip(columns, row, strict=True)) for row in values]

    def barriers(self) -> dict[str, Any]:
        """The barriers of error (percentage points) and loss (nats), and the points that the average loses."""
        return self._address() | {
            "images": self.images,
            "error_barrier_points": 100 * barrier(self.error, self.alphas),
            "average_points": 100 * float(rise(self.error, self.alphas)[len(self.alphas) // 2]),
            "loss_barrier": barrier(self.loss, self.alphas),
        }

    def _address(self) -> dict[str, str]:
        return {"kind": self.kind, "first": self.first, "second": self.second}


def weighed(values: ArrayLike, alphas: Floats) -> Floats:
    """Values (2, points) of two partitions' images, each by the share of its own network: (points,)."""
    first, second = np.asarray(values, dtype=np.float64)
    together: Floats = (1 - alphas) * first + alphas * second
    return together


def rise(values: Floats, alphas: Floats) -> Floats:
    """By how much values (points,) lie above the straight line from the first to the last of them: (points,)."""
    above: Floats = values - weighed([np.full_like(values, values[0]), np.full_like(values, values[-1])], alphas)
    return above


def barrier(values: Floats, alphas: Floats) -> float:
    """The largest rise of values (points,) above the straight line between the ends; zero or more.

    Frankle et al. take the largest value minus the mean of both ends, which is the same where the ends are equal. Where
    one end is worse than the other, this does not count as a barrier here.
    """
    return float(rise(values, alphas).max())


def between(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]], alpha: float, kept: tuple[str, ...] = ()
) -> Tensors:
    """The network at ``alpha`` of the line: (1 - alpha) first + alpha second, weights and buffers alike.

    Args:
        kept: prefixes of names, such as a head's, of tensors that are the first's all along. Whole numbers, such as
            counters of batch norms, are so too.
    """
    return {
        name: array
        if name.startswith(kept) or not np.issubdtype(array.dtype, np.floating)
        else ((1 - alpha) * array + alpha * second[name]).astype(array.dtype)
        for name, array in first.items()
    }
