"""Linear probes on frozen features, solved by scikit-learn, their regularisation chosen on validation data."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-4
Features = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Probe:
    """A fitted probe and the inverse regularisation strength that validation data chose."""

    pipeline: Any
    penalty: float

    def accuracy(self, features: Features, labels: Labels) -> float:
        """Share of images classified right."""
        return float(self.pipeline.score(features, labels))

    def layer(self) -> tuple[Features, Features]:
        """The probe as a linear layer on features as they are: weight (num_classes, num_features), bias (num_classes,).

        The class with the largest output is the probe's answer.
        """
        scaler, regression = (step for _, step in self.pipeline.steps)
        weight = regression.coef_ / scaler.scale_
        bias = regression.intercept_ - weight @ scaler.mean_
        if len(weight) == 1:  # of two classes scikit-learn has the second's output, the first's being zero
            weight, bias = np.vstack([np.zeros_like(weight), weight]), np.append(0.0, bias)
        return weight, bias


def fit_probe(
    features: Features,
    labels: Labels,
    validation_features: Features,
    validation_labels: Labels,
    penalties: Sequence[float],
) -> Probe:
    """Multinomial logistic regression on standardised features, gradient norm below ``TOLERANCE``.

    Args:
        features: (num_images, num_features); labels: (num_images,).
        penalties: inverse strengths to choose from; of equally good ones the smallest, the strongest regularisation.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    best: tuple[float, Probe] | None = None
    for penalty in sorted(penalties):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, tol=TOLERANCE, max_iter=1000))
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                pipeline.fit(features, labels)
            except ConvergenceWarning:
                print(f"linear probe with penalty {penalty} has not converged; not used", flush=True)
                continue
        probe = Probe(pipeline, penalty)
        accuracy = probe.accuracy(validation_features, validation_labels)
        if best is None or accuracy > best[0]:
            best = accuracy, probe
    if best is None:
        raise ValueError(f"transfer.penalties: no probe of {list(penalties)} converged; try smaller ones")
    return best[1]
