"""Event files are asked for by a key that makes nothing run again, and that is refused where tensorboard is missing."""

from pathlib import Path

from tests.workflow.project import Project

SWITCH = ("config.yaml", "tensorboard: false", "tensorboard: true")


def test_curves_lie_like_the_networks_and_are_no_results(project: Project) -> None:
    project.edit(*SWITCH)
    assert project.planned() == {}
    before = project.results()
    project.snakemake("tickets", "-R", "train", "--cores", "2")
    results = project.folder / "results/digits"
    runs = {str(file.parent.relative_to(results / "tensorboard")) for file in results.rglob("*tfevents*")}
    trained = {str(file.parent.relative_to(results)) for file in results.glob("seed-0/*/*/round-*/metrics.csv")}
    assert {name for name in runs if "/tickets/" not in name} == trained
    after = {name: content for name, content in project.results().items() if not name.startswith("tensorboard/")}
    assert after == before
    assert project.planned() == {}


def test_without_tensorboard_nothing_starts(clean: Project, tmp_path: Path) -> None:
    project = clean.copy(tmp_path / "project")
    project.edit(*SWITCH)
    (project.folder / "sitecustomize.py").write_text("import sys\nsys.modules['tensorboard'] = None\n")
    project.environment["PYTHONPATH"] = str(project.folder)
    done = project.snakemake("--dry-run", check=False)
    assert done.returncode == 1
    assert "jobs.tensorboard: true, but tensorboard is not installed; pip install 'dilt[tensorboard]'" in done.stderr
    assert not (project.folder / "results").exists()
