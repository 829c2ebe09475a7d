"""Facts about the stability of groups: how often layers fall together over subsets of probes or layers, or seeds."""

import numpy as np
import pytest

from dilt.grouping.stability import ABSENT, co_grouping, mean_rand_index, over_nodes, over_probes, stability
from dilt.settings.grouping import Clustering

SETTINGS = Clustering(subsamples=20)
BLOCKS = np.repeat([0, 1, 2], 4)


def planted(noise: float, seed: int = 0) -> np.ndarray:
    """Distances (12, 12) of three blocks, .3 within and 1 between, with noise."""
    draws = np.triu(noise * np.random.default_rng(seed).random((12, 12)), 1)
    return np.where(BLOCKS[:, None] == BLOCKS, 0.3, 1.0) * (1 - np.eye(12)) + draws + draws.T


def test_co_grouping_is_the_share_of_groupings_that_have_both_and_put_them_together() -> None:
    groupings = np.array([[0, 0, 1, 1], [0, 1, 1, ABSENT], [1, 1, 1, ABSENT]])
    shares = co_grouping(groupings)
    np.testing.assert_allclose(shares[0], [1, 2 / 3, 1 / 3, 0])
    assert shares[2, 3] == 1
    assert np.array_equal(shares, shares.T)
    assert np.isnan(co_grouping(np.array([[0, ABSENT], [ABSENT, 0]]))[0, 1])


def test_stability_is_the_mean_with_the_others_of_the_module() -> None:
    shares = np.array([[1, 0.5, 0.1], [0.5, 1, 0.2], [0.1, 0.2, 1]])
    found = stability(shares, np.array([0, 0, 1]))
    np.testing.assert_allclose(found[:2], 0.5)
    assert np.isnan(found[2]), "a module of one has no others"


@pytest.mark.parametrize("over", ["probes", "nodes"])
def test_blocks_are_stable_and_noise_is_not(over: str) -> None:
    def groupings(noise: float) -> np.ndarray:
        if over == "nodes":
            return over_nodes(planted(noise), 3, SETTINGS)
        return over_probes([planted(noise, seed) for seed in range(6)], 3, SETTINGS)

    assert mean_rand_index(groupings(0.1)) == 1
    assert stability(co_grouping(groupings(0.1)), BLOCKS).min() == 1
    assert mean_rand_index(groupings(20)) < 0.6
    assert stability(co_grouping(groupings(20)), BLOCKS).max() < 0.9


def test_subsets_of_the_layers_leave_out_a_fifth_and_come_again() -> None:
    first, second = (over_nodes(planted(0.1), 3, SETTINGS) for _ in range(2))
    assert np.array_equal(first, second)
    assert ((first == ABSENT).sum(axis=1) == 2).all()
    assert len(np.unique(first == ABSENT, axis=0)) > 10


def test_a_single_partition_agrees_with_nothing() -> None:
    assert np.isnan(mean_rand_index(np.array([[0, 1, 1]])))
