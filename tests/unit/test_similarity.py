"""Facts about linear CKA (Kornblith et al. 2019)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.similarity import linear_cka, linear_gram


def cloud(seed: int, num_features: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(15, num_features))


def cka(first: np.ndarray, second: np.ndarray) -> float:
    return linear_cka(linear_gram(first), linear_gram(second))


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
