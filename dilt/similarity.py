"""Similarity of representations that needs no optimisation: linear CKA, the baseline beside Gromov-Wasserstein."""

import numpy as np
from numpy.typing import NDArray


def linear_gram(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centred Gram matrix of (num_probes, num_features), with Frobenius norm 1; zero for a constant layer."""
    shifted = features.astype(np.float64) - features[0]
    centred = shifted - shifted.mean(axis=0)
    gram = centred @ centred.T
    norm = np.linalg.norm(gram)
    return gram / norm if norm > 0 else np.zeros_like(gram)


def linear_cka(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Linear CKA (Kornblith et al. 2019, section 3) of two results of `linear_gram`, in 0 to 1.

    A constant layer has no similarity to anything: 0.
    """
    return float(np.clip((first * second).sum(), 0, 1))
