"""With jobs.keep: masks a finished seed's networks are gone; nothing else changes, and what needs them trains them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dilt.foundations.result_paths import Networks, is_trained
from dilt.foundations.storage import read_json
from tests.workflow.project import Project

ANSWERS = {"summarise", "report"}
CORE = "seed-0/tickets/round-1/core/weights.safetensors"
FIGURES = ("dilt/reporting/figures.py", "fontsize=", "fontsize=1 * ", ANSWERS)
DISTANCES = ("dilt/geometry/matching.py", "TOLERANCE = 1e-11", "TOLERANCE = 1e-10", {"compare", "cluster", *ANSWERS})
AGAIN = {
    *("train_ticket", "represent", "compare", "cluster", "transfer_ticket", "evaluate_tickets", "evaluate_transfer"),
    *("remove_networks", *ANSWERS),
}
EVALUATION = ("dilt/networks/calibration.py", "BINS = 15", "BINS = 20", AGAIN)
TRANSFER = ("dilt/transfer.py", 'f"{protocol} {target.name}"', 'f"{target.name} {protocol}"')


@pytest.fixture(scope="module")
def kept(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished clone whose networks were then removed; tests copy it before they change it."""
    project = finished.copy(tmp_path_factory.mktemp("kept") / "project")
    project.edit("tiny.yaml", "group: together", "group: together, keep: masks")
    assert project.planned() == {"remove_networks": 1}
    project.snakemake("--cores", "2")
    return project


def results_of(project: Project) -> dict[str, bytes]:
    """Results without records of the work."""
    return {path: content for path, content in project.results().items() if not path.startswith(("checkp", "exper"))}


def test_networks_are_gone_and_all_else_is_as_it_was(finished: Project, kept: Project) -> None:
    before, after = results_of(finished), results_of(kept)
    record = Networks.REMOVED.format(seed=0)
    gone = before.keys() - after.keys()
    assert gone == {path for path in before if is_trained(path)}
    assert sorted(gone) == read_json(kept.folder / "results/digits" / record)["networks"]
    assert {path.rpartition("/")[2] for path in after.keys() - before.keys()} == {record.rpartition("/")[2]} | {
        f".{record.rpartition('/')[2]}.sha256"
    }
    assert all(content == before[path] for path, content in after.items() if path in before)
    names = [path.name for path in (kept.folder / "results/digits/checkpoints/train_ticket").rglob("*.safetensors")]
    assert not names, "a hard link would hold the bytes"


def test_there_is_nothing_to_do(kept: Project) -> None:
    assert kept.planned() == {}
    assert kept.planned("restore") == {}
    status = [sys.executable, "-m", "dilt.status", *kept.configuration]
    told = subprocess.run(status, cwd=kept.folder, capture_output=True, text=True, check=True).stdout
    assert re.match(r"Experiment digits: all is done, \d+ results; 119 networks were removed \(jobs\.keep\)\n", told)


@pytest.mark.parametrize("edit", [FIGURES, DISTANCES, EVALUATION], ids=["figures", "distances", "evaluation"])
def test_an_edit_trains_what_it_reads_and_nothing_else(
    kept: Project, edit: tuple[str, str, str, set[str]], tmp_path: Path
) -> None:
    edited = kept.copy(tmp_path / "edited")
    edited.edit(*edit[:3])
    assert set(edited.planned()) == edit[3]
    shutil.rmtree(edited.folder)


def test_a_network_comes_back_with_the_same_bits(finished: Project, kept: Project, tmp_path: Path) -> None:
    project = kept.copy(tmp_path / "project")
    ticket = f"results/digits/{CORE}".rpartition("/")[0]
    export = [sys.executable, "-m", "dilt.export", ticket, "--to", "exported"]
    refused = subprocess.run(export, cwd=project.folder, capture_output=True, text=True, check=False)
    (line,) = refused.stderr.splitlines()
    cure = re.search(r"removed, as jobs\.keep is masks; `snakemake (\S+) --cores 2` trains it again", line)
    assert cure, line
    project.snakemake(cure[1], "--cores", "2")
    network = project.folder / cure[1]
    assert network.read_bytes() == (finished.folder / "results/digits" / CORE).read_bytes()
    assert project.planned() == {}
    done = project.snakemake("-n", "-q", "rules", "host", "-R", "remove_networks")
    assert project.jobs(done.stdout + done.stderr) == {"remove_networks": 1}

    project.snakemake("--touch", "--cores", "2")
    assert project.planned() == {}
    project.edit("tiny.yaml", "keep: masks", "keep: all")
    assert "train" in project.planned(), "what was removed is asked for"


def test_a_failed_transfer_leaves_no_older_scores_standing_as_current(kept: Project, tmp_path: Path) -> None:
    project = kept.copy(tmp_path / "project")
    place = Networks.TRANSFERRED.format(seed=0, round=1, target="held-out", ticket="core", protocol="retrain")
    network = project.folder / "results/digits" / place
    obstacle = network.with_name(f".{network.name}.partial")
    obstacle.mkdir(parents=True)
    project.edit(*TRANSFER)
    assert project.snakemake("transfer", "--cores", "2", check=False).returncode != 0
    obstacle.rmdir()
    assert set(project.planned()) == {"transfer_ticket", "evaluate_transfer", "remove_networks", *ANSWERS}
