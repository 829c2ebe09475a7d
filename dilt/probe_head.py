"""A linear probe in the place of a network's head, and what it answers.

Fitting it belongs to `probing`; the features that it reads are `activations`'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from dilt.activations import features
from dilt.architectures import classifiers
from dilt.datasets import Images


def use_probe(model: nn.Module, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    """Make a probe the network's head; both of them where a distilled network has two, of which it takes the mean.

    Args:
        weight: (num_classes, num_features), of the features that the head reads; bias: (num_classes,).

    Raises:
        ValueError: the head has no linear layer of this shape.
    """
    for layer in _required(model, weight.shape):
        own = torch.from_numpy(weight).reshape(layer.weight.shape)
        layer.load_state_dict({"weight": own, "bias": torch.from_numpy(bias)})


def probe_logits(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """What a probe that `use_probe` made the head answers: (num_images, num_classes).

    Features are computed in the precision given, as those that the probe was fitted to; what it makes of them is
    computed in float32, as by the probe itself: in bfloat16 differences of large numbers would be left to chance.
    """
    read = features(model, data, device, precision)
    layer = _required(model, (len(data.classes), read.shape[1]))[0].cpu()
    with torch.no_grad():
        weight = layer.weight.flatten(1)
        outputs: NDArray[np.float32] = functional.linear(torch.from_numpy(read), weight, layer.bias).numpy()
    return outputs


def _required(model: nn.Module, shape: tuple[int, ...]) -> list[nn.Linear | nn.Conv2d]:
    found = classifiers(model, shape)
    if not found:
        raise ValueError(
            f"transfer.protocols: linear: the model's head has no linear layer from {shape[1]} features to "
            f"{shape[0]} classes; leave linear out, or choose another model"
        )
    return found
