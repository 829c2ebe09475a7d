"""Rerun exactly what changed. A finished run, one change, and what a dry run plans then."""

import os
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.project import Project

EVERYTHING = {
    *("prepare", "initialise", "train", "prune", "prune_to_consensus", "prune_to_core", "combine", "train_ticket"),
    "measure_instability",
    *("represent", "represent_references", "compare", "cluster", "assemble", "retrain_assembly"),
    *("transfer_ticket", "evaluate_tickets", "evaluate_transfer", "evaluate_assemblies", "summarise", "report"),
}
ANSWERS = {"summarise", "report"}
NETWORKS = EVERYTHING - {"prepare"}
PRUNING = NETWORKS - {"initialise", "represent_references"}
TICKETS = ANSWERS | {
    *("combine", "train_ticket", "represent", "compare", "cluster", "transfer_ticket"),
    *("evaluate_tickets", "evaluate_transfer"),
}
DISTANCES = {"compare", "cluster", *ANSWERS}
GEOMETRY = {"represent", "represent_references", *DISTANCES}
UNROUNDED = {"assemble", "retrain_assembly", "evaluate_assemblies"}  # that read of no round after the claim's next
MODULES = {"cluster", *ANSWERS}
TRANSFER = {"transfer_ticket", "evaluate_transfer", *ANSWERS}
EVALUATION = {"evaluate_tickets", "evaluate_transfer", *ANSWERS}
ASSEMBLIES = {"assemble", "evaluate_assemblies", *ANSWERS}


@dataclass(frozen=True)
class Edit:
    """A text of a file replaced by another, and the rules that a dry run plans then."""

    file: str
    old: str
    new: str
    rules: set[str]


