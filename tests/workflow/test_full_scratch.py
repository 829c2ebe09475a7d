"""A temporary folder without room holds nothing up: what the workflow needs is written beside its results."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.project import Project


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A full file system."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    folder = tmp_path / "full"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        (folder / "filling").write_bytes(bytes(shutil.disk_usage(folder).free))
        assert shutil.disk_usage(folder).free == 0
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_scratch_disk_holds_nothing_up(clean: Project, full: Path, tmp_path: Path) -> None:
    """Snakemake's solver of linear programmes, its default scheduler, ends with a traceback there."""
    project = clean.copy(tmp_path / "project")
    project.environment = {"TMPDIR": str(full)}
    project.snakemake("data", "--cores", "2")
    assert project.planned("data", "--cores", "2") == {}
