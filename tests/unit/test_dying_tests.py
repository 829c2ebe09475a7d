"""Facts about the tests themselves: one that dies, or hangs, ends the run, which names it and fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Beside it, in the other process, runs a test that takes far longer than the run may.
LONG = "import subprocess\n\ndef test_long():\n    subprocess.run(['sleep', '600'])\n"
DYING = "import os, signal, time\n\ndef test_dying():\n    {how}\n"


@pytest.mark.parametrize(
    "how",
    [
        "os.abort()",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os._exit(0)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(600)",
    ],
    ids=["aborts", "is killed", "exits", "hangs"],
)
def test_a_test_whose_process_dies_ends_the_run_and_is_named(tmp_path: Path, how: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_how.py").write_text(DYING.format(how=how))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    if "sleep" in how:
        limit = ["--override-ini", "faulthandler_timeout=5"]
    else:
        (tmp_path / "tests/test_long.py").write_text(LONG)
        limit = []
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\tpytest --num")]
    words = line.replace("$(PROCESSES)", "2").replace("$(COVERAGE)", "--cov --cov-report=").split()
    command = [sys.executable, "-m", *words]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run([*command, *limit], cwd=tmp_path, env=alone, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 1, ran.stdout
    assert "the process that ran tests/test_how.py::test_dying died" in ran.stdout