CODE = {
    "dilt.tickets.masks": Edit(
        "dilt/tickets/masks.py", "return self.count / self.size", "return float(self.count / self.size)", NETWORKS
    ),
    "dilt.tickets.pruning": Edit("dilt/tickets/pruning.py", "round(live * rate)", "int(live * rate)", PRUNING),
    "dilt.training.schedules": Edit(
        "dilt/training/schedules.py", "* 0.5 * (1 + math.cos", "/ 2 * (1 + math.cos", NETWORKS
    ),
    "dilt.geometry.zarr_stores": Edit("dilt/geometry/zarr_stores.py", "CHUNK_ROWS = 256", "CHUNK_ROWS = 128", GEOMETRY),
    "dilt.geometry.gromov_wasserstein": Edit(
        "dilt/geometry/gromov_wasserstein.py", "identity_loss == 0", "identity_loss <= 0", DISTANCES
    ),
    "dilt.geometry.matching": Edit("dilt/geometry/matching.py", "TOLERANCE = 1e-11", "TOLERANCE = 1e-10", DISTANCES),
    "dilt.geometry.multiscale": Edit("dilt/geometry/multiscale.py", "MARGIN = 1250.0", "MARGIN = 1260.0", DISTANCES),
    "dilt.geometry.pairwise": Edit("dilt/geometry/pairwise.py", "COMPOSED = 3", "COMPOSED = 4", DISTANCES),
    "dilt.geometry.recording": Edit("dilt/geometry/recording.py", "BATCH = 64", "BATCH = 32", GEOMETRY),
    "dilt.geometry.reference_networks": Edit(
        "dilt/geometry/reference_networks.py", "SPREAD = 0.1", "SPREAD = 0.2", GEOMETRY
    ),
    "dilt.grouping.clustering": Edit("dilt/grouping/clustering.py", "(2 * scale**2)", "(3 * scale**2)", MODULES),
    "dilt.grouping.nulls": Edit("dilt/grouping/nulls.py", "MARGIN = 0.05", "MARGIN = 0.06", MODULES),
    "dilt.assemblies.lines": Edit(
        "dilt/assemblies/lines.py", "NORM_IMAGES = 8192", "NORM_IMAGES = 4096", {"measure_instability", *ANSWERS}
    ),
    "dilt.assemblies.readouts": Edit(
        "dilt/assemblies/readouts.py", '"linear head bias"', '"bias of a linear head"', ASSEMBLIES
    ),
    "dilt.transfer": Edit("dilt/transfer.py", 'f"{protocol} {target.name}"', 'f"{target.name} {protocol}"', TRANSFER),
    "dilt.evaluate": Edit(
        "dilt/evaluate.py", '{"all": images.classes, **(', '{"all": [*images.classes], **(', EVALUATION
    ),
    "dilt.networks.calibration": Edit("dilt/networks/calibration.py", "BINS = 15", "BINS = 20", EVALUATION),
    "dilt.data.corruptions": Edit("dilt/data/corruptions.py", "REACH = 3", "REACH = 4", EVALUATION),
    "dilt.networks.linear_heads": Edit(
        "dilt/networks/linear_heads.py",
        "TOLERANCE = 1e-4",
        "TOLERANCE = 1e-5",
        {"transfer_ticket", *EVALUATION, *ASSEMBLIES},
    ),
    "dilt.networks.paths": Edit("dilt/networks/paths.py", "return values + 1", "return values + 2", TICKETS),
    "dilt.answers.verdicts": Edit(
        "dilt/answers/verdicts.py", "smaller[index] <= level", "smaller[index] < level", ANSWERS
    ),
    "dilt.sources.layouts": Edit("dilt/sources/layouts.py", "TINY_SIDE = 64", "TINY_SIDE = 65", EVERYTHING),
    "dilt.settings.answers": Edit("dilt/settings/answers.py", "ge=100", "ge=99", ANSWERS),
    "dilt.reporting.captions": Edit(
        "dilt/reporting/captions.py", "A claim and its verdict,", "A claim, its verdict,", {"report"}
    ),
    "dilt.tickets.meanings": Edit("dilt/tickets/meanings.py", "All weights: nothing", "Nothing", ANSWERS),
    "dilt.reporting.figures": Edit("dilt/reporting/figures.py", "fontsize=", "fontsize=1 * ", ANSWERS),
}
HARMLESS = {
    "comment": Edit("dilt/tickets/masks.py", "class Mask:\n", "# A comment.\nclass Mask:\n", set()),
    "docstring": Edit("dilt/training/session.py", '"""A training under', '"""Training under', set()),
    "layout": Edit("dilt/tickets/pruning.py", "round(live * rate)", "round(\n    live * rate\n)", set()),
    "an error's words": Edit("dilt/sources/layouts.py", "get the right one again", "give the right one", set()),
    "a check's words": Edit("dilt/sources/checks.py", "unpack it again", "unpack it once more", set()),
    "a key's description": Edit("dilt/settings/answers.py", "percentage points", "points", set()),
    "how jobs are resumed": Edit("dilt/jobs/checkpoints.py", '".damaged"', '".broken"', set()),
    "how trainings are watched": Edit("dilt/training/event_files.py", "brain.Event:2", "brain.Event:3", set()),
    "how cost is measured": Edit("dilt/jobs/usage.py", "SECONDS = ", "SECONDS = 2 * ", set()),
}
SETTINGS = {
    "seeds": Edit("tiny.yaml", "seeds: [0]", "seeds: [0, 1]", NETWORKS),
    "source": Edit("config.yaml", "  validation_share: 0.2", "  validation_share: 0.3", EVERYTHING),
    "targets": Edit("config.yaml", "    test_share: 0.5", "    test_share: 0.4", {"prepare", *TRANSFER}),
    "model": Edit("tiny.yaml", "width: 12", "width: 13", NETWORKS),
    "training": Edit("tiny.yaml", "training: {epochs: 1", "training: {epochs: 2", NETWORKS),
    "pruning": Edit("tiny.yaml", "rate: 0.5}", "rate: 0.4}", PRUNING),
    "tickets": Edit("tiny.yaml", "C3: 1}", "C3: 1}, names: [colt@core]", TICKETS),
    "a ticket of one's own": Edit("config.yaml", "define: {}", "define: {rest: 'union - core'}", TICKETS),
    "draws": Edit("config.yaml", "draws: 1", "draws: 2", NETWORKS),
    "how tickets are matched": Edit("config.yaml", "match: weights", "match: effective", TICKETS),
    "instability": Edit("config.yaml", "points: 11", "points: 5", {"measure_instability", *ANSWERS}),
    "transfer": Edit("tiny.yaml", "penalties: [0.1]", "penalties: [0.2]", TRANSFER | ASSEMBLIES),
    "evaluation": Edit("config.yaml", "  severity: 3", "  severity: 4", {"evaluate_tickets", *ANSWERS}),
    "representations": Edit("tiny.yaml", "probes: 12", "probes: 18", GEOMETRY),
    "distances": Edit("config.yaml", "cost: euclidean", "cost: cosine", DISTANCES),
    "fewer networks compared": Edit("config.yaml", "tickets: null", "tickets: [core, lth]", {"represent", *DISTANCES}),
    "clustering": Edit("tiny.yaml", "subsamples: 2", "subsamples: 3", MODULES),
    "claims": Edit("config.yaml", "margin: 1.0", "margin: 2.0", ANSWERS),
    "looks": Edit("config.yaml", "looks: []", "looks: [5, 10]", ANSWERS),
    "a claim of one's own": Edit(
        "config.yaml",
        "own: {}",
        "own: {mine: {statement: X., round: 1, comparisons: [core - lth@core on source]}}",
        ANSWERS,
    ),
    "fewer claims": Edit("config.yaml", "asked: [C1, C2, C3]", "asked: [C2, C3]", TICKETS),
    "jobs": Edit("config.yaml", "runtime: 60", "runtime: 90", set()),
    "event files": Edit("config.yaml", "tensorboard: false", "tensorboard: true", set()),
    "two settings of transfer swapped": Edit(
        "tiny.yaml", "0.1}\n  finetune_learning_rate: 0.02", "0.02}\n  finetune_learning_rate: 0.1", TRANSFER
    ),
    "the look of the page": Edit("dilt/reporting/templates/page.css", "1.25rem", "1.3rem", {"report"}),
    "two settings of training swapped": Edit(
        "tiny.yaml", "learning_rate: 0.1}\npr", "learning_rate: 0.9, momentum: 0.1}\npr", NETWORKS
    ),
    "one more round": Edit("tiny.yaml", "rounds: 2", "rounds: 3", PRUNING - UNROUNDED - {"prune_to_core"}),
    "a new target": Edit(
        "config.yaml", "\nmodel:\n", "  two: {name: digits, classes: ['6', '7']}\n\nmodel:\n", {"prepare", *TRANSFER}
    ),
}
EDITS = CODE | SETTINGS


