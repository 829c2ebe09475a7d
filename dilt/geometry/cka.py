"""Linear CKA, the baseline beside Gromov-Wasserstein distances. It needs no optimisation.

Both start from the inner products of the centred activations, which are made here.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def centred_products(blocks: Iterable[NDArray[np.floating]]) -> FloatArray:
    """Inner products of centred activations, (num_probes, num_probes).

    Exactly zero for a layer that is constant over the probes (a dead ticket's).

    Args:
        blocks: (num_probes, some of the features), which together are all features; one is in memory at a time.
    """
    total: FloatArray = np.zeros(())
    for block in blocks:
        shifted = block.astype(np.float64) - block[0]
        centred = shifted - shifted.mean(axis=0)
        total = total + centred @ centred.T
    return total


def linear_cka(first: FloatArray, second: FloatArray) -> float:
    """Linear CKA (Kornblith et al. 2019, section 3) of two layers' inner products, in 0 to 1.

    A constant layer has no similarity to anything: 0.
    """
    return float(np.clip(_cosine(first, second), 0, 1))


def debiased_cka(first: FloatArray, second: FloatArray) -> float:
    """CKA with unbiased estimates (Nguyen et al. 2021, equation 3), from two results of `unbiased`, in -1 to 1.

    On few probes linear CKA is large for wide layers that have nothing in common; debiased CKA is zero on average.
    """
    return float(np.clip(_cosine(first, second), -1, 1))


def unbiased(products: FloatArray) -> FloatArray:
    """Inner products centred so that those of independent layers are orthogonal on average (Szekely and Rizzo 2014).

    Zero on the diagonal, and every row sums to zero. Needs four probes or more.
    """
    number = len(products)
    between = products - np.diag(np.diagonal(products))
    rows = between.sum(axis=0) / (number - 2)
    centred = between - rows - rows[:, None] + between.sum() / ((number - 1) * (number - 2))
    np.fill_diagonal(centred, 0)
    return np.asarray(centred)


def _cosine(first: FloatArray, second: FloatArray) -> float:
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.vdot(first, second)) / norms if norms > 0 else 0.0
