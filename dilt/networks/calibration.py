"""How well a network's probabilities say how often it is right: negative log-likelihood and calibration error.

Pure numbers in and out. Logits come from `outputs` and `corrupted`, accuracies from `outputs`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 15  # as in Guo et al. 2017


def negative_log_likelihood(outputs: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Minus the mean log-probability of the right class, in nats, of logits (num_images, num_classes)."""
    shifted, total = _shifted(outputs)
    return float((np.log(total) - shifted[np.arange(len(labels)), labels]).mean())


def calibration_error(outputs: NDArray[np.floating], labels: NDArray[np.int64], bins: int = BINS) -> float:
    """Expected calibration error (Guo et al. 2017, arXiv 1706.04599, equation 3), a fraction, of logits.

    Images are sorted into bins of equal width by confidence, the probability of the class that the network takes for
    the likeliest. The error is the mean over images of the gap between confidence and accuracy in their bin. It is not
    zero by chance: few images in a bin leave a gap.

    Args:
        outputs: (num_images, num_classes).
        bins: each with its upper end and without its lower.
    """
    _, total = _shifted(outputs)
    confidence = 1 / total
    right = outputs.argmax(axis=1) == labels
    place = np.searchsorted(np.linspace(0, 1, bins + 1), confidence, side="left")
    gaps = np.bincount(place, weights=right - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def _shifted(outputs: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Logits minus each image's largest, and the sums (num_images,) of their exponentials, in double precision."""
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    return shifted, np.exp(shifted).sum(axis=1, dtype=np.float64)
