"""The pictures of README and documentation are those that would be made today, and one command makes them."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from dilt.reporting import style
from docs import pictures
from tests.conftest import ROOT
from tests.workflow.project import Project

CONFIG = pictures.read([ROOT / "config.yaml"])
KEPT = (pictures.ACCURACY, pictures.RULES, pictures.REPORT, pictures.RECORD)
MISSING = [name for name in ("dot", "chromium") if shutil.which(name) is None]


@pytest.fixture(scope="module")
def edges(clean):
    """Which rule leads to which in the default experiment."""
    default = Project(clean.folder)
    default.configuration = ["config.yaml"]
    return pictures.edges_of_dot(default.snakemake("--rulegraph").stdout)


@pytest.fixture
def folder(tmp_path):
    """A copy of the pictures and their record."""
    for name in KEPT:
        shutil.copy(pictures.FOLDER / name, tmp_path)
    return tmp_path


def test_the_pictures_are_those_of_today(edges) -> None:
    assert ("summarise", "report") in edges
    assert pictures.stale(CONFIG, edges) == [], "make demo, then make pictures"


def test_an_edit_that_changes_a_picture_is_told(folder, edges, monkeypatch) -> None:
    longer = CONFIG.model_copy(update={"pruning": CONFIG.pruning.model_copy(update={"rate": 0.25})})
    assert pictures.stale(longer, edges, folder) == [
        "accuracy_over_density.png and report.png are of another pruning.rate"
    ]
    fewer = CONFIG.model_copy(update={"claims": CONFIG.claims.model_copy(update={"asked": ["C1", "C2"]})})
    told = pictures.stale(fewer, edges, folder)
    assert any(line.startswith("accuracy_over_density.png shows something else") for line in told)
    assert any(re.fullmatch("report.png shows something else now: .*comparisons.C3.*", line) for line in told)
    assert pictures.stale(CONFIG, edges[:-1], folder) == ["rulegraph.svg shows other rules, or other ways between them"]
    monkeypatch.setitem(style._TICKET_LOOKS, "core", (style.GREEN, "o", "-"))
    (line,) = pictures.stale(CONFIG, edges, folder)
    assert "panels.tickets and baselines.core" in line


def test_an_edit_that_changes_none_is_not_told(folder, edges) -> None:
    jobs = CONFIG.jobs.model_copy(update={"threads": 2})
    clustering = CONFIG.clustering.model_copy(update={"shuffles": 499})
    assert pictures.stale(CONFIG.model_copy(update={"jobs": jobs, "clustering": clustering}), edges, folder) == []
    record = json.loads((folder / pictures.RECORD).read_text())
    del record["settings"]["training"]["compile"]  # a key that was not there when the pictures were made
    (folder / pictures.RECORD).write_text(json.dumps(record))
    assert pictures.stale(CONFIG, edges, folder) == []


def test_rules_for_paper_are_not_the_screen_s() -> None:
    sheet = "a { color: red; }\n@media print {\n  a { color: black; }\n}\nb { color: blue; } /* told */\n"
    assert pictures.on_screen(sheet).split() == ["a", "{", "color:", "red;", "}", "b", "{", "color:", "blue;", "}"]
    assert pictures.on_screen(sheet) == pictures.on_screen(sheet.replace("black", "grey"))


def test_a_picture_without_its_record_is_told(folder, edges) -> None:
    Image.new("RGB", (4, 4)).save(folder / pictures.REPORT)
    assert pictures.stale(CONFIG, edges, folder) == ["report.png is not the picture that pictures.json tells of"]


@pytest.mark.skipif(bool(MISSING), reason=f"install {' and '.join(MISSING)}")
def test_the_command_makes_all_of_a_finished_run(finished, tmp_path) -> None:
    made = run(finished, "config.yaml", "tiny.yaml", "--into", str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert {path.name for path in tmp_path.iterdir()} == set(KEPT)
    report = Image.open(tmp_path / pictures.REPORT)
    assert report.size == (pictures.SCREEN["width"], pictures.SCREEN["height"])
    assert 8 < len(report.getcolors()) <= pictures.COLOURS
    figure = finished.folder / "results/digits/figures" / pictures.ACCURACY
    assert (tmp_path / pictures.ACCURACY).read_bytes() == figure.read_bytes()
    config = pictures.read([finished.folder / file for file in finished.configuration])
    edges = pictures.edges_of_dot(finished.snakemake("--rulegraph").stdout)
    assert pictures.stale(config, edges, tmp_path) == []


def test_an_unfinished_run_has_no_pictures(clean, tmp_path) -> None:
    refused = run(clean, "config.yaml", "tiny.yaml", "--into", str(tmp_path / "pictures"))
    assert refused.returncode == 1
    assert re.fullmatch("the run is not finished.*make demo.*\n", refused.stderr)
    assert not (tmp_path / "pictures").exists()


def run(project, *words):
    command = [sys.executable, str(ROOT / "docs/pictures.py"), *words]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=300)
