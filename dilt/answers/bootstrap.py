"""Estimates the error from the choice of test images by resampling them, with the same resamples for all tickets.

Pure numbers in and out. Seeds are not resampled: three or five seeds have too few resamples, and their intervals would
be too narrow (benchmarks/README.md); `statistics` takes Student's distribution for them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.randomness import generator

# Numbers drawn at a time, so that many images do not need much memory; draws do not depend on it.
DRAWN = 4_000_000


def image_errors(values: NDArray[np.floating], resamples: int, images: str) -> NDArray[np.float64]:
    """Changes of the means over images when images are drawn anew with replacement (Efron 1979).

    The same images are drawn for all columns, so that sums and differences of columns can be taken afterwards: images
    that are hard for two tickets cancel in their difference.

    Args:
        values: shape (num_images, num_columns), such as the share of seeds that were right, by ticket.
        resamples: how often all images are drawn.
        images: name of the set of images; sets of other names are drawn independently.

    Returns:
        Shape (resamples, num_columns): means of the resamples minus the mean.
    """
    num_images, draws = len(values), generator(0, "bootstrap", images)
    rows = max(1, DRAWN // num_images)
    centred = np.asarray(values - values.mean(axis=0), dtype=np.float64)
    errors = []
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        drawn = draws.integers(num_images, size=(size, num_images)) + num_images * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * num_images).reshape(size, num_images)
        errors.append(counts @ centred / num_images)
    return np.concatenate(errors)
