"""The pixels of many images, whether they lie in an array or are decoded when asked for.

Choosing some of them copies and decodes nothing. Decoding is left to `streams`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

EVALUATION_BATCH = 1024  # images at most


class Pixels(Protocol):
    """uint8 images (num_images, channels, height, width)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(num_images, channels, height, width)."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any, /) -> NDArray[np.uint8]:
        """The images at an array of indices, in its order."""


class Mapped:
    """All images of an array in a file, memory-mapped. A process that this object is sent to maps the file again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # As a plain array it is still mapped, but without the cost that a memmap adds to each access.
        self._array: NDArray[np.uint8] = np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))

    @property
    def shape(self) -> tuple[int, ...]:
        """(num_images, channels, height, width)."""
        return self._array.shape

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, indices: Any) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self._array[indices]
        return found

    def __reduce__(self) -> tuple[type[Mapped], tuple[Path]]:
        return Mapped, (self._file,)


class Chosen:
    """Some images of others, in the order of ``indices``."""

    def __init__(self, pixels: Pixels, indices: NDArray[np.int64]) -> None:
        self._pixels, self._indices = pixels, indices

    @property
    def shape(self) -> tuple[int, ...]:
        """(num_images, channels, height, width)."""
        return len(self._indices), *self._pixels.shape[1:]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, indices: Any) -> NDArray[np.uint8]:
        return self._pixels[self._indices[indices]]

    def origin(self, index: int) -> str:
        """What to call an image in a message."""
        return origin(self._pixels, int(self._indices[index]))

    def choose(self, indices: NDArray[np.int64]) -> Chosen:
        """Some of these images."""
        return Chosen(self._pixels, self._indices[indices])


def origin(pixels: Pixels, index: int) -> str:
    """What to call an image in a message: its file, or its number where it has none."""
    if isinstance(pixels, np.ndarray | Mapped):
        return f"image {index}"
    name: str = pixels.origin(index)  # type: ignore[attr-defined]
    return name


def choose(pixels: Pixels, indices: NDArray[np.int64]) -> Pixels:
    """Some images, in the order of ``indices``."""
    if isinstance(pixels, np.ndarray | Mapped):
        return Chosen(pixels, indices)
    chosen: Pixels = pixels.choose(indices)  # type: ignore[attr-defined]
    return chosen


def chunks(number: int, size: int) -> list[NDArray[np.int64]]:
    """The indices of ``number`` images in order, ``size`` at a time."""
    return [np.arange(start, min(start + size, number)) for start in range(0, number, size)]


def evaluation_batch(image_shape: Sequence[int], on_gpu: bool) -> int:
    """How many images (channels, height, width) to take at a time without gradients: fewer the larger they are."""
    side = 64 if on_gpu else 24  # images up to this side come in whole batches
    return max(1, min(EVALUATION_BATCH, EVALUATION_BATCH * side**2 // math.prod(image_shape[1:])))
