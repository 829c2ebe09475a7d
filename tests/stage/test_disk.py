"""A disk that is full, or a folder that may not be written: one line, nothing half-written, nothing lost."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pipeline
import pytest

JOBS = {
    "prepare": lambda results: pipeline.prepare(results, "held-out"),
    "initialise": pipeline.initialise,
    "train": lambda results: pipeline.train(results, 1, ["independent/full", "cyclic/low"]),
    "instability": pipeline.instability,
    "prune": lambda results: pipeline.prune(results, 1, "cyclic"),
    "score": pipeline.score,
    "combine": pipeline.combine,
    "train_ticket": lambda results: pipeline.train_ticket(results, pipeline.FEW),
    "represent": lambda results: pipeline.represent(results, ["core"]),
    "compare": lambda results: pipeline.compare(results, pipeline.FEW),
    "cluster": pipeline.cluster,
    "assemble": pipeline.assemble,
    "retrain_assembly": lambda results: pipeline.retrain_assembly(results, ["low/core"]),
    "evaluate_assemblies": pipeline.evaluate_assemblies,
    "transfer": lambda results: pipeline.transfer(results, ["core"]),
    "evaluate": lambda results: pipeline.evaluate_transfer(results, ["core"]),
}


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process can grow beyond a size in bytes: how a full disk looks to a program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Sizes at which one kind of file after another no longer fits: records, masks, tables, arrays, weights, images.
@pytest.mark.parametrize("size", [1, 400, 1_000, 4_000])
@pytest.mark.parametrize("stage", JOBS)
def test_a_full_disk_is_told_in_one_line_and_the_next_run_writes_the_same_bytes(
    results: Path,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stage: str,
    size: int,
) -> None:
    if stage == "train":
        monkeypatch.setenv("DILT_CHECKPOINT_MINUTES", "0")
    before = contents(results)
    with largest_file(size):
        code = exit_code(stage, results)
    said = capsys.readouterr().err.splitlines()
    assert size > 1 or code == 1, "the limit had no effect"
    if code:
        assert code == 1
        assert len(said) == 1
        assert re.search(rf"{results}/.* cannot be written \(.*\); make room, then run again", said[0])
    after = contents(results)
    assert {path: content for path, content in after.items() if path in before} == before
    assert not [path for path in after if "partial" in path]

    pipeline.run(stage, JOBS[stage](results))
    for path, content in contents(results).items():
        assert content == (finished / path).read_bytes(), path


def exit_code(stage: str, results: Path) -> int:
    try:
        pipeline.run(stage, JOBS[stage](results))
    except SystemExit as ended:
        return int(str(ended.code))
    return 0


def contents(results: Path) -> dict[str, bytes]:
    return {str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*") if path.is_file()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may not write here")
@pytest.mark.parametrize("stage", JOBS)
def test_a_folder_that_may_not_be_written_is_named(
    results: Path, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    for folder in (results, *results.parents[:4]):
        folder.chmod(0o755)
    before = contents(results)
    os.seteuid(65534)
    try:
        code = exit_code(stage, results)
    finally:
        os.seteuid(0)
    assert code == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "Permission denied" in said[0]
    assert str(results) in said[0]
    assert contents(results) == before
