"""What the pages tell people to type works on a finished run: their Python blocks, and the exports these build on.

The blocks for networks that timm has, which the finished run's is none of, run in tests/unit/exports/test_exporting.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dilt.configuration import plan_tables
from dilt.configuration.dry_runs import snakemake
from dilt.configuration.planned import Plan, planned_files
from dilt.configuration.reading import load
from tests import pages
from tests.conftest import ROOT
from tests.workflow.project import Project

README = ROOT / "README.md"
ROUNDS = {"round-3": "round-1", "round-4": "round-2"}  # of the pages' experiment, and of the tests'


def test_all_blocks_are_found() -> None:
    assert sum(page.read_text().count("```python") for page in pages.PAGES) == len(pages.BLOCKS)
    assert (len(pages.OF_ANY), len(pages.OF_TIMM), len(pages.EXPORTS)) >= (2, 1, 4)


@pytest.fixture(scope="module")
def exported(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run on which the pages' exports were made, in their words."""
    project = finished.copy(tmp_path_factory.mktemp("pages") / "project")
    for command in pages.EXPORTS:
        run(project.folder, *map(on_tests_rounds, command))
    return project


@pytest.mark.parametrize("block", pages.OF_ANY)
def test_a_python_block_runs_on_a_finished_experiment(exported: Project, block: str) -> None:
    run(exported.folder, "-c", on_tests_rounds(block))


def test_the_pages_tell_what_the_default_trains(clean: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clean.folder)
    default = Path("config.yaml")
    planned = Plan.of(load(default), planned_files(snakemake([default], "--summary")), {}, {})
    (shown,) = (
        block.text for block in pages.blocks("text") if "LTH to the core" in block.text and block.page == README
    )
    assert shown.rstrip() == plan_tables.trainings(planned.work)
    networks = re.findall(r"^all +([\d,]+)", shown, re.MULTILINE)
    assert f"{networks[0]} small networks" in README.read_text()
    assert f"{networks[0]} trained networks" in (ROOT / "docs/quickstart.md").read_text()


def test_the_readme_shows_the_first_of_the_demo_s_verdicts_as_the_quickstart_does() -> None:
    verdicts = {block.page.name: block.text for block in pages.blocks("text") if block.text.startswith("C1 ")}
    assert set(verdicts) == {"README.md", "quickstart.md"}
    assert verdicts["quickstart.md"].startswith(f"{verdicts['README.md']}\nC2 ")


def on_tests_rounds(text: str) -> str:
    return re.sub("|".join(ROUNDS), lambda found: ROUNDS[found[0]], text)


def run(folder: Path, *words: str) -> None:
    ran = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
