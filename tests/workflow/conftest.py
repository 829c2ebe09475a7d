"""What tests of the workflow share: copies of the project, in some of which everything was run."""

import pytest

from tests.workflow.project import Project


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """A clone in which nothing was run; tests do not write to it."""
    return Project.create(tmp_path_factory.mktemp("clean") / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A clone in which everything was run, and what jobs opened was noted; tests copy it before they change it."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project")
    project.note_opened_files()
    project.snakemake("--cores", "2")
    return project


@pytest.fixture
def project(finished, tmp_path):
    """A finished clone of a test's own."""
    return finished.copy(tmp_path / "project")
