"""Activations of a network's blocks on probe images. Their files belong to `representations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt import models
from dilt.checkpoints import Checkpoint
from dilt.datasets import Images
from dilt.devices import autocast
from dilt.evaluation import batches

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
        return lambda module, inputs, output: kept.setdefault(name, []).append(pool(output))

    hooks = [module.register_forward_hook(keep(name)) for name, module in models.blocks(model, layers).items()]
    model.to(device).eval()
    with torch.no_grad(), autocast(device, precision):
        for images in batches(probes, device, done, BATCH):
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
            for images in batches(data, device)
        ]
    result: NDArray[np.float32] = torch.cat(parts).numpy()
    return result


def pool(output: Tensor) -> Tensor:
    """Mean over space of (batch, channels, height, width), over tokens of (batch, tokens, features)."""
    if output.ndim == 4:
        output = output.mean(dim=(2, 3))
    elif output.ndim == 3:
        output = output.mean(dim=1)
    return output.float().cpu()
