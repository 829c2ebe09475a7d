"""What all tests share: where the project is, and one thread, so that numbers are the same every time.

A test process that dies ends the run, as does a test that takes longer than pyproject.toml allows.
"""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PYTHONPATH"] = str(ROOT)
sys.path.insert(0, str(ROOT))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=4, help="how often the runs of test_kills are killed")


def pytest_configure(config: pytest.Config) -> None:
    """What a process that dies had started becomes ours, so that it can be ended."""
    adopt_orphans = 36  # Linux' PR_SET_CHILD_SUBREAPER
    if sys.platform == "linux" and not hasattr(config, "workerinput"):
        ctypes.CDLL(None).prctl(adopt_orphans, 1, 0, 0, 0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of whole runs first: the longest, which would else be left for the end, where few run side by side."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str) -> None:
    """A process died while it ran a test: say which, and end the run with all that it started.

    The other processes' tests could not make it green, and pytest-xdist may wait for ever for what it replaces it by.
    """
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    pytest.exit(f"the process that ran {crashitem} died, and the run with it", returncode=1)
