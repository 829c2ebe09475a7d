"""One small run of all stages, shared by the tests, which read it and never write to it."""

import shutil
from pathlib import Path

import pipeline
import pytest
import small_run

from dilt.foundations import storage

SEED = "results/tiny/seed-0"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of all stages."""
    results = tmp_path_factory.mktemp("finished") / "seed-0"
    pipeline.run_all(results)
    return results


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed; without what was kept of it, so that stages work when they run."""
    return Path(shutil.copytree(finished, tmp_path / "seed-0", ignore=shutil.ignore_patterns("checkpoints")))


@pytest.fixture(scope="session")
def experiment(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the finished run is laid out as the workflow does it; tests add to it and change nothing."""
    folder = tmp_path_factory.mktemp("experiment")
    seed = folder / SEED
    shutil.copytree(finished, seed, ignore=shutil.ignore_patterns("checkpoints", "data", "assembly*"))
    shutil.copytree(finished / "data", folder / "results/tiny/data")
    shutil.copytree(finished / "assembly", seed / "assembly/round-1")
    shutil.copy(finished / "assembly.csv", seed / "assembly/round-1.csv")
    told = {f"model.{key}": value for key, value in small_run.MODEL.items()} | {
        "source.resize": "squash",
        "source.crop_share": 1.0,
    }
    storage.write_json(folder / "results/tiny/experiments/tiny.json", told)
    return folder
