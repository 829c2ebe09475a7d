"""What tests of the workflow share: copies of the project, in some of which everything was run."""

import os
import shutil

import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

from tests.workflow.project import Project
from tests.workflow.windows import CHROMIUM


@pytest.fixture(scope="session")
def clean(tmp_path_factory):
    """A clone in which nothing was run; tests do not write to it."""
    return Project.create(tmp_path_factory.mktemp("clean") / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A clone in which everything was run, and what jobs opened was noted; tests copy it before they change it.

    Test processes side by side have copies of one that the first makes that needs it, while the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project, ended = Project(shared / "whole-run/project"), shared / "whole-run/ended"
    with FileLock(shared / "whole-run.lock"):
        if not ended.exists():
            shutil.rmtree(project.folder, ignore_errors=True)  # what a process left that failed at it
            Project.create(project.folder)
            project.note_opened_files()
            project.snakemake("--cores", "2")
            ended.touch()
    return project.copy(tmp_path_factory.mktemp("finished") / "project")


@pytest.fixture(scope="module")
def chromium():
    """A browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium) to look at the report")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def project(finished, tmp_path):
    """A finished clone of a test's own."""
    return finished.copy(tmp_path / "project")
