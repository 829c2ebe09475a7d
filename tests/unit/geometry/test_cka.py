"""Facts about linear CKA (Kornblith et al. 2019)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.geometry.cka import centred_products, debiased_cka, linear_cka, unbiased


def cloud(seed: int, num_features: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(15, num_features))


def cka(first: np.ndarray, second: np.ndarray) -> float:
    return linear_cka(centred_products([first]), centred_products([second]))


@given(st.integers(0, 999), st.floats(0.01, 100))
def test_it_forgets_rotation_shift_and_scale(seed: int, factor: float) -> None:
    layer = cloud(seed)
    rotation = np.linalg.qr(cloud(seed + 1)[:6])[0]
    assert cka(layer, factor * layer @ rotation + 3) == pytest.approx(1)


@given(st.integers(0, 999))
def test_it_is_the_published_formula(seed: int) -> None:
    first, second = cloud(seed) - cloud(seed).mean(0), cloud(seed + 1, 4) - cloud(seed + 1, 4).mean(0)
    expected = np.linalg.norm(second.T @ first) ** 2
    expected /= np.linalg.norm(first.T @ first) * np.linalg.norm(second.T @ second)
    assert cka(cloud(seed), cloud(seed + 1, 4)) == pytest.approx(expected)
    assert cka(cloud(seed + 1, 4), cloud(seed)) == pytest.approx(expected)


def test_a_constant_layer_is_similar_to_nothing() -> None:
    constant = np.full((15, 3), 0.1)
    assert cka(constant, cloud(0)) == cka(constant, constant) == 0


def debiased(first: np.ndarray, second: np.ndarray) -> float:
    return debiased_cka(unbiased(centred_products([first])), unbiased(centred_products([second])))


def test_debiased_it_is_one_for_a_copy_and_nothing_on_average_for_unrelated_wide_layers() -> None:
    pairs = [(cloud(seed, 200), cloud(seed + 1000, 200)) for seed in range(40)]
    assert debiased(cloud(0), 3 * cloud(0) + 1) == pytest.approx(1)
    assert np.mean([cka(*pair) for pair in pairs]) > 0.8  # what the bias does
    assert abs(np.mean([debiased(*pair) for pair in pairs])) < 0.03


@given(st.integers(0, 999))
def test_debiased_it_is_the_published_formula(seed: int) -> None:
    def hsic(first: np.ndarray, second: np.ndarray) -> float:
        # Nguyen, Raghu, Kornblith 2021, equation 3.
        k, l = (c @ c.T - np.diag(np.diag(c @ c.T)) for c in (first, second))  # noqa: E741
        n, one = len(k), np.ones(len(k))
        total = (
            np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ l @ one
        )
        return float(total / (n * (n - 3)))

    first, second = cloud(seed), cloud(seed + 1, 4)
    expected = hsic(first, second) / np.sqrt(hsic(first, first) * hsic(second, second))
    assert debiased(first, second) == pytest.approx(expected)


@given(st.integers(1, 5))
def test_blocks_of_features_add_up(width: int) -> None:
    layer = cloud(0)
    blocks = [layer[:, start : start + width] for start in range(0, 6, width)]
    assert centred_products(blocks) == pytest.approx(centred_products([layer]), abs=1e-12)
