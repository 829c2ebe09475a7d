"""DESIGN section 4: rerun exactly what changed, stop anywhere, same seed same files."""

import os
import signal
import subprocess
import sys
import time

import pytest

AFTER_TRAIN = {
    "prune",
    "prune_to_consensus",
    "combine",
    "train_ticket",
    "represent",
    "compare",
    "cluster",
    "assemble",
    "transfer_ticket",
    "summarise",
}


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.planned() == {}


def test_new_dates_rerun_nothing(project):
    for path in project.folder.rglob("*"):
        if ".snakemake" not in path.parts and path.is_file():
            path.touch()
    assert project.planned() == {}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("dilt/masks.py", "class Mask:\n", "# A comment.\nclass Mask:\n"),
        ("dilt/training.py", '"""The training loop', '"""A training loop'),
        (
            "dilt/pruning.py",
            "    scores = magnitudes(weights, mask)\n    if",
            "    scores = (magnitudes(weights, mask))\n    if",
        ),
    ],
    ids=["comment", "docstring", "layout"],
)
def test_edits_that_change_nothing_rerun_nothing(project, file, old, new):
    project.edit(file, old, new)
    assert project.planned() == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "stages"),
    [
        ("dilt/modules.py", "round(0.8 * len(labels))", "round(0.7 * len(labels))", {"cluster", "summarise"}),
        ("dilt/transport.py", "identity_loss == 0", "identity_loss <= 0", {"compare", "cluster", "summarise"}),
        ("dilt/statistics.py", "estimate.low > 0", "estimate.low >= 0", {"summarise"}),
        ("dilt/pruning.py", "round(live * rate)", "int(live * rate)", AFTER_TRAIN | {"train"}),
    ],
    ids=["modules", "transport", "statistics", "pruning"],
)
def test_an_edited_function_reruns_its_stage_and_what_follows(project, file, old, new, stages):
    project.edit(file, old, new)
    done = project.snakemake("--dry-run")
    module = file.removesuffix(".py").replace("/", ".")
    assert f"{module}:" in done.stdout + done.stderr, "the reason names the module"
    assert set(project.planned()) == stages


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("subsamples: 2", "subsamples: 3", {"cluster", "summarise"}),
        ("penalties: [0.1]", "penalties: [0.2]", {"transfer_ticket", "summarise"}),
        ("rate: 0.5}", "rate: 0.4}", AFTER_TRAIN | {"train"}),
    ],
    ids=["clustering", "transfer", "pruning"],
)
def test_a_changed_setting_reruns_the_stages_that_read_it(project, old, new, stages):
    project.edit("tiny.yaml", old, new)
    assert set(project.planned()) == stages


def test_a_new_seed_leaves_the_old_one_alone(project):
    project.edit("tiny.yaml", "seeds: [0]", "seeds: [0, 1]")
    planned = project.planned()
    assert planned["initialise"] == 1
    assert planned["train"] == 2
    assert "prepare" not in planned


def test_a_deleted_intermediate_is_made_again_alone(project):
    path = project.folder / "results/digits/seed-0/geometry/round-1/distances.csv"
    before = path.read_bytes()
    path.unlink()
    project.snakemake(str(path.relative_to(project.folder)), "--cores", "2")
    assert path.read_bytes() == before
    assert project.planned() == {}


def test_the_same_seed_gives_the_same_files(clean, finished, tmp_path):
    again = clean.copy(tmp_path / "again")
    again.snakemake("--cores", "2")
    first, second = finished.results(), again.results()
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


def test_siblings_apart_or_together_give_the_same_files(project, tmp_path):
    path = "results/digits/seed-0/cyclic/low/round-2/weights.safetensors"
    before = (project.folder / path).read_bytes()
    (project.folder / path).unlink()
    project.snakemake(path, "--config", 'jobs={"siblings": "apart"}', "--rerun-triggers", "mtime", "--cores", "1")
    assert (project.folder / path).read_bytes() == before


def test_a_killed_run_goes_on_to_the_same_files(clean, finished, tmp_path):
    """SIGKILL of Snakemake and all its jobs while a training runs; then the same command again."""
    project = clean.copy(tmp_path / "killed")
    command = [sys.executable, "-m", "snakemake", "tickets", "--cores", "1", "--configfile", "config.yaml", "tiny.yaml"]
    running = subprocess.Popen(
        command, cwd=project.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    log = project.folder / "results/digits/logs/train_ticket/seed-0/round-1/all.log"
    deadline = time.monotonic() + 300
    while not (log.exists() and "core: epoch" in log.read_text()):
        assert running.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    kept = list((project.folder / "results/digits/checkpoints").rglob("*.safetensors"))
    assert kept, "finished trainings of the killed job are kept"

    project.snakemake("--unlock")
    project.snakemake("tickets", "--cores", "2", "--rerun-incomplete")
    assert "goes on from step" in log.read_text()
    expected = finished.results()
    for path, content in project.results().items():
        assert content == expected[path], f"{path} differs from an undisturbed run's"
