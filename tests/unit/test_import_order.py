"""How dilt/ is laid out: which folder may import which, and which folders each stage's results depend on.

A tie that need not be costs GPU hours: an edit in what a stage depends on makes its results anew.
"""

import ast
import re
from pathlib import Path

import pytest

from dilt.jobs.fingerprint import fingerprint
from tests.conftest import ROOT

PACKAGE = ROOT / "dilt"
# The folders with what lives there, each of which may import those above it: the table of CONTRIBUTING.md.
FOLDERS = dict(re.findall(r"^\| `dilt/(\w+)/` \| (.+?) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
ORDER = list(FOLDERS)
BELOW = {"settings", "foundations", "jobs"}
IMAGES = BELOW | {"sources", "data"}
RUN = IMAGES | {"tickets", "networks"}
STAGES = {
    "prepare": IMAGES,
    "initialise": RUN | {"training"},
    "score": RUN,
    "train": RUN | {"training"},
    "train_rounds": RUN | {"training"},
    "train_rounds_to_core": RUN | {"training"},
    "instability": RUN | {"assemblies"},
    "prune": BELOW | {"tickets"},
    "combine": RUN,
    "train_ticket": RUN | {"training"},
    "assemble": RUN | {"assemblies"},
    "retrain_assembly": RUN | {"training", "assemblies"},
    "evaluate": RUN,
    "evaluate_assemblies": RUN | {"assemblies"},
    "represent": RUN | {"geometry"},
    "compare": BELOW | {"geometry"},
    "cluster": BELOW | {"tickets", "geometry", "grouping"},
    "transfer": RUN | {"training"},
    "remove_networks": BELOW,
    "summarise": BELOW | {"tickets", "assemblies", "geometry", "grouping", "answers", "reporting"},
    "report": BELOW | {"tickets", "reporting"},
}


def imported(file: Path) -> set[str]:
    """Modules of dilt that a file imports anywhere in it, for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dilt":
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "dilt"}
    return found


def test_every_folder_is_in_the_table_with_the_first_line_of_its_docstring() -> None:
    folders = {folder.parent.name: folder for folder in PACKAGE.glob("*/__init__.py")}
    assert set(folders) == set(ORDER)
    for name, file in folders.items():
        assert ast.get_docstring(ast.parse(file.read_text()), clean=True).splitlines()[0] == FOLDERS[name]


@pytest.mark.parametrize("folder", ORDER)
def test_a_folder_imports_only_itself_and_those_above_it_in_the_table(folder: str) -> None:
    allowed = ORDER[: ORDER.index(folder) + 1]
    for file in (PACKAGE / folder).glob("*.py"):
        for name in imported(file):
            assert name.split(".")[1] in allowed, f"{file.name} imports {name}"


def test_nothing_imports_a_command() -> None:
    commands = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__"}
    for file in PACKAGE.rglob("*.py"):
        assert not {name for name in imported(file) if name.split(".")[1] in commands}, file


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_these_folders(stage: str) -> None:
    modules = [entry.split(":")[0].split(".") for entry in fingerprint(f"dilt.{stage}")]
    assert {parts[1] for parts in modules if len(parts) == 3} == STAGES[stage]


def test_every_stage_is_one_of_these() -> None:
    rules = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("*.smk"))
    assert set(re.findall(r"dilt\.(\w+)", rules)) - {"__init__"} == set(STAGES)
