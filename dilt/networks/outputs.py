"""What a trained network answers on a split, and how often it is right; `readings` is for several networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from dilt.data.batches import in_order
from dilt.data.prepared import Images
from dilt.networks.devices import autocast, memory_format


@dataclass(frozen=True)
class Score:
    """Accuracy (share of images) and mean cross-entropy (nats) on a number of images."""

    accuracy: float
    loss: float
    images: int


def logits(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """The network's outputs, shape (num_images, num_classes); it is moved to the device."""
    model.to(device, memory_format=memory_format(model, device))  # type: ignore[call-overload]
    return logits_there(model, data, device, precision)


def logits_there(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """As `logits`, of a network that is on the device."""
    model.eval()
    with torch.no_grad(), autocast(device, precision):
        outputs: NDArray[np.float32] = torch.cat(
            [model(images).float().cpu() for images in in_order(data, device)]
        ).numpy()
    return outputs


def score(outputs: NDArray[np.float32], labels: NDArray[np.int64]) -> Score:
    """Accuracy and loss of logits (num_images, num_classes)."""
    loss = functional.cross_entropy(torch.from_numpy(outputs), torch.from_numpy(np.array(labels)))
    return Score(float(correct(outputs, labels).mean()), float(loss), len(labels))


def correct(outputs: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """For each image 1 if its logits (num_images, num_classes) have the right class, else 0: (num_images,)."""
    right: NDArray[np.uint8] = (outputs.argmax(axis=1) == labels).astype(np.uint8)
    return right


def commonest_share(labels: NDArray[np.int64]) -> float:
    """Share of the commonest class: what a network gets that always names it."""
    return float(np.bincount(labels).max() / len(labels))
