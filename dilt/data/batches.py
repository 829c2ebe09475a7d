"""Brings images in batches to the device that computes, as uint8; `augmentation` normalises them there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from dilt.data import workers
from dilt.data.augmentation import normalise
from dilt.data.policies import Changed
from dilt.data.prepared import Images
from dilt.sources.pixels import EVALUATION_BATCH, Pixels, chunks, evaluation_batch
from dilt.sources.streams import Streamed

RESIDENT_SHARE = 0.25  # share of a GPU's free memory that images may take


class Feed:
    """Gives out the images of a split in batches, in any order.

    Streamed images are decoded ahead by worker processes, which live as long as the feed; for a GPU they change images
    too, where a policy does.

    Args:
        data: the split.
        device: where batches are wanted. A GPU gets all images at once where they fit, so that no batch has to wait for
            the bus; else each batch is copied while the one before is computed on.
        changed: the same images as a policy changes them, if one does.
    """

    def __init__(self, data: Images, device: torch.device, changed: Changed | None = None) -> None:
        self._pixels: Any = data.pixels if changed is None else changed
        self._device = device
        self._resident: Tensor | None = None
        self._workers: workers.Workers | None = None
        on_gpu = device.type == "cuda"
        if isinstance(data.pixels, Streamed) or (changed and on_gpu):
            if workers.number():
                self._workers = workers.Workers(self._pixels, workers.number(), pinned=on_gpu)
        elif on_gpu and _fits(data.pixels, device):
            self._resident = _on_device(data.pixels, device)

    def batches(self, chosen: Iterable[Any]) -> Iterator[Tensor]:
        """A batch for each array of indices: uint8 (batch, channels, height, width).

        Args:
            chosen: the arrays; of changed images each with its epoch before it.
        """
        if self._resident is not None:
            for indices in chosen:
                yield self._resident[torch.from_numpy(indices).to(self._device, non_blocking=True)]
            return
        here = self._workers.batches(chosen) if self._workers else self._in_this_process(chosen)
        yield from here if self._device.type == "cpu" else _ahead(here, self._device)

    def _in_this_process(self, chosen: Iterable[Any]) -> Iterator[Tensor]:
        for indices in chosen:
            batch = torch.from_numpy(self._pixels[indices])
            yield batch if self._device.type == "cpu" else batch.pin_memory()


def in_order(data: Images, device: torch.device, first: int = 0, size: int = EVALUATION_BATCH) -> Iterator[Tensor]:
    """Normalised images from the ``first`` on, ``size`` at a time or fewer: (batch, channels, height, width)."""
    fitting = min(size, evaluation_batch(data.image_shape, device.type != "cpu"))
    for pixels in Feed(data, device).batches(first + indices for indices in chunks(len(data) - first, fitting)):
        yield normalise(pixels, data)


def reading_costs(data: Images, device: torch.device) -> bool:
    """Whether images are decoded or copied to a GPU each time that they are read."""
    return device.type != "cpu" or isinstance(data.pixels, Streamed)


def _fits(pixels: Pixels, device: torch.device) -> bool:
    """Whether all images may lie in a GPU's memory, beside the network's activations."""
    free, _ = torch.cuda.mem_get_info(device)
    return math.prod(pixels.shape) <= RESIDENT_SHARE * free


def _on_device(pixels: Pixels, device: torch.device) -> Tensor:
    """All images, copied in parts: they need not fit into the machine's memory."""
    resident = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for indices in chunks(len(pixels), EVALUATION_BATCH):
        resident[indices[0] : indices[-1] + 1] = torch.from_numpy(pixels[indices])
    return resident


def _ahead(batches: Iterable[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Batches in pinned memory copied to a GPU, each while the one before is in use."""
    coming: Tensor | None = None
    for batch in batches:
        copied = batch.to(device, non_blocking=True)
        if coming is not None:
            yield coming
        coming = copied
    if coming is not None:
        yield coming
