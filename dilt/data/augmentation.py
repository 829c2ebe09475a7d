"""Images as networks see them: normalised, and in training shifted or cropped, and mirrored, in batches on the device.

Draws are stateless: how an image is moved in an epoch follows from (seed, order, epoch, image).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from dilt.data.prepared import Images
from dilt.foundations.randomness import generator
from dilt.settings.training import Views

REACH = 8  # images are shifted by up to this fraction of their side
# For a resized crop (Szegedy et al. 2015, arXiv 1409.4842, as torchvision draws it): width to height, and how often a
# crop that does not fit is drawn anew before the whole image is taken.
RATIO, ATTEMPTS = (3 / 4, 4 / 3), 10


def normalise(pixels: Tensor, data: Images) -> Tensor:
    """uint8 (batch, channels, height, width) to float; the training split gets mean 0 and standard deviation 1."""
    mean, std = _statistics(data.mean, data.std, pixels.device)
    return (pixels.float() / 255 - mean) / std


def denormalise(images: Tensor, data: Images) -> Tensor:
    """Normalised images as uint8 again, of the same shape."""
    mean, std = _statistics(data.mean, data.std, images.device)
    return (255 * (images * std + mean)).round_().clamp_(0, 255).to(torch.uint8)


@cache
def _statistics(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and deviation, copied to the device once: a copy in every step would make the host wait for a GPU."""
    shape = (1, -1, 1, 1)
    return torch.tensor(mean, device=device).view(shape), torch.tensor(std, device=device).view(shape)


def draw_moves(settings: Views, data: Images, seed: int, order: str, epoch: int, device: torch.device) -> Tensor | None:
    """How each image moves in an epoch; None without augmentation.

    Returns:
        int64 (num_images, 3): shift down, shift right, mirror (0 or 1). For resized crops float32 (num_images, 5): top,
        left, height, width as fractions of the image's, mirror.
    """
    augmentation = settings.augmentation
    if augmentation == "none":
        return None
    draws = generator(seed, "augment", order, epoch)
    if augmentation == "resized-crop":
        height, width = data.image_shape[1:]
        return torch.from_numpy(_draw_crops(draws, len(data), width / height, settings.smallest_crop)).to(device)
    reaches = [max(1, side // REACH) for side in data.image_shape[1:]]
    shifts = [draws.integers(-reach, reach + 1, len(data)) for reach in reaches]
    mirrored = draws.integers(0, 2 if augmentation == "crop-flip" else 1, len(data))
    return torch.from_numpy(np.stack([*shifts, mirrored], axis=1)).to(device)


def move(images: Tensor, moves: Tensor) -> Tensor:
    """Normalised images (batch, channels, height, width) moved as `draw_moves` drew it, of the same size."""
    return _crop(images, moves) if moves.is_floating_point() else _shift(images, moves)


def _draw_crops(draws: np.random.Generator, number: int, aspect: float, smallest: float) -> NDArray[np.float32]:
    """Crops (number, 5) of images of ``aspect``, width to height, of at least the ``smallest`` share of the area."""
    crops = np.zeros((number, 5))
    crops[:, 2:4] = 1
    waiting = np.ones(number, dtype=bool)
    for _ in range(ATTEMPTS):
        area, ratio, top, left = draws.random((4, number))
        area = smallest + (1 - smallest) * area
        ratio = RATIO[0] * (RATIO[1] / RATIO[0]) ** ratio / aspect  # height and width are fractions of the image's
        height, width = np.sqrt(area / ratio), np.sqrt(area * ratio)
        fitting = waiting & (height <= 1) & (width <= 1)
        drawn = np.stack([top * (1 - height), left * (1 - width), height, width], axis=1)
        crops[fitting, :4] = drawn[fitting]
        waiting &= ~fitting
    crops[:, 4] = draws.integers(0, 2, number)
    return crops.astype(np.float32)


def _crop(images: Tensor, crops: Tensor) -> Tensor:
    """Crops (batch, 5) of images, each enlarged to the whole, bilinearly; none is made smaller, which would alias."""
    batch, _, height, width = images.shape
    top, left, tall, wide, mirrored = crops[:, :, None].unbind(1)
    across, down = (_centres(side, images.device) for side in (width, height))
    columns = 2 * left + wide - 1 + torch.where(mirrored > 0, -wide, wide) * across
    rows = 2 * top + tall - 1 + tall * down
    shape = batch, height, width
    grid = torch.stack([columns[:, None, :].expand(shape), rows[:, :, None].expand(shape)], dim=-1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _centres(side: int, device: torch.device) -> Tensor:
    """Where pixels lie, in units in which the image reaches from -1 to 1: (side,)."""
    return (2 * torch.arange(side, device=device) + 1) / side - 1


def _shift(images: Tensor, moves: Tensor) -> Tensor:
    """Images shifted and mirrored by moves (batch, 3); the mean colour comes in at the edge."""
    batch, _, height, width = images.shape
    rows = torch.arange(height, device=images.device) - moves[:, :1]
    columns = torch.arange(width, device=images.device)
    columns = torch.where(moves[:, 2:] > 0, width - 1 - columns, columns) - moves[:, 1:2]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    picked = images[
        torch.arange(batch, device=images.device)[:, None, None],
        :,
        rows.clamp(0, height - 1)[:, :, None],
        columns.clamp(0, width - 1)[:, None, :],
    ]
    return picked.permute(0, 3, 1, 2) * inside[:, None]
