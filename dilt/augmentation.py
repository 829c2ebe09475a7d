"""Images as networks see them: normalised, and in training shifted and mirrored, in batches on the device.

Draws are stateless: how an image is moved in an epoch follows from (seed, order, epoch, image).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from dilt.datasets import Images
from dilt.randomness import generator

REACH = 8  # images are shifted by up to this fraction of their side


def normalise(pixels: Tensor, data: Images) -> Tensor:
    """uint8 (batch, channels, height, width) to float with the training split's mean 0 and standard deviation 1."""
    mean, std = _statistics(data.mean, data.std, pixels.device)
    return (pixels.float() / 255 - mean) / std


@cache
def _statistics(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """On the device once: a copy in every step would make the host wait for a GPU."""
    shape = (1, -1, 1, 1)
    return torch.tensor(mean, device=device).view(shape), torch.tensor(std, device=device).view(shape)


def draw_moves(
    augmentation: str, data: Images, seed: int, order: str, epoch: int, device: torch.device
) -> Tensor | None:
    """Shift down, shift right and mirror of each image in an epoch, (num_images, 3); None without augmentation."""
    if augmentation == "none":
        return None
    draws = generator(seed, "augment", order, epoch)
    reaches = [max(1, side // REACH) for side in data.image_shape[1:]]
    shifts = [draws.integers(-reach, reach + 1, len(data)) for reach in reaches]
    mirrored = draws.integers(0, 2 if augmentation == "crop-flip" else 1, len(data))
    return torch.from_numpy(np.stack([*shifts, mirrored], axis=1)).to(device)


def move(images: Tensor, moves: Tensor) -> Tensor:
    """Normalised images (batch, channels, height, width), moved; the mean colour comes in at the edge."""
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
