"""Every stage that trains networks leaves their curves, which are their metrics value by value, if it is asked to."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pipeline
import pytest
import small_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dilt.foundations.storage import read_tensors
from dilt.training.event_files import SWITCH, folder_of
from tests.conftest import ROOT

FEW = ["dense", "core"]


@pytest.fixture
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")


def read(weights: Path) -> dict[str, list[tuple[int, float]]]:
    """The steps and values of each tag of a network's curve."""
    run = EventAccumulator(str(folder_of(weights))).Reload()
    return {tag: [(point.step, point.value) for point in run.Scalars(tag)] for tag in run.Tags()["scalars"]}


def assert_as_told(weights: Path) -> None:
    """The curve is what metrics.csv tells."""
    with weights.with_name("metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = read(weights)
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        assert found[name] == [(int(row["epoch"]), float(np.float32(row[name]))) for row in rows], weights


def weights_of(arguments: pipeline.Arguments) -> Iterable[Path]:
    weights = arguments["weights"]
    assert isinstance(weights, list)
    return weights


@pytest.mark.usefixtures("switched_on")
def test_trajectories_tickets_and_assemblies_leave_curves_even_if_finished_before(results: Path) -> None:
    jobs = {
        "train": pipeline.train(results, 2, ["independent/low", "cyclic/high"]),
        "train_ticket": pipeline.train_ticket(results, FEW),
        "retrain_assembly": pipeline.retrain_assembly(results, ["low/core", "high/union"]),
    }
    for stage, job in jobs.items():
        assert "finished before" not in pipeline.run(stage, job)
        for weights in weights_of(job):
            assert_as_told(weights)
            assert len(read(weights)) == 5
        before = {weights: read(weights) for weights in weights_of(job)}
        assert "finished before" in pipeline.run(stage, job)
        assert {weights: read(weights) for weights in weights_of(job)} == before


def test_a_curve_can_be_had_of_a_network_that_is_finished(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = pipeline.train_ticket(results, FEW)
    pipeline.run("train_ticket", job)
    assert not (results.parent / "tensorboard").exists()
    monkeypatch.setenv(SWITCH, "1")
    assert "finished before" in pipeline.run("train_ticket", job)
    for weights in weights_of(job):
        assert_as_told(weights)


@pytest.mark.usefixtures("switched_on")
def test_transfers_and_late_rewinding_leave_curves(results: Path) -> None:
    transfer = pipeline.transfer(results, ["core"])
    pipeline.run("transfer", transfer)
    for network in small_run.outputs("transfer", transfer):
        assert read_tensors(network)[1]["protocol"] == network.stem
        assert folder_of(network).exists() == (network.stem != "linear")
        if network.stem != "linear":
            assert [step for step, _ in read(network)["train_loss"]] == [1, 2]

    late = pipeline.initialise(results) | {"options": small_run.options("initialise", rewind_epoch=1)}
    pipeline.run("initialise", late)
    for network in ("theta0", "reinitialised-1"):
        assert [step for step, _ in read(results / f"{network}.safetensors")["train_loss"]] == [1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_was_ended_in_the_middle_leaves_one_curve_when_it_is_done(
    results: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    longer = small_run.options("train", training=small_run.TRAINING | {"epochs": 60})
    job = pipeline.train(results, 1, ["independent/full"]) | {"options": longer}
    (weights,) = weights_of(job)
    eager = os.environ | {"DILT_CHECKPOINT_MINUTES": "0", "OMP_NUM_THREADS": "1", SWITCH: "1"}
    command = [sys.executable, "-m", "dilt.train", *small_run.command_line(job)]
    with subprocess.Popen(command, cwd=ROOT, env=eager, stdout=subprocess.DEVNULL) as process:
        while not (folder_of(weights).exists() and read(weights).get("train_loss", [])[3:]):
            assert process.poll() is None, "ended before it was stopped"
            time.sleep(0.01)
        process.send_signal(number)
    before = read(weights)["images_per_second"]
    assert 4 <= len(before) < 60
    monkeypatch.setenv(SWITCH, "1")
    assert "goes on from step" in pipeline.run("train", job)
    assert_as_told(weights)
    assert read(weights)["images_per_second"][:3] == before[:3]
