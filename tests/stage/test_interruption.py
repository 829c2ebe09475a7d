"""A job stopped or killed in the middle goes on in the next run of the same command, to the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pipeline
import pytest
import small_run

from dilt.foundations import locks
from dilt.jobs.checkpoints import Checkpoint

ROOT = Path(__file__).resolve().parents[2]
FILES = ("weights.safetensors", "metrics.csv")


def long_training(results: Path) -> pipeline.Arguments:
    training = small_run.TRAINING | {"epochs": 60, "augmentation": "crop"}
    return pipeline.train(results, 1, ["independent/full"]) | {"options": pipeline.options("train", training=training)}


def outputs(results: Path) -> list[bytes]:
    return [(results / "independent/full/round-1" / file).read_bytes() for file in FILES]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=["SIGTERM", "SIGKILL"])
def test_a_job_that_was_ended_goes_on_to_the_same_bytes(results: Path, number: int, code: int) -> None:
    for file in FILES:
        (results / "independent/full/round-1" / file).unlink()
    command = [sys.executable, "-m", "dilt.train", *small_run.command_line(long_training(results))]
    eager = os.environ | {"DILT_CHECKPOINT_MINUTES": "0", "OMP_NUM_THREADS": "1"}
    checkpoint = results / "checkpoints/train-1/independent.full.safetensors"
    with subprocess.Popen(command, cwd=ROOT, env=eager, stdout=subprocess.DEVNULL) as job:
        while not checkpoint.exists():
            assert job.poll() is None, "ended before it was stopped"
            time.sleep(0.01)
        job.send_signal(number)
    assert job.returncode == code
    assert checkpoint.exists()
    assert not any((results / "independent/full/round-1" / file).exists() for file in FILES)

    assert "goes on from step" in pipeline.run("train", long_training(results))
    resumed = outputs(results)
    shutil.rmtree(checkpoint.parent)
    assert "goes on from step" not in pipeline.run("train", long_training(results))
    assert outputs(results) == resumed


def test_a_second_run_of_a_running_job_is_refused_in_one_line_and_harms_nothing(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.3)
    command = [sys.executable, "-m", "dilt.train", *small_run.command_line(long_training(results))]
    lock = results / "checkpoints/train-1/independent.full.lock"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as first:
        while not (lock.exists() and lock.read_text()):  # it writes its name once it has the lock
            assert first.poll() is None, "ended before the second run"
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        with pytest.raises(SystemExit) as refused:
            pipeline.run("train", long_training(results))
        first.send_signal(signal.SIGCONT)
    assert refused.value.code == 1
    assert f"independent.full: process {first.pid} on" in capsys.readouterr().err
    assert first.returncode == 0
    assert "finished before" in pipeline.run("train", long_training(results))


@pytest.mark.parametrize("saves", [1, 2])
@pytest.mark.parametrize("stage", ["represent", "assemble", "transfer"])
def test_a_stage_ended_at_a_checkpoint_goes_on_to_the_same_bytes(
    results: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, stage: str, saves: int
) -> None:
    job = {
        "represent": pipeline.represent(results, ["core"]),
        "assemble": pipeline.assemble(results),
        "transfer": pipeline.transfer(results, ["core"]),
    }[stage]
    files = small_run.outputs(stage, job)
    for file in files:
        file.unlink()
    monkeypatch.setenv("DILT_CHECKPOINT_MINUTES", "0")
    monkeypatch.setattr("dilt.geometry.recording.BATCH", 8)
    monkeypatch.setattr("dilt.geometry.zarr_stores.CHUNK_ROWS", 8)
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", killing(saves))
        with pytest.raises(Killed):
            pipeline.run(stage, job)
    assert not any(file.exists() for file in files)
    taken_up = []
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "load", noting(taken_up))
        pipeline.run(stage, job)
    assert any(taken_up), "the second run went on from the first one's state"
    for file in files:
        assert file.read_bytes() == (finished / file.relative_to(results)).read_bytes(), file


@pytest.mark.parametrize("renames", [1, 2, 3, 5])
def test_an_evaluation_killed_between_two_files_is_done_anew_to_the_same_bytes(
    results: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    job = pipeline.evaluate_transfer(results, ["core", "union"])
    files = small_run.outputs("evaluate", job)
    for file in files:
        file.unlink()
    rename, done = os.replace, iter(range(1, renames + 1))

    def renaming(source: Path, target: Path) -> None:
        rename(source, target)
        if next(done) == renames:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", renaming)
        with pytest.raises(Killed):
            pipeline.run("evaluate", job)
    assert 0 < sum(file.exists() for file in files) < len(files)
    pipeline.run("evaluate", job)
    for file in files:
        assert file.read_bytes() == (finished / file.relative_to(results)).read_bytes(), file


class Killed(BaseException):
    """What stands for kill -9: nothing in the project catches it."""


def killing(saves: int) -> Callable[..., None]:
    """A `Checkpoint.save` after which, the given number of times done, the process is no more."""
    save, done = Checkpoint.save, iter(range(1, saves + 1))

    def saving(checkpoint: Checkpoint, *state: object) -> None:
        save(checkpoint, *state)
        if next(done) == saves:
            raise Killed

    return saving


def noting(taken_up: list[bool]) -> Callable[..., object]:
    """A `Checkpoint.load` that notes whether there was something to load."""
    load = Checkpoint.load

    def loading(checkpoint: Checkpoint) -> object:
        found = load(checkpoint)
        taken_up.append(found is not None)
        return found

    return loading
