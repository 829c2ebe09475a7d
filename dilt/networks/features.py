"""A network's features (what its head reads), and the tensor in a block's output, which `geometry.pooling` pools."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt.data.prepared import Images
from dilt.networks import readings
from dilt.settings.evaluation import CLEAN


def features(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """What the head reads: (num_images, num_features)."""
    (found,) = readings.read([(model, readings.features)], data, device, precision)
    return found[CLEAN][0]


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
