"""Facts about resampled test images: the error is that of sampling, and the same images are drawn for every column."""

import numpy as np
import pytest

from dilt.answers import bootstrap
from dilt.answers.bootstrap import image_errors

RIGHT = (np.random.default_rng(0).random((150, 4)) < [0.2, 0.5, 0.5, 0.9]).astype(float)


def test_the_error_is_that_of_a_sampled_share() -> None:
    found = image_errors(RIGHT, 8000, "images")
    share = RIGHT.mean(axis=0)
    np.testing.assert_allclose(found.std(axis=0), np.sqrt(share * (1 - share) / 150), rtol=0.04)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.002)


def test_all_columns_have_the_same_images_so_that_differences_can_be_taken_afterwards() -> None:
    found = image_errors(RIGHT, 500, "images")
    differences = image_errors(RIGHT[:, :1] - RIGHT[:, 1:], 500, "images")
    np.testing.assert_allclose(found[:, :1] - found[:, 1:], differences, atol=1e-12)
    same = image_errors(np.concatenate([RIGHT, RIGHT], axis=1), 500, "images")
    np.testing.assert_array_equal(same[:, :4], same[:, 4:])


def test_sets_of_images_are_drawn_independently_and_the_same_each_time() -> None:
    first, other = (image_errors(RIGHT, 2000, name)[:, 0] for name in ("first", "other"))
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1
    np.testing.assert_array_equal(image_errors(RIGHT, 2000, "first")[:, 0], first)


@pytest.mark.parametrize("drawn", [1, 1000])
def test_memory_for_draws_changes_nothing(monkeypatch: pytest.MonkeyPatch, drawn: int) -> None:
    expected = image_errors(RIGHT, 50, "images")
    monkeypatch.setattr(bootstrap, "DRAWN", drawn)
    np.testing.assert_allclose(image_errors(RIGHT, 50, "images"), expected, atol=1e-15)
