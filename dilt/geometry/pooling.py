"""Pooling: makes the features that are kept of blocks' outputs; `recording` takes outputs and stores features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dilt.foundations.randomness import generator
from dilt.settings.geometry import Representations

if TYPE_CHECKING:
    from dilt.networks.inspection import Layout

Pooling = Callable[[Tensor, "Layout"], Tensor]


def pooling(settings: Representations) -> Pooling:
    """The function that makes features (batch, features) from a block's output and the layout of its axes.

    The choices are those of ``representations.pooling``.
    """

    def projection(output: Tensor, layout: Layout) -> Tensor:
        return project(output.flatten(1), settings.projected_features)

    chosen: Mapping[str, Pooling] = {"mean": mean, "flat": flat, "tokens": tokens, "projection": projection}
    return chosen[settings.pooling]


def mean(output: Tensor, layout: Layout) -> Tensor:
    """Mean over space or tokens."""
    over = [axis for axis in range(1, output.ndim) if axis != layout.features]
    return output.mean(dim=over) if over else output.clone()


def tokens(output: Tensor, layout: Layout) -> Tensor:
    """Class and register tokens, one after the other, and the mean of the image's; of a block without any, `mean`."""
    if not layout.prefix:
        return mean(output, layout)
    own, others = output[:, : layout.prefix].flatten(1), output[:, layout.prefix :]
    return torch.cat([own, others.mean(dim=1)], dim=1) if others.shape[1] else own


def flat(output: Tensor, layout: Layout) -> Tensor:
    """Every number of the output; copied, since the network may go on to write to it."""
    return output.flatten(1).float().cpu().clone()


def project(flattened: Tensor, number: int) -> Tensor:
    """A random projection of (batch, features) to ``number`` features that keeps squared distances on average.

    A count sketch: each feature is added to, or taken from, one place drawn at random (Charikar et al. 2002; Weinberger
    et al. 2009). It takes no matrix, and follows from the numbers of features alone, so that layers of any network are
    projected alike.
    """
    width = flattened.shape[1]
    draws = generator(0, "projection", width, number)
    place = torch.from_numpy(draws.integers(0, number, width)).to(flattened.device)
    sign = torch.from_numpy(draws.integers(0, 2, width) * 2.0 - 1).to(flattened)
    result = flattened.new_zeros(len(flattened), number)
    return result.index_add_(1, place, flattened * sign)
