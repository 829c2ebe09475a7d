"""With jobs.group: rounds a seed's work is done in a few jobs: the same results, and no more is done again."""

import re
from pathlib import Path

import numpy as np
import pytest

from dilt.configuration.rules_in_turn import IN_TURN
from dilt.foundations.result_paths import Networks, expression, is_trained
from dilt.foundations.storage import file_digest, read_json, read_tensors
from tests.conftest import ROOT
from tests.workflow.project import Project

AFTER_TRAJECTORIES = {"make_tickets", "measure_trajectories", "use_tickets", "compare", "cluster", "evaluate"}
ANSWERS = {"summarise", "report"}
# In these weights is the digest of the code of the stage that trained them, which is another one.
ROUNDS = re.compile(expression(Networks.RUN_WEIGHTS))
EDITS = {
    "a stage that is first in its job": ("dilt/geometry/recording.py", "BATCH = 64", "BATCH = 32"),
    "a stage that is last in its job": (
        "dilt/transfer.py",
        'f"{protocol} {target.name}"',
        'f"{target.name} {protocol}"',
    ),
    "an option of one stage": ("config.yaml", "points: 11", "points: 5"),
    "what is done after them": ("tiny.yaml", "subsamples: 2", "subsamples: 3"),
    "a comment": ("dilt/tickets/masks.py", "class Mask:\n", "# A comment.\nclass Mask:\n"),
    "how many jobs": ("tiny.yaml", "group: rounds", "group: rounds, runtime: 90"),
}
PLANNED = {
    "a stage that is first in its job": AFTER_TRAJECTORIES - {"make_tickets"} | ANSWERS,
    "a stage that is last in its job": {"use_tickets", "compare", "cluster", "evaluate", *ANSWERS},
    "an option of one stage": AFTER_TRAJECTORIES - {"make_tickets", "use_tickets"} | ANSWERS,
    "what is done after them": {"cluster", *ANSWERS},
    "a comment": set(),
    "how many jobs": set(),
}


@pytest.fixture(scope="module")
def few(clean: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which everything was run, in few jobs."""
    project = clean.copy(tmp_path_factory.mktemp("few") / "project")
    project.edit("tiny.yaml", "group: together", "group: rounds")
    project.snakemake("--cores", "2")
    return project


def test_a_seed_has_few_jobs_and_each_stage_its_log(clean: Project, few: Project, tmp_path: Path) -> None:
    planned = clean.copy(tmp_path / "clean")
    planned.edit("tiny.yaml", "group: together", "group: rounds")
    assert planned.planned() == {
        **{"prepare": 2, "train_trajectories": 1},
        **dict.fromkeys(AFTER_TRAJECTORIES | ANSWERS, 1),
    }
    logs = few.folder / "results/digits/logs"
    told = {path.relative_to(logs).parts[0].removesuffix(".usage.csv") for path in logs.rglob("*.usage.csv")}
    assert {"combine", "train_ticket", "represent", "transfer_ticket", "evaluate_assemblies", "assemble"} <= told
    assert not (AFTER_TRAJECTORIES - {"compare", "cluster"}) & told
    commands = (logs / "combine/seed-0.log").read_text().splitlines()[0]
    assert commands.startswith("$ python -m dilt.combine --seed 0 ")
    assert few.planned() == {}


def test_few_jobs_and_many_give_the_same(finished: Project, few: Project) -> None:
    one, other = finished.results(), few.results()
    # Files of digests say what was made, where each rule is a job a transfer's own empty file does.
    compared = {path for path in one if not re.match(r"checkpoints/|experiments/|seed-0/transfer/.*/done$", path)}
    assert compared == {path for path in other if not re.match(r"checkpoints/|experiments/|seed-0/digests/", path)}
    for path in compared:
        if ROUNDS.fullmatch(path):
            weights, same = (read_tensors(p.folder / "results/digits" / path)[0] for p in (finished, few))
            assert weights.keys() == same.keys()
            assert all(np.array_equal(weights[name], same[name]) for name in weights), path
        else:
            assert one[path] == other[path], path


def test_the_digests_are_those_of_all_that_a_job_made(few: Project) -> None:
    told = {}
    for file in (few.folder / "results/digits/seed-0/digests").glob("*.json"):
        told |= read_json(file)
    assert told == {path: file_digest(few.folder / path) for path in told}
    of_a_seed = {path for path in few.results() if re.match(r"seed-0/(?!digests|geometry)(.*/)?[^./][^/]*$", path)}
    stores = {path for path in of_a_seed if ".zarr/" in path}
    roots = {path for path in stores if path.endswith(".zarr/zarr.json")}
    assert {path.removeprefix("results/digits/") for path in told} == of_a_seed - stores | roots


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_the_jobs_that_depend_on_it(few: Project, name: str, tmp_path: Path) -> None:
    edited = few.copy(tmp_path / "edited")
    edited.edit(*EDITS[name])
    assert set(edited.planned()) == PLANNED[name]


def test_the_page_s_table_has_each_job_and_its_rules(few: Project) -> None:
    page = (ROOT / "docs/running.md").read_text()
    told = {
        job: set(re.findall(r"`(\w+)`", rules)) for job, rules in re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.M)
    }
    of_all = {"train_rounds", "train_rounds_to_core"}  # which the page tells by the rules of single rounds
    assert {job: rules - {"train", "prune"} for job, rules in told.items()} == {
        job: set(rules) - of_all for job, rules in IN_TURN.items()
    }
    command = "snakemake -R make_tickets --cores 2"
    assert command in page
    assert few.planned(*command.split()[1:]).keys() >= {"make_tickets", "use_tickets", "summarise"}


def test_of_a_job_that_runs_again_only_the_stages_that_changed_work_anew(few: Project, tmp_path: Path) -> None:
    edited = few.copy(tmp_path / "edited")
    edited.edit("tiny.yaml", "finetune_learning_rate: 0.02", "finetune_learning_rate: 0.03")
    before = edited.results()
    edited.snakemake("--cores", "2")
    logs = edited.folder / "results/digits/logs"
    assert "core: finished before" in (logs / "represent/seed-0/round-1/all.log").read_text()
    assert "finished before" not in (logs / "transfer_ticket/seed-0/round-all/held-out/all.log").read_text()
    assert "finished before" in (logs / "compare/seed-0/round-1.log").read_text()
    changed = {path for path, content in edited.results().items() if before.get(path) != content}
    assert any("/transfer/" in path for path in changed)
    assert not any(re.search("/(representations|tickets|geometry)/", path) for path in changed)


def test_networks_that_were_removed_are_made_first_by_the_jobs_that_read_them(few: Project, tmp_path: Path) -> None:
    project = few.copy(tmp_path / "project")
    project.edit("tiny.yaml", "group: rounds", "group: rounds, keep: masks")
    assert set(project.planned()) == {"remove_networks", *ANSWERS}, "that tables are read in place of digests"
    project.snakemake("--cores", "2")
    assert not [path for path in project.results() if is_trained(path)]
    assert project.planned() == {}
    name = "what is done after them"
    project.edit(*EDITS[name])
    assert set(project.planned()) == PLANNED[name]
    project.edit("dilt/evaluate.py", '{"all": images.classes, **(', '{"all": [*images.classes], **(')
    assert {"train_trajectories", "make_tickets", "use_tickets", "evaluate"} <= project.planned().keys()
