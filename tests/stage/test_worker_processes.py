"""Jobs whose images are decoded by worker processes: stopped and killed, they leave none behind and lose nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pipeline
import psutil
import pytest
import small_run
from PIL import Image

from tests.conftest import ROOT
from tests.processes import still_working

WORKERS = 2
FILES = ("weights.safetensors", "metrics.csv")


@pytest.fixture
def streamed(tmp_path: Path) -> Path:
    """The folder of a run whose source is streamed, with theta0."""
    noise = np.random.default_rng(0)
    for name in ("0", "1", "2", "3"):
        for index in range(40):
            file = tmp_path / "images/train" / name / f"{index}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise.integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(file)
    results = tmp_path / "seed-0"
    data = {"name": "folder", "root": str(tmp_path / "images"), "image_size": 8, "storage": "streamed"}
    partitions = {"by": "classes", "classes": pipeline.PARTITIONS}
    options = json.dumps({"data": data, "partitions": partitions})
    pipeline.run("prepare", {"dataset": results / "data/source/dataset.json", "options": options})
    pipeline.run("initialise", pipeline.initialise(results))
    return results


def arguments(results: Path) -> pipeline.Arguments:
    training = small_run.TRAINING | {"epochs": 60, "augmentation": "crop"}
    return pipeline.train(results, 1, ["independent/full"]) | {"options": pipeline.options("train", training=training)}


def outputs(results: Path) -> list[bytes]:
    return [(results / "independent/full/round-1" / file).read_bytes() for file in FILES]


@contextmanager
def running(results: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[psutil.Process]]]:
    """The job in the middle of its training, in a process group of its own, and its workers."""
    command = [sys.executable, "-m", "dilt.train", *small_run.command_line(arguments(results))]
    environment = os.environ | {"DILT_CHECKPOINT_MINUTES": "0", "DILT_WORKERS": str(WORKERS)}
    checkpoint = results / "checkpoints/train-1/independent.full.safetensors"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as job:
        workers: list[psutil.Process] = []
        while not (checkpoint.exists() and len(workers) >= WORKERS):
            assert job.poll() is None, "ended before it was stopped"
            time.sleep(0.01)
            workers = psutil.Process(job.pid).children()
        yield job, workers


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 143), (signal.SIGUSR1, 143), (signal.SIGKILL, -9)],
    ids=["SIGTERM", "SIGINT", "SIGUSR1", "SIGKILL"],
)
def test_a_job_that_was_ended_leaves_no_workers_and_goes_on_to_the_same_bytes(
    streamed: Path, number: int, code: int
) -> None:
    with running(streamed) as (job, workers):
        if number == signal.SIGKILL:
            job.kill()
        else:
            os.killpg(job.pid, number)  # as a terminal and Slurm do: workers get it too
    assert job.returncode == code
    assert not still_working(workers), "worked on"
    assert "goes on from step" in pipeline.run("train", arguments(streamed))
    resumed = outputs(streamed)
    shutil.rmtree(streamed / "checkpoints")
    assert "goes on from step" not in pipeline.run("train", arguments(streamed))
    assert outputs(streamed) == resumed


def test_a_program_ends_that_still_has_workers(streamed: Path) -> None:
    code = f"""
import numpy as np
from pathlib import Path
from dilt.data.prepared import read_split
from dilt.data.workers import Workers
workers = Workers(read_split(Path({str(streamed / "data/source/dataset.json")!r}), "train").pixels, 2)
batches = workers.batches([np.arange(4)] * 50)
print(next(batches).shape)
raise SystemExit(7)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 7
