"""Files that others than dilt read (GitHub, pre-commit, citation tools) say what the project says elsewhere."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version

import dilt

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FORMS = [path for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]


def test_workflow_runs_ci_on_the_oldest_and_the_newest_python() -> None:
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    pythons = [Version(python) for python in job["strategy"]["matrix"]["python"]]
    lowest, beyond = re.findall(r"\d+\.\d+", PROJECT["requires-python"])
    assert pythons == [Version(lowest), Version(f"3.{Version(beyond).minor - 1}")]


def test_before_a_commit_the_same_is_checked_as_by_make() -> None:
    (source,) = read(".pre-commit-config.yaml")["repos"]
    (hook,) = source["hooks"]
    assert (source["repo"], hook["entry"], hook["language"]) == ("local", "make lint", "system")
    assert re.search(r"^lint:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    checked = ["Snakefile", "dilt/models.py", "workflow/rules/common.smk", "pyproject.toml", "config.yaml", "Makefile"]
    assert all(re.search(hook["files"], file) for file in checked)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_issue_forms_ask_for_something_once(form: Path) -> None:
    asked = yaml.safe_load(form.read_text())
    assert asked["name"]
    assert asked["description"]
    names = [field["id"] for field in asked["body"]]
    assert len(set(names)) == len(names)
    assert any(field.get("validations", {}).get("required") for field in asked["body"])
    assert all(field["attributes"]["label"] for field in asked["body"])


def test_citation_is_of_this_version_and_by_its_authors() -> None:
    citation = read("CITATION.cff")
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    assert citation["authors"] == PROJECT["authors"]
    readme = (ROOT / "README.md").read_text()
    papers = [identifier["value"] for paper in citation["references"] for identifier in paper["identifiers"]]
    assert all(paper.replace(":", " ") in readme for paper in papers)


def test_the_changelog_knows_this_version() -> None:
    versions = re.findall(r"^## .*?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == PROJECT["version"] == dilt.__version__


def test_types_are_for_others_too() -> None:
    assert (ROOT / "dilt/py.typed").exists()


def read(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text())
