"""One small run of all stages, shared by the tests, which read it and never write to it."""

import shutil
from pathlib import Path

import pipeline
import pytest


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
