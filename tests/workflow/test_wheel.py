"""The built wheel, installed by itself, has the workflow: projects that it begins in empty folders plan and run."""

import json
import os
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from dilt.configuration.yaml_files import gather
from tests import pages
from tests.conftest import ROOT
from tests.workflow.project import TINY, Project
from tests.workflow.test_graph import STAGES

CONFIGURATION = ("config.yaml", "tiny.yaml")


class Installed:
    """A virtual environment with the wheel, and beside it the packages that dilt needs, but no other dilt."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin/python"
        self.site = next(folder.glob("lib/python*/site-packages"))
        with zipfile.ZipFile(wheel) as files:
            files.extractall(self.site)
        # Only their .pth files, which are not read here, would lead to the dilt that is tested elsewhere.
        (self.site / "others.pth").write_text("\n".join(site.getsitepackages()))

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """A module's command in a folder, with no dilt beside the installed one."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return subprocess.run(
            [str(self.python), "-m", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def dilt(self, folder: Path, *words: str) -> str:
        """What a command of dilt says."""
        ran = self.run(folder, "dilt.console", *words)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def snakemake(self, folder: Path, *words: str, files: tuple[str, ...] = CONFIGURATION) -> str:
        """What Snakemake says, with the tiny configuration."""
        ran = self.run(folder, "snakemake", *words, "--configfile", *files)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def planned(self, folder: Path, *words: str, files: tuple[str, ...] = CONFIGURATION) -> dict[str, int]:
        """As `Project.planned`."""
        jobs = Project.jobs(self.snakemake(folder, *words, "--dry-run", "--quiet", "rules", "host", files=files))
        return {rule: count for rule, count in jobs.items() if rule != "everything"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the archive of sources, as indices of packages have it, so that this lacks nothing either."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(built("sdist", ROOT, folder)) as sources:
        sources.extractall(folder, filter="data")
    (unpacked,) = (place for place in folder.iterdir() if place.is_dir())
    return built("wheel", unpacked, folder)


def built(target: str, source: Path, folder: Path) -> Path:
    """The archive that is built of a source tree."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=60)
    (archive,) = set(folder.iterdir()) - before
    return archive


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


@pytest.fixture
def begun(installed: Installed, tmp_path: Path) -> Path:
    """A project that was begun in an empty folder, with the tiny configuration beside the demo's."""
    folder = tmp_path / "begun"
    folder.mkdir()
    installed.dilt(folder, "init")
    (folder / "tiny.yaml").write_text(TINY)
    return folder


def files_below(*places: Path) -> Iterator[Path]:
    for place in places:
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (file for file in found if file.is_file() and "__pycache__" not in file.parts)


def test_the_wheel_has_every_file_and_the_commands(wheel: Path, installed: Installed) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
    workflow = files_below(*(ROOT / name for name in ("Snakefile", "config.yaml", "environment.yml", "workflow")))
    code = files_below(ROOT / "dilt", ROOT / "snakemake_logger_plugin_dilt")
    wanted = {f"dilt/project/{file.relative_to(ROOT)}" for file in workflow}
    wanted |= {str(file.relative_to(ROOT)) for file in code}
    assert {name for name in names if ".dist-info/" not in name} == wanted
    scripts = Distribution.at(next(installed.site.glob("*.dist-info"))).entry_points
    assert [(script.name, script.value) for script in scripts] == [("dilt", "dilt.console:script")]


def test_the_dilt_that_runs_is_the_wheel_s(installed: Installed, tmp_path: Path) -> None:
    code = "import dilt, snakemake_logger_plugin_dilt as plugin; print(dilt.__file__, plugin.__file__)"
    command = [str(installed.python), "-c", code]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert all(Path(file).is_relative_to(installed.site) for file in ran.stdout.split())


def test_an_empty_folder_becomes_a_project_that_runs(installed: Installed, begun: Path) -> None:
    assert installed.dilt(begun, "check", *CONFIGURATION) == "config.yaml + tiny.yaml: valid\n"
    assert installed.planned(begun) == STAGES
    said = installed.snakemake(begun, "data", "--cores", "2", "--logger", "dilt")
    assert "profiles/default" in said
    assert "2 of 2" in said
    assert json.loads((begun / "results/digits/data/source/dataset.json").read_text())["name"] == "digits"
    assert installed.planned(begun, "data") == {}
    assert "config.yaml + tiny.yaml: experiment digits, mlp" in installed.dilt(begun, "plan", *CONFIGURATION)
    assert "Experiment digits: " in installed.dilt(begun, "status", *CONFIGURATION)
    assert "blocks.0.linear.weight" in installed.dilt(begun, "models", "--config", "config.yaml")
    assert "good condition" in installed.snakemake(begun, "--lint")


def test_presets_and_profiles_are_where_the_pages_say(installed: Installed, begun: Path) -> None:
    for preset in sorted((ROOT / "workflow/presets").glob("*.yaml")):
        values = yaml.safe_load((begun / preset.relative_to(ROOT)).read_text())
        table = values.get("source", {}).get("partitions", {}).get("table")
        assert table is None or (begun / table).is_file()
    smallest = ("config.yaml", "workflow/presets/smallest.yaml")
    assert "train_trajectories" in installed.planned(begun, files=smallest)
    slurm = ("--workflow-profile", "workflow/profiles/slurm")
    assert installed.planned(begun, *slurm) == STAGES
    assert (begun / "profiles/default/config.yaml").read_text() == (
        ROOT / "workflow/profiles/local/config.yaml"
    ).read_text()


def test_results_of_a_checkout_are_up_to_date_in_a_project(installed: Installed, project: Project) -> None:
    """The same code in a wheel is the same code: nothing is made anew, and all that reads results reads them."""
    for name in ("Snakefile", "config.yaml", "environment.yml"):
        (project.folder / name).unlink()
    for name in ("dilt", "profiles", "workflow"):
        shutil.rmtree(project.folder / name)
    installed.dilt(project.folder, "init")
    assert installed.planned(project.folder) == {}
    assert "C1 INCONCLUSIVE" in installed.dilt(project.folder, "claims", "--brief", "results/digits/tables")
    core = "results/digits/seed-0/tickets/round-1/core"
    installed.dilt(project.folder, "export", core, "--to", "exported")
    assert (project.folder / "exported/model.safetensors").exists()
    installed.snakemake(project.folder, "--report", "report.zip")
    with zipfile.ZipFile(project.folder / "report.zip") as report:
        texts = {Path(name).name: report.read(name).decode(errors="ignore") for name in report.namelist()}
    assert {"claims.csv", "accuracy_over_density.svg"} <= texts.keys()
    assert any("Every comparison of every claim" in text for text in texts.values()), "captions are found"


def test_an_edit_in_the_installed_package_reruns_its_stage(wheel: Path, project: Project, tmp_path: Path) -> None:
    """As does an upgrade, of the stages whose code it changes."""
    installed = Installed(tmp_path / "installed", wheel)
    (project.folder / "Snakefile").unlink()
    shutil.rmtree(project.folder / "dilt")
    installed.dilt(project.folder, "init")
    module = installed.site / "dilt/grouping/chains.py"
    module.write_text(module.read_text() + "\nLATER = 1\n")
    assert set(installed.planned(project.folder)) == {"cluster", "summarise", "report"}


def test_another_workflow_has_the_installed_one_as_a_module(installed: Installed, tmp_path: Path) -> None:
    (block,) = [block.text for block in pages.blocks("text") if block.page.name == "module.md"]
    (tmp_path / "tiny.yaml").write_text(TINY)
    configuration = gather([ROOT / "config.yaml", tmp_path / "tiny.yaml"]).values
    (tmp_path / "Snakefile").write_text(block)
    (tmp_path / "my.yaml").write_text(yaml.safe_dump({"dilt": configuration}))
    planned = installed.planned(tmp_path, files=("my.yaml",))
    planned.pop("dilt_everything")
    assert planned == {f"dilt_{rule}": jobs for rule, jobs in STAGES.items()}


def test_a_folder_of_images_begins_a_project_too(installed: Installed, tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for number in range(8):
        (tmp_path / f"birds/bird {number}").mkdir(parents=True)
        for image in range(14):
            pixels = draws.integers(0, 256, (9, 9, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"birds/bird {number}/{image}.png")
    said = installed.dilt(tmp_path, "init", "birds", "--model", "mlp", "--hours", "1")
    assert "A project begins here: Snakefile, config.yaml, workflow/, profiles/." in said
    assert installed.dilt(tmp_path, "check", "birds.yaml") == "birds.yaml: valid\n"
    assert "prepare" in installed.planned(tmp_path, files=("birds.yaml",))
