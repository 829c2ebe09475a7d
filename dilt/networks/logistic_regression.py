"""Multinomial logistic regression with an L2 penalty, on the device that has the features.

The optimum is that of scikit-learn's `LogisticRegression`. SciPy's L-BFGS looks for it, but in coordinates in which the
loss is about equally curved in all directions, so that it takes a tenth of the steps or fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

MOST_STEPS = 1000
CHUNK = 2**22  # outputs, of images x classes, that are computed at a time


@dataclass(frozen=True)
class Solution:
    """What was found for one penalty.

    Attributes:
        weight: (num_outputs, num_features), float64; intercept: (num_outputs,), float64. There is an output per class;
            of two classes only the second has one, and the first's is zero.
        slope: largest entry of the loss's gradient, by its absolute value.
        evaluations: of the loss and its gradient.
    """

    penalty: float
    weight: Tensor
    intercept: Tensor
    slope: float
    evaluations: int


def solve(
    features: Tensor, labels: Tensor, num_classes: int, penalties: Sequence[float], tolerance: float
) -> Iterator[Solution]:
    """Minimise mean cross-entropy + |weight|^2 / (2 x penalty x num_images), for each penalty from the solution before.

    Products with features are computed in their precision, the loss is summed in float64.

    Args:
        features: (num_images, num_features), of mean zero; labels: (num_images,), on the same device.
        penalties: inverse strengths. From small to large each solution is near to the one before.
        tolerance: of the slope, below which a search ends; one that ends above has not converged.
    """
    loss = _Loss(features, labels, num_classes)
    weight = torch.zeros(loss.num_outputs, features.shape[1], dtype=torch.float64, device=features.device)
    intercept = weight.new_zeros(loss.num_outputs)
    for penalty in penalties:
        found = _Search(loss, penalty, tolerance).run(weight, intercept)
        weight, intercept = found.weight, found.intercept
        yield found


class _Loss:
    """Cross-entropy of a linear model on images, and a bound of its curvature."""

    def __init__(self, features: Tensor, labels: Tensor, num_classes: int) -> None:
        self._features, self._labels = features, labels
        self.precision = features.dtype
        self._classes = torch.arange(num_classes, device=features.device)
        self.num_images = len(features)
        self.num_outputs = num_classes if num_classes > 2 else 1
        self._products = (features.T @ features).double() / self.num_images

    def __call__(self, weight: Tensor, intercept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mean over images, and its gradients by weight and by intercept."""
        total, by_weight, by_intercept = weight.new_zeros(()), torch.zeros_like(weight), torch.zeros_like(intercept)
        rows = max(1, CHUNK // len(self._classes))
        for features, labels in zip(torch.split(self._features, rows), torch.split(self._labels, rows), strict=True):
            outputs = (features @ weight.T.to(self.precision)).double() + intercept
            if len(self._classes) == 2:
                outputs = functional.pad(outputs, (1, 0))
            surprises = -functional.log_softmax(outputs, dim=1)
            right = labels[:, None] == self._classes
            total += (surprises * right).sum()
            errors = (torch.exp(-surprises) - right.double())[:, -self.num_outputs :]
            by_weight += (errors.T.to(self.precision) @ features).double()
            by_intercept += errors.sum(dim=0)
        return total / self.num_images, by_weight / self.num_images, by_intercept / self.num_images

    def curvature(self, penalty: float) -> tuple[Tensor, float]:
        """About the Hessian by one output's weights (num_features, num_features), and by its intercept.

        Of zero weights it is this but for a constant, and no more than this times half the number of classes anywhere
        (Böhning 1992, Annals of the Institute of Statistical Mathematics 44, 197-200).
        """
        chance = 1 / len(self._classes)
        size = len(self._products)
        rounding = torch.finfo(self.precision).eps * size  # in the products: keeps the sum positive definite
        ridge = 1 / (penalty * self.num_images) + chance * rounding
        return chance * self._products + ridge * torch.eye(size, device=self._products.device), chance


@dataclass(frozen=True)
class _Point:
    """The regularised loss at a place: coordinates (num_outputs x (num_features + 1),), and the gradient by them."""

    place: NDArray[np.float64]
    weight: Tensor
    intercept: Tensor
    loss: float
    gradient: NDArray[np.float64]
    slope: float


class _Search:
    """The search for the optimum for one penalty.

    With C = L L' the curvature, coordinates of weights w are w L, so that the loss's curvature by them is about one.
    """

    def __init__(self, loss: _Loss, penalty: float, tolerance: float) -> None:
        self._loss, self._penalty, self._tolerance = loss, penalty, tolerance
        curvature, self._scale = loss.curvature(penalty)
        self._there = torch.linalg.cholesky(curvature)
        eye = torch.eye(len(curvature), dtype=curvature.dtype, device=curvature.device)
        self._back = torch.linalg.solve_triangular(self._there, eye, upper=False).to(loss.precision)
        self._last: _Point | None = None
        self._evaluations = 0

    def run(self, weight: Tensor, intercept: Tensor) -> Solution:
        """From weights and intercepts on; SciPy's own criteria never end it, since they are about the coordinates."""
        from scipy.optimize import minimize

        start = torch.cat([weight @ self._there, intercept[:, None] * self._scale**0.5], dim=1).flatten().cpu().numpy()
        place = start
        if self._at(start).slope > self._tolerance:
            options = {"maxiter": MOST_STEPS, "maxfun": 50 * MOST_STEPS, "maxls": 50, "ftol": 0.0, "gtol": 0.0}
            found = minimize(self._values, start, jac=True, method="L-BFGS-B", callback=self._watch, options=options)
            place = found.x
        end = self._at(place)
        return Solution(self._penalty, end.weight, end.intercept, end.slope, self._evaluations)

    def _values(self, place: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        point = self._at(place)
        return point.loss, point.gradient

    def _watch(self, intermediate_result: OptimizeResult) -> None:
        if self._at(intermediate_result.x).slope <= self._tolerance:
            raise StopIteration

    def _at(self, place: NDArray[np.float64]) -> _Point:
        """Evaluated, but for a second time in a row."""
        if self._last is None or not np.array_equal(place, self._last.place):
            self._last = self._evaluated(place.copy())
        return self._last

    def _evaluated(self, place: NDArray[np.float64]) -> _Point:
        self._evaluations += 1
        num_features = len(self._back)
        told = torch.from_numpy(place).to(self._back.device).view(-1, num_features + 1)
        weight = (told[:, :num_features].to(self._loss.precision) @ self._back).double()
        intercept = told[:, num_features] / self._scale**0.5
        entropy, by_weight, by_intercept = self._loss(weight, intercept)
        strength = 1 / (self._penalty * self._loss.num_images)
        loss = entropy + strength / 2 * weight.square().sum()
        by_weight += strength * weight
        by_coordinate = (by_weight.to(self._loss.precision) @ self._back.T).double()
        gradient = torch.cat([by_coordinate, by_intercept[:, None] / self._scale**0.5], dim=1)
        slope = torch.maximum(by_weight.abs().max(), by_intercept.abs().max())
        told_back: Any = torch.cat([gradient.flatten(), loss[None], slope[None]]).cpu().numpy()  # at once: a GPU waits
        return _Point(place, weight, intercept, float(told_back[-2]), told_back[:-2], float(told_back[-1]))
