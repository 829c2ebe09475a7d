"""Facts about all pairs of layers: a pseudo-metric, the same from any number of processes and after any kill."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import psutil
import pytest

from dilt.geometry import pairwise
from dilt.geometry.cka import centred_products
from dilt.geometry.gromov_wasserstein import Geometry, gromov_wasserstein, ground_cost
from dilt.geometry.pairwise import (
    Crew,
    Pairs,
    Task,
    Tiles,
    all_pairs,
    composed,
    matrix,
    pair_tasks,
    probe_subsets,
    repaired,
    violations,
)
from dilt.jobs.checkpoints import Checkpoint, Checkpoints, StopRequest
from tests.processes import still_working

LAYERS, PROBES = 7, 24


def geometries() -> list[Geometry]:
    draws = np.random.default_rng(0)
    clouds = [draws.normal(size=(PROBES, 3)) for _ in range(LAYERS - 1)]
    clouds.append(clouds[0] + 1e-3)  # a copy: distance zero
    return [Geometry.of(ground_cost(centred_products([cloud]), "euclidean", "mean")) for cloud in clouds]


def measured(folder: Path, solver: str = "standard", processes: int = 1) -> Pairs:
    saved = Checkpoints(folder, {}, 300, StopRequest())
    with Crew(geometries, solver, processes) as crew:
        return all_pairs(Tiles(crew, PROBES, saved, "pairs"), LAYERS, solver)


def numbers(pairs: Pairs) -> list[tuple[object, ...]]:
    return [(one.loss, one.lower_bound, one.start, one.iterations, *one.order) for one in pairs.found]


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairwise, "TILE", 0)  # the smallest tiles: four pairs


@pytest.mark.parametrize("solver", ["standard", "thorough"])
def test_distances_are_a_pseudo_metric(tmp_path: Path, solver: str) -> None:
    pairs = measured(tmp_path, solver)
    distances = matrix([one.distance for one in pairs.found])
    assert np.array_equal(distances, distances.T)
    assert np.isfinite(distances).all()
    assert not np.diagonal(distances).any()
    assert distances[0, LAYERS - 1] < 1e-6
    assert pairs.violations == violations(distances) == 0


def test_thorough_is_nowhere_above_standard_and_below_it_somewhere(tmp_path: Path) -> None:
    standard, thorough = (np.array([one.loss for one in measured(tmp_path, s).found]) for s in ("standard", "thorough"))
    assert (thorough <= standard + 1e-12).all()
    assert (thorough < standard - 1e-6).any()


@pytest.mark.parametrize("solver", ["standard", "thorough"])
def test_two_processes_find_what_one_finds(tmp_path: Path, solver: str) -> None:
    one, two = (measured(tmp_path / str(number), solver, number) for number in (1, 2))
    assert numbers(one) == numbers(two)


def test_violated_triangles_are_found_and_repaired(tmp_path: Path) -> None:
    first, second = geometries()[:2]
    best = gromov_wasserstein(first, second, "thorough")
    poor = replace(best, loss=best.identity_loss, order=np.arange(PROBES), start="poor")
    found = [gromov_wasserstein(first, first), best, poor]  # of 0 and its copy 1, of 0 and 2, of 1 and 2
    assert violations(matrix([one.distance for one in found])) == 1
    saved = Checkpoints(tmp_path, {}, 300, StopRequest())
    with Crew(lambda: [first, first, second], "standard", 1) as crew:
        again = repaired(Tiles(crew, PROBES, saved, "pairs"), found, 3)
    assert [one.start for one in again] == ["identity", best.start, "composed"]
    assert again[2].loss == pytest.approx(best.loss)
    assert violations(matrix([one.distance for one in again])) == 0


def test_matches_are_composed_through_the_nearest_layers() -> None:
    made = geometries()
    found = [gromov_wasserstein(made[i], made[j]) for i, j in combinations(range(LAYERS), 2)]
    tasks = composed(found, LAYERS, 3, everywhere=True)
    assert [(task.first, task.second) for task in tasks] == list(combinations(range(LAYERS), 2))
    distances = matrix([one.distance for one in found])
    for task in tasks:
        through = sorted(distances[task.first, k] + distances[k, task.second] for k in others(task))
        for start, bound in zip(task.starts, through[:3], strict=True):
            difference = made[task.first].costs - made[task.second].costs[start][:, start]
            assert np.sqrt((difference**2).mean()) / 2 <= bound + 1e-12


def others(task: Task) -> list[int]:
    return [k for k in range(LAYERS) if k not in (task.first, task.second)]


@pytest.mark.parametrize("solver", ["standard", "thorough"])
@pytest.mark.parametrize("tiles", [1, 3])
def test_a_killed_matrix_repeats_at_most_one_tile_and_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, solver: str, tiles: int
) -> None:
    whole = measured(tmp_path / "whole", solver)
    counted = counting(monkeypatch)
    number = len(pair_tasks(LAYERS))
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "finish", dying(tiles))
        with pytest.raises(Killed):
            measured(tmp_path / "killed", solver)
    again = measured(tmp_path / "killed", solver)
    assert numbers(again) == numbers(whole)
    assert counted["pairs"] == number + 4  # tiles of four pairs


class Killed(BaseException):
    """What stands for kill -9: nothing in the project catches it."""


def dying(tiles: int) -> Callable[..., object]:
    """A `Checkpoint.finish` that keeps so many tiles and ends the process before it keeps the next."""
    finish, left = Checkpoint.finish, iter(range(tiles))

    def finishing(checkpoint: Checkpoint, *state: object) -> object:
        if next(left, None) is None:
            raise Killed
        return finish(checkpoint, *state)

    return finishing


def counting(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many pairs were measured, not counting starts that were added."""
    counted = {"pairs": 0}

    def solve(*arguments: object) -> object:
        counted["pairs"] += 1
        return gromov_wasserstein(*arguments)

    monkeypatch.setattr(pairwise.gromov_wasserstein, "gromov_wasserstein", solve)
    return counted


