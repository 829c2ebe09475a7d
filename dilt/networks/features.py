"""A network's features (what its head reads), and the tensor in a block's output, which `geometry.pooling` pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt.data.batches import in_order
from dilt.data.prepared import Images
from dilt.networks.devices import autocast, memory_format


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
