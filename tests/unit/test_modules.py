"""Facts about modules: planted blocks are found, noise is not called structure, and a second run finds the same."""

import numpy as np
import pytest

from dilt.modules import agreement, cluster, find_modules, laplacian_eigenvalues
from dilt.settings import Clustering

SETTINGS = Clustering(max_modules=5, subsamples=5, shuffles=19)
BLOCKS = np.array([2, 0, 1] * 5)


def planted(seed: int = 0, near: float = 0.2) -> np.ndarray:
    """Distances (15, 15) that are ``near`` within a block and 1 between blocks, with a little noise."""
    distances = np.where(BLOCKS[:, None] == BLOCKS, near, 1.0)
    noise = 0.05 * np.random.default_rng(seed).random(distances.shape)
    distances = distances + noise + noise.T
    np.fill_diagonal(distances, 0)
    return distances


def test_planted_blocks_are_found_stable_and_unlike_noise() -> None:
    found = find_modules(planted(), SETTINGS)
    assert found.number == 3
    assert found.labels.tolist() == [0, 1, 2] * 5  # numbered in order of appearance
    assert found.stability == 1
    assert found.shuffled_p == 1 / 20
    assert found.silhouettes.min() > 0.5
    assert max(found.silhouette_by_number, key=found.silhouette_by_number.__getitem__) == 3


def test_noise_is_not_called_structure() -> None:
    found = find_modules(planted(near=1.0), SETTINGS)
    assert found.shuffled_p > 0.05
    assert found.stability < 0.7


def test_finding_twice_finds_the_same() -> None:
    first, second = (find_modules(planted(near=0.9), SETTINGS) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert (first.stability, first.shuffled_p) == (second.stability, second.shuffled_p)


def test_modules_do_not_depend_on_the_unit_of_distance() -> None:
    assert np.array_equal(cluster(planted(), 3), cluster(1000 * planted(), 3))


def test_layers_without_any_distance_are_handled() -> None:
    assert find_modules(np.zeros((6, 6)), SETTINGS).eigenvalues.shape == (6,)


def test_as_many_eigenvalues_are_zero_as_there_are_components() -> None:
    components = (BLOCKS[:, None] == BLOCKS).astype(float)
    values = laplacian_eigenvalues(components)
    assert np.sum(values < 1e-9) == 3
    assert np.all(np.diff(values) >= 0)
    assert values.max() <= 2


def test_agreement_is_one_with_the_same_grouping_and_small_with_an_unrelated_one() -> None:
    assert agreement(BLOCKS, [f"layer {block}" for block in BLOCKS], SETTINGS) == (1, 1 / 20)
    unrelated, p = agreement(BLOCKS, list("aaaaabbbbbccccc"), SETTINGS)
    assert abs(unrelated) < 0.2
    assert p > 0.05


def test_fewer_than_four_layers_cannot_be_grouped() -> None:
    with pytest.raises(ValueError, match="3 layers cannot be grouped"):
        find_modules(planted()[:3, :3], SETTINGS)
    assert find_modules(planted()[:4, :4], SETTINGS).number == 2
