"""docs/first-look.ipynb runs from top to bottom on a finished run, and is kept without output, which would go stale."""

import ast
from itertools import pairwise

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

FILE = ROOT / "docs/first-look.ipynb"
NOTEBOOK = nbformat.read(FILE, as_version=4)
CODE = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def ran(finished):
    """The cells with their outputs, as Jupyter runs them: in the notebook's folder."""
    folder = finished.folder / "docs"
    folder.mkdir(exist_ok=True)
    notebook = nbformat.read(FILE, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def test_nothing_that_ran_is_kept() -> None:
    assert all(cell.outputs == [] and cell.execution_count is None for cell in CODE)


def test_newcomers_need_no_other_libraries() -> None:
    nodes = [node for cell in CODE for node in ast.walk(ast.parse(cell.source))]
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {module.partition(".")[0] for module in modules} == {"dilt", "matplotlib", "pandas", "pathlib"}


def test_a_text_stands_before_every_piece_of_code() -> None:
    kinds = [cell.cell_type for cell in NOTEBOOK.cells]
    assert kinds[0] == "markdown"
    assert ("code", "code") not in pairwise(kinds)


def test_verdicts_are_told(ran) -> None:
    assert all(claim in ran["verdicts"][0].text for claim in ("C1", "C2", "C3"))
    assert "core - lth@core on transfer" in shown(ran["claims"])


@pytest.mark.parametrize("cell", ["accuracy", "layers"])
def test_figures_are_drawn(ran, cell) -> None:
    (output,) = ran[cell]
    assert len(output.data["image/png"]) > 5000


def test_masks_overlaps_and_activations_are_shown(ran) -> None:
    assert "blocks.0.linear.weight" in shown(ran["masks"])
    assert "specialist-high" in shown(ran["algebra"])
    assert "low-sibling" in shown(ran["jaccard"])
    assert "blocks.0.linear.weight" in shown(ran["ticket"])
    assert "'blocks.0': (12, 12)" in shown(ran["activations"])


def shown(outputs) -> str:
    return "".join(output.get("text") or output.data["text/plain"] for output in outputs)
