"""Linear heads on frozen features: fitted by scikit-learn, put in the place of a network's head, and run on images.

The strength of their regularisation is chosen on validation data.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from dilt.data.prepared import Images
from dilt.networks.architectures import classifiers
from dilt.networks.features import features

TOLERANCE = 1e-4
Features = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LinearHead:
    """A fitted head and the inverse regularisation strength that validation data chose."""

    pipeline: Any
    penalty: float

    def accuracy(self, features: Features, labels: Labels) -> float:
        """Share of images classified right."""
        return float(self.pipeline.score(features, labels))

    def layer(self) -> tuple[Features, Features]:
        """The head as a linear layer on features as they are: weight (num_classes, num_features), bias (num_classes,).

        The class with the largest output is its answer.
        """
        scaler, regression = (step for _, step in self.pipeline.steps)
        weight = regression.coef_ / scaler.scale_
        bias = regression.intercept_ - weight @ scaler.mean_
        if len(weight) == 1:  # for two classes scikit-learn gives only the second's output; the first's is zero
            weight, bias = np.vstack([np.zeros_like(weight), weight]), np.append(0.0, bias)
        return weight, bias


def fit_linear_head(
    features: Features,
    labels: Labels,
    validation_features: Features,
    validation_labels: Labels,
    penalties: Sequence[float],
) -> LinearHead:
    """Multinomial logistic regression on standardised features, gradient norm below ``TOLERANCE``.

    Args:
        features: (num_images, num_features); labels: (num_images,).
        penalties: inverse strengths to choose from; of equally good ones the smallest is taken, which regularises most.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    best: tuple[float, LinearHead] | None = None
    for penalty in sorted(penalties):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, tol=TOLERANCE, max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                pipeline.fit(features, labels)
            except ConvergenceWarning:
                print(f"linear head with penalty {penalty} has not converged; not used", flush=True)
                continue
        head = LinearHead(pipeline, penalty)
        accuracy = head.accuracy(validation_features, validation_labels)
        if best is None or accuracy > best[0]:
            best = accuracy, head
    if best is None:
        raise ValueError(f"transfer.penalties: no linear head of {list(penalties)} converged; try smaller ones")
    return best[1]


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


def linear_head_logits(model: nn.Module, data: Images, device: torch.device, precision: str) -> NDArray[np.float32]:
    """Outputs of a linear head that `use_linear_head` has put in place: (num_images, num_classes).

    Features are computed in the precision given, like those that the head was fitted to. The head itself is computed in
    float32, as when it was fitted: in bfloat16, differences of large numbers would be lost in rounding.
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
