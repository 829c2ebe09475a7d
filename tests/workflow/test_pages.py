"""What the pages tell people to type works on a finished run: every Python block, and the exports it builds on."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import dilt
from dilt.settings import Model
from tests.conftest import ROOT
from tests.unit.builders import images
from tests.unit.test_export import experiment
from tests.workflow.project import Project

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md")), *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE))
]
ROUNDS = {"round-3": "round-1", "round-4": "round-2"}  # of the pages' experiment, and of the tests'


def on_tests_rounds(text: str) -> str:
    return re.sub("|".join(ROUNDS), lambda found: ROUNDS[found[0]], text)


def test_all_blocks_are_found() -> None:
    assert sum(page.read_text().count("```python") for page in PAGES) == len(BLOCKS) >= 3


@pytest.fixture(scope="module")
def exported(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished run on which the README's exports were made, in its words."""
    project = finished.copy(tmp_path_factory.mktemp("pages") / "project")
    commands = re.findall(r"^    python (-m dilt\.export .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        run(project.folder, *shlex.split(on_tests_rounds(command), comments=True))
    return project


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_block_runs_on_a_finished_experiment(exported: Project, tmp_path: Path, block: str) -> None:
    folder = exported.folder
    if "timm.create_model(" in block:  # of networks that timm has, which the finished run's is none of
        folder, data = tmp_path, images(num_classes=10, side=32, channels=3)
        dilt.export_ticket(experiment(folder, Model(name="resnet18"), data), folder / "core")
    run(folder, "-c", on_tests_rounds(block))


def run(folder: Path, *words: str) -> None:
    ran = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
