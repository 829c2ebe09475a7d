"""Facts about a project's files: they are a checkout's own, and nothing that is there is overwritten."""

from pathlib import Path

import pytest

import dilt
from dilt.configuration import projects
from dilt.configuration.yaml_files import read
from tests.conftest import ROOT


def test_a_checkout_s_workflow_is_the_checkout_s() -> None:
    assert dilt.workflow_folder() == ROOT
    assert (dilt.workflow_folder() / "Snakefile").is_file()


def test_an_installed_package_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "PACKAGED", tmp_path)
    assert dilt.workflow_folder() == tmp_path


def test_what_people_edit_is_copied_and_the_profile_is_found(tmp_path: Path) -> None:
    written = projects.write_project(tmp_path)
    assert {Path(name).parts[0] for name in written} == {"Snakefile", "config.yaml", "workflow", "profiles"}
    copies = [name for name in written if name not in ("Snakefile", "profiles/default")]
    assert all((tmp_path / name).read_bytes() == (ROOT / name).read_bytes() for name in copies)
    assert not list(tmp_path.rglob("*.smk")), "rules are the package's"
    assert read(tmp_path / "profiles/default/config.yaml").values["rerun-incomplete"] is True
    assert (ROOT / "profiles/default").readlink() == (tmp_path / "profiles/default").readlink()


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("experiment: mine\n")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/default").symlink_to("elsewhere")
    assert not {"config.yaml", "profiles/default"} & set(projects.write_project(tmp_path))
    assert (tmp_path / "config.yaml").read_text() == "experiment: mine\n"
    assert projects.write_project(tmp_path) == []
