"""Facts about nulls: drift is not called modules, planted blocks are, and an untrained twin's blocks are its own."""

import numpy as np
import pytest

from dilt.geometry.distance_table import DistanceMatrix
from dilt.grouping import nulls
from dilt.grouping.module_verdict import Examined, examine_network, examine_tickets
from dilt.grouping.nulls import Null, exchangeable_drift, other_chain, path_drift, residuals, smooth_drift, smooth_path
from dilt.settings.grouping import Clustering

LAYERS, SIMULATIONS = 8, 20
SETTINGS = Clustering(shuffles=39)


def places(steps: np.ndarray, seed: int, noise: float = 0.05) -> np.ndarray:
    """Layers (L, 20) along a line, off by noise in every direction."""
    line = np.cumsum(steps)[:, None] * np.eye(1, 20)
    return line + noise * np.random.default_rng(seed).normal(size=line.shape)


def smooth(seed: int) -> np.ndarray:
    return places(np.ones(LAYERS), seed)


def blocks(seed: int) -> np.ndarray:
    """Two steps of four among steps of one."""
    return places(np.array([1, 1, 1, 4, 1, 1, 4, 1]), seed)


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None, :], axis=-1)


def networks(**points: np.ndarray) -> DistanceMatrix:
    nodes = [(name, d, f"l{d}") for name, chain in points.items() for d in range(len(chain))]
    return DistanceMatrix(nodes, distances(np.concatenate(list(points.values()))))


def beaten(make: object, null: object) -> float:
    """Share of simulations in which the modules beat a null."""
    return float(np.mean([null(distances(make(seed)), SETTINGS).beaten for seed in range(SIMULATIONS)]))


def test_smooth_drift_explains_smooth_chains_and_not_planted_blocks() -> None:
    """Rates over many simulations stand in benchmarks/README.md; at 5 %, three of twenty have a chance of .075."""
    assert beaten(smooth, smooth_drift) <= 2 / SIMULATIONS
    assert np.mean([smooth_drift(distances(blocks(seed)), SETTINGS).beaten for seed in range(5)]) >= 0.8


def test_exchangeable_residuals_are_smooth() -> None:
    lags = np.abs(np.arange(LAYERS)[:, None] - np.arange(LAYERS)[None, :]) ** 0.6

    def noisy(seed: int) -> np.ndarray:
        noise = np.triu(0.2 * np.random.default_rng(seed).normal(size=lags.shape), 1)
        return lags * np.exp(noise + noise.T)

    assert np.mean([smooth_drift(noisy(seed), SETTINGS).beaten for seed in range(SIMULATIONS)]) <= 0.1


def test_both_kinds_of_drift_have_to_be_beaten(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"path_drift": Null(0.01, 0.2), "exchangeable_drift": Null(0.5, 0.0)}
    for name, null in kinds.items():
        monkeypatch.setattr(nulls, name, lambda *_, null=null: null)
    assert smooth_drift(distances(blocks(0)), SETTINGS) == kinds["exchangeable_drift"]


def test_a_null_is_beaten_by_chance_and_by_enough() -> None:
    assert Null(0.05, 0.05).beaten
    assert not Null(0.06, 0.5).beaten
    assert not Null(0.01, 0.04).beaten


def test_p_is_sequential_and_small_only_where_hardly_a_surrogate_reaches_the_chain() -> None:
    assert path_drift(distances(blocks(0)), SETTINGS).p == 1 / 40
    common = path_drift(distances(smooth(0)), SETTINGS).p
    assert common in {10 / draws for draws in range(10, 40)} | {count / 40 for count in range(1, 11)}


@pytest.mark.parametrize("null", [smooth_drift, path_drift, exchangeable_drift])
def test_a_null_does_not_depend_on_the_unit_of_distance_and_comes_again(null: object) -> None:
    found = [null(scale * distances(smooth(3)), SETTINGS) for scale in (1, 1, 4)]
    assert found[0] == found[1]
    assert (found[2].p, found[2].gain) == (found[0].p, pytest.approx(found[0].gain))


