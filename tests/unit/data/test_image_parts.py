"""Facts about random parts of the images: disjoint, all images together, and as equal as can be in every class."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dilt.data.image_parts import class_sample, image_parts

LABELS = arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 4))
SEED = st.integers(0, 2**31)


@given(LABELS, st.integers(2, 5), SEED)
def test_numbers_of_images_differ_by_at_most_one_in_every_class_and_in_all(
    labels: np.ndarray, count: int, seed: int
) -> None:
    parts = image_parts(labels, count, seed)
    assert set(parts) <= set(range(count))
    for chosen in (parts, *(parts[labels == label] for label in np.unique(labels))):
        assert np.ptp(np.bincount(chosen, minlength=count)) <= 1


@given(LABELS, SEED)
def test_the_draw_follows_from_the_seed(labels: np.ndarray, seed: int) -> None:
    assert np.array_equal(image_parts(labels, 3, seed), image_parts(labels, 3, seed))


def test_another_seed_is_another_draw_and_every_image_is_in_each_part_as_often() -> None:
    labels = np.repeat([0, 1, 2], [5, 8, 7])
    drawn = np.stack([image_parts(labels, 2, seed) for seed in range(2000)])
    assert len(np.unique(drawn, axis=0)) > 1900
    first_class, others = drawn[:, :5].mean(axis=0), drawn[:, 5:13].mean(axis=0)
    # Of five images, the first part has three: 0.4 +- 4 standard errors are in the second; of eight, half.
    np.testing.assert_allclose(first_class, 0.4, atol=4 * np.sqrt(0.24 / 2000))
    np.testing.assert_allclose(others, 0.5, atol=4 * np.sqrt(0.25 / 2000))


@given(LABELS, st.integers(1, 12), SEED)
def test_a_sample_has_as_many_of_each_class_or_all_of_them(labels: np.ndarray, per_class: int, seed: int) -> None:
    chosen = class_sample(labels, per_class, seed)
    assert len(set(chosen.tolist())) == len(chosen)
    there = np.bincount(labels)
    np.testing.assert_array_equal(np.bincount(labels[chosen], minlength=len(there)), np.minimum(there, per_class))


def test_samples_are_random_images_in_random_order() -> None:
    labels = np.repeat([0, 1], 20)
    drawn = np.stack([class_sample(labels, 5, seed) for seed in range(400)])
    assert np.all(np.bincount(drawn.ravel()) > 60)  # of 400 draws 100 +- 9
    assert abs(labels[drawn[:, 0]].mean() - 0.5) < 0.1