def test_parts_are_joined_without_measuring_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured(tmp_path / "whole")
    counted = counting(monkeypatch)
    saved = Checkpoints(tmp_path / "parts", {}, 300, StopRequest())
    measured_by = []
    for part in range(3):
        with Crew(geometries, "standard", 1) as crew:
            measured_by.append(len(Tiles(crew, PROBES, saved, "pairs").measure(pair_tasks(LAYERS), "pairs", part, 3)))
    assert measured_by == [8, 8, 5]
    assert numbers(measured(tmp_path / "parts")) == numbers(whole)
    assert counted["pairs"] == 21


JOB = """
import sys, time
from pathlib import Path
from tests.unit.geometry import test_pairwise
from dilt.geometry import pairwise
pairwise.gromov_wasserstein.gromov_wasserstein = lambda *_: time.sleep(600)
test_pairwise.measured(Path(sys.argv[1]), "standard", 2)
"""


def test_processes_end_with_a_killed_job(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", JOB, tmp_path], cwd=root) as job:
        while len(workers := psutil.Process(job.pid).children()) < 2:
            assert job.poll() is None
            time.sleep(0.05)
        job.kill()
    assert not still_working(workers)


@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_subsets_of_probes_are_disjoint_balanced_and_of_one_size(number: int) -> None:
    labels = np.repeat(np.arange(5), [13, 12, 13, 12, 13])
    subsets = probe_subsets(labels, number)
    assert len(subsets) == number
    assert {len(subset) for subset in subsets} == {63 // number}
    assert len(set(np.concatenate(subsets))) == number * (63 // number)
    for subset in subsets:
        counts = np.bincount(labels[subset], minlength=5)
        assert counts.max() - counts.min() <= 2
        assert np.array_equal(subset, np.sort(subset))
    assert all(np.array_equal(*pair) for pair in zip(subsets, probe_subsets(labels, number), strict=True))
