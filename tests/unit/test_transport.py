"""Facts about Gromov-Wasserstein: it forgets rotation, shift and padding, and never does worse than the identity."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.transport import gromov_wasserstein, ground_cost

COSTS = pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cosine"])
SCALINGS = pytest.mark.parametrize("scaling", ["mean", "max", "none"])


def cloud(seed: int, num_probes: int = 20, num_features: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num_probes, num_features))


def rotation(seed: int, size: int) -> np.ndarray:
    return np.linalg.qr(cloud(seed, size, size))[0]


def loss(first: np.ndarray, second: np.ndarray, cost: str = "euclidean", scaling: str = "mean") -> float:
    return gromov_wasserstein(ground_cost(first, cost, scaling), ground_cost(second, cost, scaling)).loss


@given(st.integers(2, 6), st.integers(0, 10**6), st.sampled_from(["euclidean", "sqeuclidean"]))
def test_no_coupling_beats_the_best_permutation(num_probes: int, seed: int, cost: str) -> None:
    # For costs that are conditionally negative the loss is concave, so that its minimum is at a permutation.
    first, second = (ground_cost(cloud(seed + shift, num_probes, 3), cost, "mean") for shift in (0, 1))
    orders = map(list, itertools.permutations(range(num_probes)))
    best = min(((first - second[np.ix_(order, order)]) ** 2).mean() for order in orders)
    found = gromov_wasserstein(first, second)
    assert best - 1e-9 <= found.loss <= found.identity_loss


@COSTS
@SCALINGS
def test_equal_layers_have_no_distance(cost: str, scaling: str) -> None:
    assert loss(cloud(0), cloud(0), cost, scaling) == 0


@COSTS
@SCALINGS
@given(seed=st.integers(0, 99))
def test_a_rotated_shifted_padded_copy_has_no_distance(cost: str, scaling: str, seed: int) -> None:
    layer = cloud(seed)
    copy = np.hstack([layer @ rotation(seed, 5) + cloud(seed, 1), np.zeros((20, 3))])
    assert loss(layer, copy, cost, scaling) < 1e-12


@given(st.integers(0, 99), st.floats(0.1, 5))
def test_without_scaling_a_scaled_copy_is_as_far_as_its_scale(seed: int, factor: float) -> None:
    # By Cauchy-Schwarz no coupling does better than the identity, whose loss is (1 - factor)^2 mean(C^2).
    layer = cloud(seed)
    expected = (1 - factor) ** 2 * (ground_cost(layer, "euclidean", "none") ** 2).mean()
    assert loss(layer, factor * layer, scaling="none") == pytest.approx(expected, rel=1e-9, abs=1e-12)


@COSTS
@given(seed=st.integers(0, 99), factor=st.floats(0.1, 1000))
def test_with_scaling_the_scale_of_a_layer_does_not_matter(cost: str, seed: int, factor: float) -> None:
    for scaling in ("mean", "max"):
        scaled = ground_cost(factor * cloud(seed), cost, scaling)
        assert scaled == pytest.approx(ground_cost(cloud(seed), cost, scaling), rel=1e-9, abs=1e-12)


def test_scaled_costs_have_mean_or_maximum_one() -> None:
    between = ~np.eye(20, dtype=bool)
    assert ground_cost(cloud(0), "euclidean", "mean")[between].mean() == pytest.approx(1)
    assert ground_cost(cloud(0), "euclidean", "max").max() == 1


def test_costs_are_the_distances_between_probes() -> None:
    layer = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert ground_cost(layer, "euclidean", "none")[0, 1] == pytest.approx(5)
    assert ground_cost(layer, "sqeuclidean", "none")[0, 1] == pytest.approx(25)
    assert ground_cost(layer, "cosine", "none")[0, 1] == pytest.approx(2)  # opposite, seen from their mean


@given(st.integers(0, 99), st.floats(1e-6, 1))
def test_near_identical_layers_are_never_further_than_the_identity_coupling(seed: int, noise: float) -> None:
    first = ground_cost(cloud(seed), "euclidean", "mean")
    second = ground_cost(cloud(seed) + noise * cloud(seed + 1), "euclidean", "mean")
    found = gromov_wasserstein(first, second)
    assert 0 <= found.loss <= found.identity_loss == ((first - second) ** 2).mean()
    assert found.distance == np.sqrt(found.loss) / 2


def test_unrelated_layers_are_found_to_be_closer_than_the_identity_coupling_says() -> None:
    pairs = [[ground_cost(cloud(seed + shift), "euclidean", "mean") for shift in (0, 100)] for seed in range(10)]
    found = [gromov_wasserstein(first, second) for first, second in pairs]
    assert sum(one.loss < 0.99 * one.identity_loss for one in found) >= 8


@COSTS
@SCALINGS
def test_a_constant_layer_is_a_point(cost: str, scaling: str) -> None:
    constant = np.full((20, 4), 0.1, dtype=np.float32)
    assert not ground_cost(constant, cost, scaling).any()
    assert loss(constant, 3 * constant, cost, scaling) == 0
    expected = (ground_cost(cloud(0), cost, scaling) ** 2).mean()
    assert loss(constant, cloud(0), cost, scaling) == pytest.approx(expected)


def test_distance_does_not_depend_on_the_side() -> None:
    assert loss(cloud(0), cloud(1)) == pytest.approx(loss(cloud(1), cloud(0)), rel=1e-6)


def test_layers_seen_on_other_probes_are_refused() -> None:
    with pytest.raises(ValueError, match="seen on 20 and 19 probes cannot be compared"):
        loss(cloud(0), cloud(0)[1:])
