"""Batches of images on their way to the device that computes: uint8 there, normalised by `augmentation`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dilt.augmentation import normalise
from dilt.datasets import Images

EVALUATION_BATCH = 1024


class Feed:
    """Gives out the images of a split in batches, in any order.

    Args:
        data: the split; its pixels may be memory-mapped.
        device: where batches are wanted. A GPU gets all images at once, so that no batch has to wait for the bus.
    """

    def __init__(self, data: Images, device: torch.device) -> None:
        self._data, self._device = data, device
        self._resident = torch.from_numpy(np.array(data.pixels)).to(device) if device.type == "cuda" else None

    def batches(self, chosen: Iterable[NDArray[np.int64]]) -> Iterator[Tensor]:
        """A batch for each array of indices: uint8 (batch, channels, height, width)."""
        for indices in chosen:
            if self._resident is None:
                yield torch.from_numpy(self._data.pixels[indices])
            else:
                yield self._resident[torch.from_numpy(indices).to(self._device, non_blocking=True)]


def in_order(data: Images, device: torch.device, first: int = 0, size: int = EVALUATION_BATCH) -> Iterator[Tensor]:
    """Normalised images from the ``first`` on, ``size`` at a time: (batch, channels, height, width)."""
    starts = range(first, len(data), size)
    for pixels in Feed(data, device).batches(np.arange(start, min(start + size, len(data))) for start in starts):
        yield normalise(pixels, data)
