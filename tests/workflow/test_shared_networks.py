"""Experiments with the same networks train them once, and differ only in what follows from them."""

import re
from pathlib import Path

import pytest

import dilt
from dilt.tickets.selection import CORE_CONTROLS
from tests.workflow.project import Project

ANSWERS = {"measure_instability", "compare", "cluster", "summarise", "report"}
TRANSFER = {"transfer_ticket", "evaluate_transfer"}
OTHERS = {
    "clustering": ("clustering: {subsamples: 3}", ANSWERS),
    "targets": ("targets: {two: {name: digits, classes: ['6', '7']}}", {"prepare", *TRANSFER, *ANSWERS}),
    "claims": ("claims: {margin: 3}\ndistances: {cost: cosine}", ANSWERS),
}


def beside(project: Project, settings: str) -> Project:
    """Another experiment in the same folder, with its own settings laid over the first one's."""
    (project.folder / "other.yaml").write_text(f"experiment: other\n{settings}\n")
    return Project(project.folder, "other.yaml")


@pytest.mark.parametrize("differs", ["clustering", "targets", "claims"])
def test_what_is_the_same_is_not_made_again(project: Project, differs: str) -> None:
    settings, rules = OTHERS[differs]
    assert set(beside(project, settings).planned()) == rules


def test_two_experiments_live_side_by_side(project: Project) -> None:
    shared = project.results()
    other = beside(project, "clustering: {subsamples: 3}")
    other.snakemake("--cores", "2")
    assert other.planned() == {}
    assert project.planned() == {}
    log = project.folder / "results/other/logs/compare/seed-0/round-1.log"
    assert "finished before" in log.read_text(), "distances over the same tickets are not computed again"
    again = project.results()
    assert {path: content for path, content in again.items() if "other.json" not in path} == shared
    assert (project.folder / "results/other/report.html").exists()


def test_rounds_of_tickets_are_shared(project: Project) -> None:
    """An experiment that reads a claim at another round of the same networks trains that claim's tickets only."""
    project.edit("tiny.yaml", "pruning: {rounds: 2", "pruning: {rounds: 3")
    project.snakemake("tickets", "--cores", "2")
    other = beside(project, "tickets: {claim_rounds: {C1: 2}}")
    planned = other.planned()
    assert "train" not in planned
    assert (planned["train_to_core"], planned["train_ticket"]) == (1, 1)
    other.snakemake("tickets", "--cores", "2")
    said = (project.folder / "results/digits/logs/train_ticket/seed-0/round-all/all.log").read_text()
    own = ("core", *CORE_CONTROLS, "null-core-low@core", "null-core-high@core")
    assert set(re.findall(r"^(.*): epoch", said, re.MULTILINE)) == {f"2/{name}" for name in own}
    assert said.count("finished before") == 34 - len(own) + 1, "of the first round; its core is a baseline"
    folder = project.folder / "results/digits/seed-0"
    core = dilt.read_mask(folder / "tickets/round-2/core/mask.safetensors")
    ended = dilt.read_mask(folder / "same-rounds-2/full/round-2/mask.safetensors")
    assert dilt.read_mask(folder / "tickets/round-2/lth-same-rounds@core/mask.safetensors") == ended
    assert ended.count == core.count


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        ("training: {epochs: 2}", "training.epochs: 2, but experiment 'digits' shares results/digits and has 1"),
        (
            "targets: {held-out: {name: digits, classes: ['6', '7', '8', '9'], test_share: 0.4}}",
            "targets.held-out.test_share: 0.4, but experiment 'digits'",
        ),
        ("model: {arguments: {width: 8, depth: 2}}", "model.arguments: {'width': 8, 'depth': 2}, but"),
    ],
)
def test_experiments_that_would_overwrite_each_other_are_refused(
    finished: Project, tmp_path: Path, settings: str, culprit: str
) -> None:
    other = beside(finished.copy(tmp_path / "project"), settings)
    done = other.snakemake("--dry-run", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert culprit in said
    assert "name another folder in 'networks'" in said
    assert "Traceback" not in said
