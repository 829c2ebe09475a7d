"""A job stopped or killed in the middle goes on in the next run of the same command, to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pipeline
import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("weights.safetensors", "metrics.csv")


def long_training(results: Path) -> pipeline.Arguments:
    training = pipeline.TRAINING | {"epochs": 60, "augmentation": "crop"}
    return pipeline.train(results, 1, ["independent/full"]) | {"options": pipeline.options("train", training=training)}


def outputs(results: Path) -> list[bytes]:
    return [(results / "independent/full/round-1" / file).read_bytes() for file in FILES]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)], ids=["SIGTERM", "SIGKILL"])
def test_a_job_that_was_ended_goes_on_to_the_same_bytes(results: Path, number: int, code: int) -> None:
    for file in FILES:
        (results / "independent/full/round-1" / file).unlink()
    command = [sys.executable, "-m", "dilt.train", *pipeline.command_line(long_training(results))]
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
    assert not checkpoint.exists()
    assert "goes on from step" not in pipeline.run("train", long_training(results))
    assert outputs(results) == resumed
