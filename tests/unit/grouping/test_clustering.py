"""Facts about modules: planted blocks are found whatever the rule, and a second run finds the same."""

import numpy as np
import pytest
from sklearn.cluster import spectral_clustering
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from dilt.grouping.clustering import affinity, agreement, cluster, contiguity, find_modules, laplacian, silhouettes
from dilt.settings.grouping import Clustering

SETTINGS = Clustering(max_modules=5, shuffles=19)
LOCAL = Clustering(max_modules=5, affinity="local", neighbour=3)
BLOCKS = np.array([2, 0, 1] * 5)


def planted(seed: int = 0, near: float = 0.2) -> np.ndarray:
    """Distances (15, 15) that are ``near`` within a block and 1 between blocks, with a little noise."""
    distances = np.where(BLOCKS[:, None] == BLOCKS, near, 1.0)
    noise = 0.05 * np.random.default_rng(seed).random(distances.shape)
    distances = distances + noise + noise.T
    np.fill_diagonal(distances, 0)
    return distances


@pytest.mark.parametrize("rule", [{"chooser": "silhouette"}, {"chooser": "eigengap"}, {"number": 3}], ids=str)
@pytest.mark.parametrize("settings", [SETTINGS, LOCAL], ids=lambda settings: settings.affinity)
def test_planted_blocks_are_found_by_every_rule_and_affinity(settings: Clustering, rule: dict[str, object]) -> None:
    found = find_modules(planted(), settings.model_copy(update=rule))
    assert found.number == found.number_by_eigengap == 3
    assert found.labels.tolist() == [0, 1, 2] * 5  # numbered in order of appearance
    assert found.silhouettes.min() > 0.5
    assert max(found.silhouette_by_number, key=found.silhouette_by_number.__getitem__) == 3
    assert found.silhouette == found.silhouette_by_number[3]


def test_a_number_that_is_set_is_taken_also_beyond_those_tried() -> None:
    found = find_modules(planted(), SETTINGS.model_copy(update={"number": 7}))
    assert found.number == 7
    assert list(found.silhouette_by_number) == [2, 3, 4, 5]


def test_finding_twice_finds_the_same() -> None:
    first, second = (find_modules(planted(near=0.9), SETTINGS) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)


def made_up(seed: int, nodes: int) -> np.ndarray:
    """Distances of points on a noisy curve."""
    draws = np.random.default_rng(seed)
    points = np.cumsum(draws.normal(size=(nodes, 3)), axis=0)
    return np.linalg.norm(points[:, None] - points[None, :], axis=-1)


@pytest.mark.parametrize("settings", [SETTINGS, LOCAL], ids=lambda settings: settings.affinity)
@pytest.mark.parametrize("nodes", [6, 8, 14, 40])
@pytest.mark.parametrize("seed", range(5))
def test_clusters_and_silhouettes_are_those_of_scikit_learn(seed: int, nodes: int, settings: Clustering) -> None:
    distances = made_up(seed, nodes)
    affinities = affinity(distances, settings)
    for number in range(2, min(8, nodes - 2) + 1):
        expected = spectral_clustering(affinities, n_clusters=number, assign_labels="cluster_qr", random_state=0)
        labels = cluster(laplacian(affinities)[1], number)
        assert adjusted_rand_score(expected, labels) == 1
        expected_silhouettes = silhouette_samples(distances, labels, metric="precomputed")
        np.testing.assert_allclose(silhouettes(distances, labels), expected_silhouettes, atol=1e-14)


@pytest.mark.parametrize("settings", [SETTINGS, LOCAL], ids=lambda settings: settings.affinity)
def test_affinity_does_not_depend_on_the_unit_of_distance(settings: Clustering) -> None:
    np.testing.assert_allclose(affinity(planted(), settings), affinity(1000 * planted(), settings))


def test_the_median_distance_has_affinity_exp_of_minus_a_half() -> None:
    distances = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0.0]])
    assert affinity(distances, SETTINGS)[0, 2] == pytest.approx(np.exp(-1 / 2))


def test_local_scaling_takes_each_layers_own_neighbourhood() -> None:
    """Two groups, one ten times as wide as the other: within each, affinities are the same."""
    places = np.array([0, 1, 2, 3, 100, 110, 120, 130.0])
    found = affinity(np.abs(places[:, None] - places[None, :]), LOCAL)
    np.testing.assert_allclose(found[:4, :4], found[4:, 4:])


@pytest.mark.parametrize("settings", [SETTINGS, LOCAL], ids=lambda settings: settings.affinity)
def test_identical_layers_fall_together(settings: Clustering) -> None:
    """As blocks of a residual network that starts at the identity."""
    twins = np.repeat([0, 1, 3, 4], 3)
    distances = np.abs(twins[:, None] - twins[None, :]).astype(float)
    found = find_modules(distances, settings)
    assert all(len(np.unique(found.labels[twins == place])) == 1 for place in twins)
    assert np.isfinite(found.silhouettes).all()
    assert np.isfinite(find_modules(np.zeros((6, 6)), settings).eigenvalues).all()


def test_as_many_eigenvalues_are_zero_as_there_are_components() -> None:
    components = (BLOCKS[:, None] == BLOCKS).astype(float)
    values = laplacian(components)[0]
    assert np.sum(values < 1e-9) == 3
    assert np.all(np.diff(values) >= 0)
    assert values.max() <= 2


def test_agreement_is_one_with_the_same_grouping_and_small_with_an_unrelated_one() -> None:
    assert agreement(BLOCKS, [f"layer {block}" for block in BLOCKS], SETTINGS) == (1, 1 / 20)
    unrelated, p = agreement(BLOCKS, list("aaaaabbbbbccccc"), SETTINGS)
    assert abs(unrelated) < 0.2
    assert p > 0.05


def test_contiguous_modules_have_as_few_runs_as_there_are_modules() -> None:
    settings = Clustering(shuffles=999)
    assert contiguity(np.array([0, 0, 0, 1, 1, 1, 2, 2, 2]), settings) == (3, pytest.approx(6 / 1680, abs=0.004))
    assert contiguity(np.array([0, 1, 0, 1, 0, 1]), settings) == (6, 1)
    assert contiguity(np.zeros(5, dtype=int), settings) == (1, 1)


def test_too_few_layers_cannot_be_grouped() -> None:
    with pytest.raises(ValueError, match="3 layers cannot be grouped"):
        find_modules(planted()[:3, :3], SETTINGS)
    assert find_modules(planted()[:4, :4], SETTINGS).number == 2
    with pytest.raises(ValueError, match=r"5 layers cannot be grouped into 4 modules; set clustering\.number to 3"):
        find_modules(planted()[:5, :5], SETTINGS.model_copy(update={"number": 4}))


def test_clusters_do_not_depend_on_the_order_of_layers() -> None:
    order = np.random.default_rng(1).permutation(len(BLOCKS))
    labels = cluster(laplacian(affinity(planted()[np.ix_(order, order)], SETTINGS))[1], 3)
    assert len(set(zip(labels.tolist(), BLOCKS[order].tolist(), strict=True))) == 3


def test_one_group_of_all_layers_is_no_group() -> None:
    assert silhouettes(planted(), np.zeros(len(planted()), dtype=np.int64)).tolist() == [-1.0] * len(planted())
