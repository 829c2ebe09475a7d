"""Facts about calibration: errors worked out by hand, and what must not change them."""

import numpy as np
import pytest

from dilt.networks.calibration import calibration_error, negative_log_likelihood


def logits(chances: list[list[float]]) -> np.ndarray:
    return np.log(np.array(chances, dtype=np.float32))


def test_the_negative_log_likelihood_is_the_mean_surprise_at_the_right_class() -> None:
    outputs = logits([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
    found = negative_log_likelihood(outputs, np.array([1, 1]))
    assert found == pytest.approx(-(np.log(0.25) + np.log(0.8)) / 2)
    assert negative_log_likelihood(np.zeros((3, 4), dtype=np.float32), np.array([0, 1, 3])) == pytest.approx(np.log(4))


def test_the_calibration_error_is_the_gap_of_each_bin_by_its_images() -> None:
    """Two images at confidence .9, one right: gap .4 each. Three at .6, all right: gap .4. One at .7, wrong: gap .7."""
    outputs = logits([[0.9, 0.1]] * 2 + [[0.4, 0.6]] * 3 + [[0.7, 0.3]])
    labels = np.array([0, 1, 1, 1, 1, 1])
    assert calibration_error(outputs, labels, bins=10) == pytest.approx((2 * 0.4 + 3 * 0.4 + 0.7) / 6)


def test_gaps_of_one_bin_cancel_and_of_two_do_not() -> None:
    """At .8 right of one, at .62 wrong of one: in one bin .71 against .5; in bins of their own .2 and .62."""
    outputs, labels = logits([[0.8, 0.2], [0.62, 0.38]]), np.array([0, 1])
    assert calibration_error(outputs, labels, bins=1) == pytest.approx(0.71 - 0.5)
    assert calibration_error(outputs, labels) == pytest.approx((0.2 + 0.62) / 2)


def test_a_bin_has_its_upper_end() -> None:
    """Certainty is in the last bin, and a half in the first of two, not beside .75 in the second."""
    certain = np.array([[100.0, 0.0]], dtype=np.float32)
    assert calibration_error(certain, np.array([0])) == 0
    assert calibration_error(certain, np.array([1])) == 1
    halves = np.vstack([np.zeros((1, 2)), np.log([[0.75, 0.25]])])
    assert calibration_error(halves, np.array([1, 0]), bins=2) == pytest.approx((0.5 + 0.25) / 2)


def test_it_is_that_of_a_plain_count() -> None:
    """Against the definition written out bin by bin."""
    draws = np.random.default_rng(0)
    outputs, labels = draws.normal(size=(500, 6)) * 2, draws.integers(6, size=500)
    chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert calibration_error(outputs, labels) == pytest.approx(expected)


def test_a_network_that_is_right_as_often_as_it_says_has_none_and_a_boastful_one_has() -> None:
    draws = np.random.default_rng(0)
    outputs = draws.normal(size=(40_000, 5))
    chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    labels = (draws.random((len(outputs), 1)) > chances.cumsum(axis=1)).sum(axis=1)
    assert calibration_error(outputs, labels) < 0.01
    assert calibration_error(3 * outputs, labels) > 0.2
    assert negative_log_likelihood(outputs, labels) < negative_log_likelihood(1.3 * outputs, labels)


def test_neither_overflows_nor_depends_on_a_common_shift() -> None:
    outputs, labels = np.array([[900.0, 0.0], [0.0, 900.0]], dtype=np.float32), np.array([0, 0])
    assert negative_log_likelihood(outputs, labels) == pytest.approx(450)
    assert calibration_error(outputs, labels) == pytest.approx(0.5)
    small = logits([[0.7, 0.3], [0.2, 0.8]])
    assert negative_log_likelihood(small + 5, labels) == pytest.approx(negative_log_likelihood(small, labels), rel=1e-5)
