"""The commands of a first hour: `dilt init` on a folder of images, its file checked and planned, and `dilt status`."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from dilt.jobs.usage import COLUMNS, RUNNING
from tests.workflow.project import Project


def dilt(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-m", "dilt.console", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def birds(clean: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone beside which lies a folder of images of mixed sizes, in eight classes, and a table of these."""
    folder = clean.copy(tmp_path_factory.mktemp("birds") / "project").folder
    draws = np.random.default_rng(0)
    for number in range(8):
        (folder / f"birds/bird {number}").mkdir(parents=True)
        for image in range(14):
            pixels = draws.integers(0, 256, (int(draws.integers(8, 12)), int(draws.integers(8, 24)), 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"birds/bird {number}/{image}.png")
    rows = "".join(f"bird {number},{'wood' if number % 2 else 'water'}\n" for number in range(8))
    (folder / "habitats.csv").write_text(f"bird,habitat\n{rows}")
    return folder


def test_a_folder_becomes_a_file_that_can_be_planned_and_run(birds: Path) -> None:
    written = dilt(birds, "init", "birds", "--model", "mlp", "--table", "habitats.csv")
    assert written.returncode == 0, written.stderr
    assert written.stdout.startswith("birds: 8 classes of 14 to 14 images, 112 in all; ")
    assert re.search(r"mlp at \d+ pixels: .+ of training", written.stderr)
    assert re.search(r"^Chosen: mlp at \d+ pixels\. All trainings take about ", written.stdout, re.MULTILINE)
    assert dilt(birds, "check", "birds.yaml").stdout == "birds.yaml: valid\n"
    values = yaml.safe_load((birds / "birds.yaml").read_text())
    assert values["source"]["partitions"]["group_column"] == "habitat"
    assert len(values["targets"]["held-out"]["classes"]) == 2
    assert "stem" not in values["model"], "a perceptron has none"
    said = dilt(birds, "status", "birds.yaml").stdout
    assert re.match(r"Experiment birds: 0 of [\d,]+ results are there, \d+ jobs are left\n", said)
    assert "Time left: unknown until some networks are trained." in said
    again = dilt(birds, "init", "birds")
    assert (again.returncode, again.stderr) == (
        *(1, "dilt init: error: birds.yaml: is there already; remove it, or write another file with --to\n"),
    )


def test_with_little_time_networks_are_narrower_and_trained_for_fewer_epochs(birds: Path) -> None:
    written = dilt(birds, "init", "birds", "--hours", "0.0001", "--to", "hasty.yaml")
    assert written.returncode == 0, written.stderr
    tried = re.findall(r"^(resnet18.*?) at (\d+) pixels", written.stderr, re.MULTILINE)
    assert [name for name, _ in tried] == [
        *("resnet18", "resnet18 with 32 to 256 channels", "resnet18 with 16 to 128 channels")
    ]
    values = yaml.safe_load((birds / "hasty.yaml").read_text())
    assert values["experiment"] == "hasty"
    assert values["model"]["arguments"] == {"channels": [16, 32, 64, 128]}
    assert values["training"]["epochs"] == 8, "no fewer, however little time there is"
    assert "steps are few: networks may stay at chance" in written.stdout
    assert "as there is no time for 60" in (birds / "hasty.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "Snakefile: is there already, so a project is; give the folder of images to look at"),
        (("nowhere",), "nowhere: no such folder; give the folder that has a folder of images for each class"),
        (("birds", "--to", "x.yaml", "--table", "birds.csv"), "'birds.csv'"),
        (("birds", "--to", "x.yaml", "--model", "resnet81"), "model.name: 'resnet81' is neither mlp nor a timm model"),
    ],
)
def test_what_cannot_be_proposed_is_told_and_nothing_written(birds: Path, words: tuple[str, ...], line: str) -> None:
    told = dilt(birds, "init", *words)
    assert told.returncode == 1
    assert line in told.stderr
    assert "Traceback" not in told.stderr
    assert not (birds / "x.yaml").exists()


def test_status_of_a_finished_experiment_has_its_verdicts(finished: Project) -> None:
    said = dilt(finished.folder, "status", *finished.configuration).stdout
    assert re.match(r"Experiment digits: all is done, [\d,]+ results\n", said)
    assert re.findall(r"^(C\d) INCONCLUSIVE", said, re.MULTILINE) == ["C1", "C2", "C3"], "with one seed"
    assert "Time left" not in said


def test_status_tells_what_runs_and_what_is_left(project: Project) -> None:
    (project.folder / "results/digits/seed-0/tickets/round-1/core/weights.safetensors").unlink()
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    logs = {"train_ticket/seed-0/here": 0, "evaluate/seed-0/gone": 3600}
    for log, seconds_ago in logs.items():
        table = project.folder / f"results/digits/logs/{log}.usage.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text(f"{','.join(COLUMNS)}\n{begun},{RUNNING},1.0,1.0,100.0\n")
        os.utime(table, (table.stat().st_mtime - seconds_ago,) * 2)
    said = dilt(project.folder, "status", *project.configuration).stdout
    assert re.search(r"^train_ticket +1$", said, re.MULTILINE)
    assert re.search(r"^Time left: about .* as the jobs of digits took\.$", said, re.MULTILINE)
    assert "train_ticket/seed-0/here: running, 0 min since it began" in said
    assert "evaluate/seed-0/gone: no sign of it lately" in said
