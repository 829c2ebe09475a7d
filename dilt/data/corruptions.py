"""Corruptions of images in the manner of ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261), for any size.

Strengths are shares of the range of pixel values or of the image's side, so that the same severity means much the same
for images of 8 pixels and of 224. Draws are stateless: the noise on an image follows from its place in its split, and
is the same for all networks, seeds and batches. Blur is written out here, since importing torchvision takes longer than
most evaluations of small networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dilt.foundations.randomness import generator
from dilt.settings.evaluation import CLEAN

REACH = 3  # standard deviations of a Gaussian that is cut off there
LEAST_BLUR = 0.4  # pixels: less would not reach the next pixel


def corrupt(pixels: Tensor, corruption: str, severity: int, places: NDArray[np.int64]) -> Tensor:
    """Images with a corruption, rounded to uint8 as images are stored.

    Args:
        pixels: uint8 (batch, channels, height, width); so is what is returned.
        corruption: `CLEAN`, or one of `STRENGTHS`.
        severity: 1 to 5.
        places: of the images in their split, (batch,).
    """
    if corruption == CLEAN:
        return pixels
    strength = STRENGTHS[corruption][severity - 1]
    corrupted = CORRUPTIONS[corruption](pixels.float() / 255, strength, places)
    return (255 * corrupted).round().clamp(0, 255).to(torch.uint8)


def corrupting(corruptions: Sequence[str], severity: int) -> dict[str, Callable[..., Tensor]]:
    """`corrupt` by the name of each corruption, `CLEAN` first: functions of pixels and their ``places``."""
    return {name: partial(corrupt, corruption=name, severity=severity) for name in (CLEAN, *corruptions)}


def _noise(images: Tensor, strength: float, places: NDArray[np.int64]) -> Tensor:
    """Gaussian noise; ``strength`` is its standard deviation."""
    shape = images.shape[1:]
    drawn = [generator(0, "noise", int(place)).standard_normal(shape, dtype=np.float32) for place in places]
    return images + strength * torch.from_numpy(np.stack(drawn)).to(images.device)


def _blur(images: Tensor, strength: float, places: NDArray[np.int64]) -> Tensor:
    """Gaussian blur of `LEAST_BLUR` and, as a share of the shorter side, ``strength``; edges are continued.

    In double precision, so that images come out the same whether or not a GPU's products may be less exact.
    """
    height, width = images.shape[2:]
    spread = LEAST_BLUR + strength * min(height, width)
    across, down = (_gaussian(side, spread).to(images.device) for side in (width, height))
    return down @ images.double() @ across.T


def _gaussian(side: int, spread: float) -> Tensor:
    """What each pixel of a line takes from each, (side, side): a Gaussian, what lies beyond the ends at the ends."""
    reach = math.ceil(REACH * spread)
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-0.5 * (offsets.double() / spread) ** 2)
    weights = weights / weights.sum()
    places = (torch.arange(side)[:, None] + offsets).clamp(0, side - 1)
    taken = torch.zeros(side, side, dtype=torch.float64)
    return taken.scatter_add(1, places, weights.expand(side, -1))


def _brightness(images: Tensor, strength: float, places: NDArray[np.int64]) -> Tensor:
    """All pixels brighter by ``strength``."""
    return images + strength


def _contrast(images: Tensor, strength: float, places: NDArray[np.int64]) -> Tensor:
    """Differences from each channel's mean over the image shrunk to the share ``strength``."""
    mean = images.mean(dim=(2, 3), keepdim=True)
    return mean + strength * (images - mean)


def _pixelate(images: Tensor, strength: float, places: NDArray[np.int64]) -> Tensor:
    """Mean colours of fewer, larger squares; ``strength`` is their number along a side as a share of the pixels'."""
    sides = images.shape[2:]
    fewer = [max(1, round(strength * side)) for side in sides]
    return functional.interpolate(functional.interpolate(images, fewer, mode="area"), sides, mode="nearest-exact")


# Each kind, and its strengths at severities 1 to 5. Those of brightness and pixelate are ImageNet-C's, those of
# contrast CIFAR-10-C's; noise lies between the two. Blur has deviations of .6 to 1.4 pixels for sides of 32
# (CIFAR-10-C: .4 to 1) and of 1.5 to 7 for sides of 224 (ImageNet-C: 1 to 6).
CORRUPTIONS: dict[str, Callable[[Tensor, float, NDArray[np.int64]], Tensor]] = {
    "noise": _noise,
    "blur": _blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "pixelate": _pixelate,
}
STRENGTHS: dict[str, tuple[float, float, float, float, float]] = {
    "noise": (0.04, 0.08, 0.12, 0.18, 0.26),
    "blur": (0.005, 0.01, 0.015, 0.02, 0.03),
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
    "pixelate": (0.6, 0.5, 0.4, 0.3, 0.25),
}