def test_residuals_have_no_mean_along_any_lag() -> None:
    found = residuals(distances(blocks(0)))
    assert all(abs(np.diagonal(found, lag).mean()) < 1e-12 for lag in range(LAYERS))
    assert np.array_equal(found, found.T)
    line = np.arange(LAYERS, dtype=float)
    np.testing.assert_allclose(residuals(np.abs(line[:, None] - line[None, :])), 0, atol=1e-12)


def test_paths_stray_from_their_lag_means_as_the_chain_does() -> None:
    draws = np.random.default_rng(0)
    for noise in (0.05, 0.3):
        chain = distances(places(np.ones(12), 1, noise))
        path = smooth_path(chain, draws)
        spread = np.mean([np.square(path(draws)).sum() for _ in range(50)])
        assert spread == pytest.approx(np.square(residuals(chain)).sum(), rel=0.6)


def test_identical_layers_are_held_against_drift_without_a_fault() -> None:
    twins = distances(np.repeat(smooth(0)[:4], 2, axis=0))
    assert 0 < smooth_drift(twins, SETTINGS).p <= 1
    assert smooth_drift(np.zeros((6, 6)), SETTINGS).p == 1


def test_the_blocks_of_another_chain_explain_these_blocks() -> None:
    assert other_chain(distances(blocks(0)), distances(smooth(9)), SETTINGS).beaten
    assert not any(other_chain(distances(blocks(s)), distances(blocks(s + 50)), SETTINGS).beaten for s in range(5))


@pytest.mark.parametrize(
    ("trained", "untrained", "verdict", "explained_by"),
    [
        (blocks, smooth, "modules", []),
        (blocks, blocks, "shared", ["untrained twin"]),
        (smooth, smooth, "smooth", ["smooth drift", "untrained twin"]),
    ],
)
def test_the_verdict_tells_drift_from_the_architecture_from_training(
    trained: object, untrained: object, verdict: str, explained_by: list[str]
) -> None:
    found = examine_network(networks(dense=trained(0), untrained=untrained(7)), "dense", SETTINGS)
    assert (found.verdict, found.explained_by) == (verdict, explained_by)


def test_a_ticket_is_held_against_the_random_ticket_of_its_density() -> None:
    matrix = networks(**{"core": blocks(0), "random@core": blocks(1), "union": blocks(2), "lth@core": blocks(3)})
    assert examine_network(matrix, "core", SETTINGS).explained_by == ["random tickets"]
    assert examine_network(matrix, "lth@core", SETTINGS).verdict == "shared"
    for alone in ("union", "random@core"):
        assert list(examine_network(matrix, alone, SETTINGS).nulls) == ["smooth drift"]


def test_tickets_share_a_chain_whatever_lies_between_them() -> None:
    """Their own shifts in space are larger than all drift, and references are no part of the chain."""
    far = {f"ticket-{i}": blocks(0) + 100 * np.random.default_rng(i).normal(size=20) for i in range(3)}
    found = examine_tickets(networks(**far, untrained=smooth(7)), SETTINGS)
    assert found.verdict == "modules"
    assert found.num_layers == LAYERS
    assert found.modules is not None
    assert found.modules.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert examine_tickets(networks(**far, untrained=blocks(7)), SETTINGS).verdict == "shared"


def test_few_layers_allow_no_verdict() -> None:
    for layers, modules in ((5, True), (4, True), (3, False)):
        found = examine_network(networks(dense=blocks(0)[:layers]), "dense", SETTINGS)
        assert (found.verdict, found.modules is not None) == ("too few layers", modules)
    assert Examined(None, 3, {}).explained_by == []


def test_networks_of_other_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="'untrained' and 'dense' have different layers"):
        examine_network(networks(dense=smooth(0), untrained=smooth(1)[:7]), "dense", SETTINGS)
