"""Activations of a network's blocks on probe images. Their files belong to `representations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt import architectures
from dilt.batches import in_order
from dilt.checkpoints import Checkpoint
from dilt.datasets import Images
from dilt.devices import autocast

BATCH = 128


def extract(
    model: nn.Module,
    probes: Images,
    device: torch.device,
    precision: str,
    checkpoint: Checkpoint,
    layers: Sequence[str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Pooled outputs of every block, in depth order: layer name to (num_probes, num_features)."""
    saved, _ = checkpoint.load() or ({}, {})
    kept = {name: [torch.from_numpy(array)] for name, array in saved.items()}
    done = min((len(parts[0]) for parts in kept.values()), default=0)

    def keep(name: str) -> Any:
        return lambda module, inputs, output: kept.setdefault(name, []).append(pool(output, images))

    hooks = [module.register_forward_hook(keep(name)) for name, module in architectures.blocks(model, layers).items()]
    model.to(device).eval()
    with torch.no_grad(), autocast(device, precision):
        for images in in_order(probes, device, done, BATCH):
            model(images)
            if checkpoint.due():
                checkpoint.save(joined(kept), {})
    for hook in hooks:
        hook.remove()
    return joined(kept)


def joined(parts: Mapping[str, Sequence[Tensor]]) -> dict[str, NDArray[np.float32]]:
    """Batches of every layer as one array each."""
    return {name: torch.cat(list(batches)).numpy() for name, batches in parts.items()}


def features(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """What the head reads: (num_images, num_features)."""
    model.to(device).eval()
    with torch.no_grad(), autocast(device, precision):
        parts = [
            model.forward_head(model.forward_features(images), pre_logits=True).float().cpu()  # type: ignore[operator]
            for images in in_order(data, device)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


def pool(output: Any, images: Tensor) -> Tensor:
    """Mean over space or tokens of a block's output on images (batch, channels, height, width): (batch, features).

    An output is (batch, channels, height, width), (batch, height, width, channels), (batch, tokens, features) or
    (batch, features); of several tensors it is the first that has a row per image.
    """
    found = tensor(output, len(images))
    if found.ndim == 4:
        found = found.mean(dim=(1, 2) if channels_last(found, images) else (2, 3))
    elif found.ndim == 3:
        found = found.mean(dim=1)
    return found.float().cpu()


def tensor(output: Any, num_images: int) -> Tensor:
    """The output itself, or of several tensors the first that has a row per image.

    Raises:
        ValueError: there is none; such a module is no block.
    """
    several = output if isinstance(output, list | tuple) else [output]
    for found in several:
        if isinstance(found, Tensor) and found.ndim in (2, 3, 4) and len(found) == num_images:
            return found
    raise ValueError("representations.layers: a block's output has no row per image; name other blocks")


def channels_last(output: Tensor, images: Tensor) -> bool:
    """Whether four axes are (batch, height, width, channels), as of Swin: which neighbours are shaped as the images."""
    first, second, third = output.shape[1:]
    height, width = images.shape[2:]
    return abs(first * width - second * height) < abs(second * width - third * height)
