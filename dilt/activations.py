"""What is kept of the outputs of a network's blocks, and what its head reads. Storing it belongs to `recording`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt.batches import in_order
from dilt.datasets import Images
from dilt.devices import autocast, memory_format
from dilt.randomness import generator
from dilt.settings import Representations

if TYPE_CHECKING:
    from dilt.inspection import Layout

Pooling = Callable[[Tensor, "Layout"], Tensor]


def features(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """What the head reads: (num_images, num_features)."""
    model.to(device, memory_format=memory_format(model, device)).eval()  # type: ignore[call-overload]
    with torch.no_grad(), autocast(device, precision):
        parts = [
            model.forward_head(model.forward_features(images), pre_logits=True).float().cpu()  # type: ignore[operator]
            for images in in_order(data, device)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


def pooling(settings: Representations) -> Pooling:
    """What makes features (batch, features) of a block's output, given that and what its axes are.

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


def tensor(output: Any, num_images: int) -> Tensor:
    """The output itself, or of several tensors the first that has a row per image.

    Raises:
        ValueError: there is none; such a module is no block.
    """
    several = output if isinstance(output, list | tuple) else [output]
    for found in several:
        if has_rows(found, num_images):
            return found  # type: ignore[no-any-return]
    raise ValueError("representations.layers: a block's output has no row per image; name other blocks")


def has_rows(output: Any, num_images: int) -> bool:
    """Whether it is a tensor with a row per image."""
    return isinstance(output, Tensor) and output.ndim in (2, 3, 4) and len(output) == num_images