@pytest.fixture(scope="module")
def plans(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a dry run says after each edit, edits on copies of their own, two at a time; harmless ones on one copy."""
    folder = tmp_path_factory.mktemp("edited")
    together = {name: [edit] for name, edit in EDITS.items()} | {"harmless": list(HARMLESS.values())}

    def plan(name: str) -> str:
        project = finished.copy(folder / name)
        for edit in together[name]:
            project.edit(edit.file, edit.old, edit.new)
        done = project.snakemake("--dry-run")
        shutil.rmtree(project.folder)
        return done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(together, pool.map(plan, together), strict=True))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_exactly_what_depends_on_it(plans: dict[str, str], name: str) -> None:
    assert set(Project.jobs(plans[name])) == EDITS[name].rules


def test_harmless_edits_rerun_nothing(plans: dict[str, str]) -> None:
    assert Project.jobs(plans["harmless"]) == {}, plans["harmless"]


@pytest.mark.parametrize("name", CODE)
def test_the_reason_names_the_edited_module(plans: dict[str, str], name: str) -> None:
    assert re.search(rf"now: .*'{re.escape(name)}:\w+'", plans[name])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *(("training", '"epochs":2'), ("pruning", '"rate":0.4'), ("representations", '"probes":18')),
        *(("distances", '"cost":"cosine"'), ("clustering", '"subsamples":3'), ("transfer", '"penalties":[0.2]')),
    ],
)
def test_the_reason_shows_the_changed_section(plans: dict[str, str], name: str, shown: str) -> None:
    assert re.search(rf"now: .*{re.escape(shown)}", plans[name])


def test_what_is_added_is_all_that_is_trained(plans: dict[str, str]) -> None:
    """A round more is one job of trainings more, a seed one of each round; old data sets are not prepared again."""
    assert Project.jobs(plans["one more round"])["train"] == 1
    assert Project.jobs(plans["seeds"])["train"] == 2
    assert Project.jobs(plans["seeds"])["initialise"] == 1
    assert Project.jobs(plans["a new target"])["prepare"] == 1
    assert Project.jobs(plans["a new target"])["transfer_ticket"] == 1
    assert Project.jobs(plans["source"])["prepare"] == 1


def test_a_finished_run_has_nothing_to_do(finished: Project) -> None:
    assert finished.planned() == {}


def touched(project: Project, folder: Path) -> Project:
    """As after a fresh checkout: every date is new."""
    for path in project.folder.rglob("*"):
        if ".snakemake" not in path.parts and path.is_file():
            path.touch()
    return project


def synchronised(project: Project, folder: Path) -> Project:
    """As after `rsync -t` to another machine: contents and dates, results and Snakemake's records."""
    shutil.copytree(project.folder, folder / "there", copy_function=shutil.copy2)
    return Project(folder / "there")


def results_alone(project: Project, folder: Path) -> Project:
    """As after `rsync -t` of results/ into a fresh clone, without Snakemake's records."""
    there = Project.create(folder / "there")
    shutil.copytree(project.folder / "results", there.folder / "results", copy_function=shutil.copy2)
    return there


@pytest.mark.parametrize("copied", [touched, synchronised, results_alone])
def test_new_dates_and_copies_rerun_nothing(
    project: Project, tmp_path: Path, copied: Callable[[Project, Path], Project]
) -> None:
    assert copied(project, tmp_path).planned() == {}


def test_a_new_ticket_is_all_that_is_trained_and_a_removed_one_trains_nothing(project: Project) -> None:
    edit = SETTINGS["tickets"]
    project.edit(edit.file, edit.old, edit.new)
    project.snakemake("tickets", "--cores", "2")
    log = project.folder / "results/digits/logs/train_ticket/seed-0/round-all/all.log"
    said = log.read_text()
    assert re.findall(r"^(.*): epoch", said, re.MULTILINE) == ["1/colt@core"]
    assert said.count("finished before") == 34
    assert project.planned("tickets") == {}

    project.edit(edit.file, edit.new, edit.old)
    assert set(project.planned()) == TICKETS
    project.snakemake("tickets", "--cores", "2")
    assert log.read_text().count("finished before") == 34


def test_a_deleted_intermediate_is_restored_and_what_follows_runs_only_if_it_came_out_different(
    project: Project,
) -> None:
    mask = project.folder / "results/digits/seed-0/independent/full/round-1/mask.safetensors"
    before = mask.read_bytes()
    mask.unlink()
    assert project.planned("restore") == {"prune": 1}
    project.snakemake("restore", "--cores", "2")
    assert mask.read_bytes() == before
    assert project.planned() == {}

    densities = "results/digits/seed-0/tickets/densities.csv"
    project.edit(densities, "dense", "dent")
    assert set(project.planned()) == {"summarise", "report"}


def test_a_clock_that_was_set_back_holds_nothing_up(project: Project) -> None:
    """Snakemake by itself ends a job whose input is dated in the future, and removes what it made."""
    mask = "results/digits/seed-0/cyclic/consensus/round-1/mask.safetensors"
    for path in (project.folder / "results").rglob("*"):
        os.utime(path, (time.time() + 3600,) * 2)
    (project.folder / mask).unlink()
    assert "minutes in the future" in project.snakemake(mask, "--cores", "1").stderr
    assert project.planned() == {}


def test_a_failure_leaves_no_older_results_standing_as_current(project: Project) -> None:
    """Change the setting of a stage, let it fail, take the cause away: it and all that follows run."""
    obstacle = project.folder / "results/digits/seed-0/geometry/round-1/.clusters.csv.partial"
    obstacle.mkdir()
    edit = SETTINGS["clustering"]
    project.edit(edit.file, edit.old, edit.new)
    failed = project.snakemake("--cores", "2", check=False)
    assert failed.returncode != 0
    obstacle.rmdir()
    assert set(project.planned()) == MODULES
    project.snakemake("--cores", "2")
    assert project.planned() == {}


PAGE = ROOT / "docs/running.md"
TOLD = {
    "snakemake -n -q rules host": set(),
    "snakemake -R cluster --cores 2": MODULES,
    "snakemake modules -R cluster --cores 2": {"cluster"},
    "snakemake -R train_ticket --cores 2": TICKETS - {"combine"},
    "snakemake tickets -R train_ticket --cores 2": {"train_ticket"},
}


@pytest.mark.parametrize("command", TOLD)
def test_the_page_s_commands_plan_what_it_says(finished: Project, command: str) -> None:
    assert command in PAGE.read_text()
    words = command.split()[1:]
    assert set(finished.planned(*words)) - {words[0]} == TOLD[command]


def test_the_page_s_command_accepts_results_as_they_are_after_a_harmless_edit(project: Project) -> None:
    command = "snakemake --touch --cores 2"
    assert command in PAGE.read_text()
    edit = CODE["dilt.tickets.masks"]
    project.edit(edit.file, edit.old, edit.new)
    before = project.results()
    project.snakemake(*command.split()[1:])
    assert project.planned() == {}
    assert project.results() == before
