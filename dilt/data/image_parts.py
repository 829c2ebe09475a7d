"""Random parts and samples of a data set's training images, with the same share of every class.

Which images are for training at all is decided by `splitting`, which classes are in a partition by `partitions`.
"""

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.randomness import generator


def image_parts(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Which of ``count`` disjoint random parts each image is in; together they are all images.

    The images of a class are dealt out in random order, one to each part in turn, and the next class goes on with the
    part that is next. So the numbers of a class's images in two parts differ by at most one, and so do the sizes of
    whole parts. The draw follows from the seed and the labels alone: it is the same in every round.

    Images that belong together (`groups`) are not kept together: a prepared data set does not know its groups, which
    only have to be on one side of training, validation and test.

    Args:
        labels: class of each image, (num_images,).
        seed: of the replicate.

    Returns:
        Part of each image, from 0, (num_images,).
    """
    drawn = generator(seed, "image parts").random(len(labels))
    dealt = np.lexsort((drawn, labels))
    parts = np.empty(len(labels), dtype=np.int64)
    parts[dealt] = np.arange(len(labels)) % count
    return parts


def class_sample(labels: NDArray[np.int64], per_class: int, seed: int) -> NDArray[np.int64]:
    """Indices of ``per_class`` random images of every class, or of all that it has, in random order.

    Args:
        labels: class of each image, (num_images,).
        seed: of the replicate.
    """
    draws = generator(seed, "class sample")
    drawn = np.lexsort((draws.random(len(labels)), labels))
    _, starts = np.unique(labels[drawn], return_index=True)
    place = np.arange(len(labels)) - np.repeat(starts, np.diff([*starts, len(labels)]))
    return draws.permutation(drawn[place < per_class])
