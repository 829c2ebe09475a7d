"""What a trained network answers on a split as it is and on the same images corrupted, each batch read once.

`outputs` is for images as they are, in training and elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dilt.data.augmentation import normalise
from dilt.data.batches import Feed
from dilt.data.corruptions import corrupt
from dilt.data.prepared import Images
from dilt.networks.devices import autocast, memory_format
from dilt.settings.evaluation import CLEAN
from dilt.sources.pixels import chunks, evaluation_batch


def corrupted_logits(
    model: nn.Module, data: Images, corruptions: Sequence[str], severity: int, device: torch.device, precision: str
) -> dict[str, NDArray[np.float32]]:
    """The network's outputs (num_images, num_classes) by corruption, `CLEAN` first; under that they are `logits`'."""
    model.to(device, memory_format=memory_format(model, device)).eval()  # type: ignore[call-overload]
    places = chunks(len(data), evaluation_batch(data.image_shape, device.type != "cpu"))
    found: dict[str, list[torch.Tensor]] = {name: [] for name in (CLEAN, *corruptions)}
    with torch.no_grad():
        for chosen, pixels in zip(places, Feed(data, device).batches(places), strict=True):
            for name, outputs in found.items():
                images = normalise(corrupt(pixels, name, severity, chosen), data)
                with autocast(device, precision):
                    outputs.append(model(images).float().cpu())
    return {name: torch.cat(outputs).numpy() for name, outputs in found.items()}
