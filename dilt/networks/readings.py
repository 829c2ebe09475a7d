"""What several networks answer to the images of a split, side by side: each batch is read once, and prepared once.

`outputs` has what one network answers, `shells` networks to show images to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dilt.data.augmentation import normalise
from dilt.data.batches import Feed, in_order
from dilt.data.prepared import Images
from dilt.networks.devices import autocast, memory_format
from dilt.settings.evaluation import CLEAN
from dilt.sources.pixels import chunks, evaluation_batch

# What is read of a network for a batch of normalised images: tensors with a row per image.
Reader = Callable[[nn.Module, Tensor], tuple[Tensor, ...]]
# Changes uint8 images (batch, channels, height, width); ``places`` are theirs in the split, (batch,).
Corruption = Callable[..., Tensor]
# The arrays of a reader, (num_images, ...), by the corruption of the images.
Reading = dict[str, tuple[NDArray[np.float32], ...]]
AS_THEY_ARE: Mapping[str, Corruption] = {CLEAN: lambda pixels, places: pixels}


def outputs(model: nn.Module, images: Tensor) -> tuple[Tensor]:
    """What the network answers: (batch, num_classes)."""
    return (model(images),)


def features(model: Any, images: Tensor) -> tuple[Tensor]:
    """What its head reads: (batch, num_features)."""
    return (model.forward_head(model.forward_features(images), pre_logits=True),)


def features_and_outputs(model: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Both, by one pass: networks of timm answer with what their head makes of their features."""
    found = model.forward_features(images)
    return model.forward_head(found, pre_logits=True), model.forward_head(found)


def read(
    networks: Sequence[tuple[nn.Module, Reader]],
    data: Images,
    device: torch.device,
    precision: str,
    corruptions: Mapping[str, Corruption] = AS_THEY_ARE,
) -> list[Reading]:
    """What is read of each network, for every corruption of the images; networks are moved to the device.

    Args:
        networks: each with what to read of it.
        corruptions: by name, such as `data.corruptions.corrupting` gives them.
    """
    if not networks:
        return []
    for model, _ in networks:
        model.to(device, memory_format=memory_format(model, device)).eval()  # type: ignore[call-overload]
    places = chunks(len(data), evaluation_batch(data.image_shape, device.type != "cpu"))
    found: list[dict[str, list[tuple[Tensor, ...]]]] = [{name: [] for name in corruptions} for _ in networks]
    with torch.no_grad():
        for chosen, pixels in zip(places, Feed(data, device).batches(places), strict=True):
            for name, corrupted in corruptions.items():
                images = normalise(corrupted(pixels, places=chosen), data)
                with autocast(device, precision):
                    for (model, reader), parts in zip(networks, found, strict=True):
                        parts[name].append(tuple(part.float().cpu() for part in reader(model, images)))
    return [
        {name: tuple(torch.cat(part).numpy() for part in zip(*several, strict=True)) for name, several in parts.items()}
        for parts in found
    ]


def recalibrate(models: Sequence[nn.Module], data: Images, device: torch.device) -> None:
    """Measure batch-norm statistics anew on training images, since a mask or an assembly shifts them."""
    found = {model: [module for module in model.modules() if isinstance(module, _BatchNorm)] for model in models}
    normalising = [model for model, norms in found.items() if norms]
    for model in normalising:
        for norm in found[model]:
            norm.reset_running_stats()
            norm.momentum = None  # the average over all batches
        model.to(device).train()
    if normalising:
        with torch.no_grad():
            for images in in_order(data, device):
                for model in normalising:
                    model(images)
