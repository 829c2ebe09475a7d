"""The workflow as others use it: as a module of their own, from another folder, and from Snakemake's catalog."""

import json
from pathlib import Path

import pytest
import yaml

from dilt.configuration.rules_in_turn import IN_TURN
from dilt.configuration.yaml_files import gather
from tests import pages
from tests.conftest import ROOT
from tests.workflow.project import Project
from tests.workflow.test_graph import STAGES

USER = """\
module dilt:
    snakefile: "{snakefile}"
    config: config["lottery"]

use rule * from dilt{names}

onstart:
    dilt.onstart()
"""


def user_of(clone: Project, folder: Path, names: str = "", snakefile: str = "Snakefile", **changed: object) -> Project:
    """Another workflow in a folder of its own, which uses a clone as a module and has the configuration in its own."""
    configuration = gather([clone.folder / file for file in clone.configuration]).values | changed
    (folder / "Snakefile").write_text(USER.format(snakefile=clone.folder / snakefile, names=names))
    (folder / "own.yaml").write_text(yaml.safe_dump({"lottery": configuration, "cities": ["Basel"]}))
    user = Project(folder)
    user.configuration = ["own.yaml"]
    return user


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_another_workflow_plans_every_stage(clean, tmp_path, snakefile):
    planned = user_of(clean, tmp_path, snakefile=snakefile).planned()
    planned.pop("everything", None)
    assert planned == STAGES


def test_another_workflow_runs_stages_under_names_of_its_own(clean, tmp_path):
    user = user_of(clean, tmp_path, names=" as dilt_*")
    assert user.planned() == {f"dilt_{rule}": jobs for rule, jobs in STAGES.items()} | {"dilt_all": 1}
    user.snakemake("dilt_data", "--cores", "1")
    results = tmp_path / "results/digits"
    assert json.loads((results / "data/source/dataset.json").read_text())["name"] == "digits"
    assert (results / "experiments/digits.json").exists(), "dilt.onstart() was called"
    assert user.planned("dilt_data") == {}
    assert user.planned("dilt_data", "-R", "dilt_prepare") == {"dilt_prepare": 2, "dilt_data": 1}


def test_the_page_s_snakefile_plans_every_stage(clean, tmp_path):
    (block,) = [block.text for block in pages.blocks("text") if block.page.name == "module.md"]
    configuration = gather([clean.folder / file for file in clean.configuration]).values
    (tmp_path / "Snakefile").write_text(block)
    (tmp_path / "my.yaml").write_text(yaml.safe_dump({"dilt": configuration}))
    user = Project(tmp_path)
    user.configuration = ["my.yaml"]
    user.environment["PYTHONPATH"] = str(clean.folder)
    assert user.planned() == {f"dilt_{rule}": jobs for rule, jobs in STAGES.items()} | {"dilt_everything": 1}


def test_another_workflow_can_have_a_seeds_work_done_in_few_jobs(clean, tmp_path):
    planned = user_of(clean, tmp_path, names=" as dilt_*", jobs={"group": "rounds"}).planned()
    assert {f"dilt_{job}" for job in IN_TURN} <= planned.keys()
    assert not {f"dilt_{rule}" for rules in IN_TURN.values() for rule in rules} & planned.keys()


def test_what_snakemake_takes_for_text_is_a_number_in_a_module_too(clean, tmp_path):
    training = {"epochs": 1, "batch_size": 64, "optimizer": "sgd", "learning_rate": "1e-1"}
    assert user_of(clean, tmp_path, training=training).planned() == STAGES


def test_a_bad_configuration_of_a_module_is_told_in_one_line(clean, tmp_path):
    failed = user_of(clean, tmp_path, modle={}).snakemake("--dry-run", check=False)
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0
    assert "config of the module dilt: modle: unknown key; did you mean 'model'?" in said
    assert "Traceback" not in said


def test_results_lie_in_the_working_directory(clean, tmp_path):
    clean.snakemake("data", "--cores", "1", "--directory", str(tmp_path))
    assert (tmp_path / "results/digits/data/source/dataset.json").exists()
    assert not (clean.folder / "results").exists()


def test_the_catalog_finds_what_it_looks_for(clean):
    assert yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]["report"] is True
    assert "config.yaml" in (ROOT / "config/README.md").read_text()
    planned = clean.planned("--snakefile", "workflow/Snakefile")
    assert planned.pop("everything") == 1
    assert planned == STAGES
