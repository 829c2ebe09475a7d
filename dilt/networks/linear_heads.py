"""Linear heads on frozen features: fitted, put in the place of a network's head, and read.

The strength of their regularisation is chosen on validation data. `logistic_regression` solves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dilt.networks import readings
from dilt.networks.architectures import classifiers
from dilt.networks.devices import autocast
from dilt.networks.logistic_regression import Solution, solve

TOLERANCE = 1e-4
Features = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LinearHead:
    """A fitted head, as a linear layer on features as they are. The class with the largest output is its answer.

    Attributes:
        weight: (num_classes, num_features), float64.
        bias: (num_classes,), float64.
        penalty: inverse regularisation strength that validation data chose.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    penalty: float

    def accuracy(self, features: Features, labels: Labels) -> float:
        """Share of images classified right."""
        answers = (features @ self.weight.T + self.bias).argmax(axis=1)
        return float((answers == labels).mean())


def fit_linear_head(
    features: Features,
    labels: Labels,
    validation_features: Features,
    validation_labels: Labels,
    penalties: Sequence[float],
    device: torch.device,
) -> LinearHead:
    """Multinomial logistic regression on standardised features, gradient norm below ``TOLERANCE``.

    Args:
        features: (num_images, num_features); labels: (num_images,).
        penalties: inverse strengths to choose from; of equally good ones the smallest is taken, which regularises most.
        device: where the problem is solved.

    Raises:
        ValueError: the search converged for none of the penalties.
    """
    best: tuple[float, LinearHead] | None = None
    with autocast(device, "float32"):  # on a GPU no TensorFloat-32, whatever features were computed in
        ready, mean, scale = standardised(torch.tensor(features, device=device))
        classes = torch.tensor(labels, device=device)
        for found in solve(ready, classes, int(labels.max()) + 1, sorted(penalties), TOLERANCE):
            if found.slope > TOLERANCE:
                print(f"linear head with penalty {found.penalty} has not converged; not used", flush=True)
                continue
            head = _head(found, mean, scale)
            accuracy = head.accuracy(validation_features, validation_labels)
            if best is None or accuracy > best[0]:
                best = accuracy, head
    if best is None:
        raise ValueError(f"transfer.penalties: no linear head of {list(penalties)} converged; try smaller ones")
    return best[1]


def standardised(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features (num_images, num_features) of mean zero and variance one, computed in place; mean and scale, float64.

    A feature that is constant but for rounding keeps its scale.
    """
    mean = features.mean(dim=0, dtype=torch.float64)
    features -= mean.to(features.dtype)
    scale = torch.linalg.vector_norm(features, dim=0, dtype=torch.float64) / len(features) ** 0.5
    scale[scale <= 10 * torch.finfo(features.dtype).eps * mean.abs()] = 1
    features /= scale.to(features.dtype)
    return features, mean, scale


def _head(found: Solution, mean: Tensor, scale: Tensor) -> LinearHead:
    weight = found.weight / scale
    bias = found.intercept - weight @ mean
    if len(weight) == 1:  # of two classes only the second has an output
        weight, bias = functional.pad(weight, (0, 0, 1, 0)), functional.pad(bias, (1, 0))
    return LinearHead(weight.cpu().numpy(), bias.cpu().numpy(), found.penalty)


def use_linear_head(model: nn.Module, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    """Put a linear layer in the place of a network's head, or of both heads that a distilled network has.

    Args:
        weight: (num_classes, num_features), of the features that the head reads; bias: (num_classes,).

    Raises:
        ValueError: the head has no linear layer of this shape.
    """
    for layer in _required(model, weight.shape):
        own = torch.from_numpy(weight).reshape(layer.weight.shape)
        layer.load_state_dict({"weight": own, "bias": torch.from_numpy(bias)})


def linear_head_outputs(model: nn.Module, images: Tensor, num_classes: int) -> tuple[Tensor]:
    """Reads a network with a linear head that `use_linear_head` has put in place: outputs (batch, num_classes).

    The head is computed in float32, as when it was fitted, whatever its features are computed in: in bfloat16,
    differences of large numbers would be lost in rounding.
    """
    features = readings.features(model, images)[0].float().cpu()
    layer = _required(model, (num_classes, features.shape[1]))[0].cpu()
    with torch.autocast("cpu", enabled=False):
        return (functional.linear(features, layer.weight.flatten(1), layer.bias),)


def _required(model: nn.Module, shape: tuple[int, ...]) -> list[nn.Linear | nn.Conv2d]:
    found = classifiers(model, shape)
    if not found:
        raise ValueError(
            f"transfer.protocols: linear: the model's head has no linear layer from {shape[1]} features to "
            f"{shape[0]} classes; leave linear out, or choose another model"
        )
    return found
