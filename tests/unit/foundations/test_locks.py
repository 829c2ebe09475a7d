"""Facts about locks: one process at a time, freed by any end of it, and told by name when they are held."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from dilt.foundations import locks

HOLDER = """
import sys, time
from pathlib import Path
from dilt.foundations.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "job" / "core.lock"


def test_a_second_process_is_refused_and_told_who_holds_it(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.5)
    first = holder(lock)
    try:
        with pytest.raises(ValueError, match=rf"core: process {first.pid} on .* still works on this"), locks.held(lock):
            pytest.fail("held twice")
    finally:
        first.kill()
        first.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_holder_holds_nothing(lock: Path, number: int) -> None:
    first = holder(lock)
    first.send_signal(number)
    first.wait()
    with locks.held(lock):
        assert f"process {os.getpid()}" in lock.read_text()


def test_one_who_waits_gets_it_when_the_holder_ends(lock: Path) -> None:
    waiting = textwrap.dedent("""
        import sys
        from pathlib import Path
        from dilt.foundations.locks import held
        with held(Path(sys.argv[1])):
            print("mine", flush=True)
    """)
    first = holder(lock)
    with subprocess.Popen([sys.executable, "-c", waiting, str(lock)], stdout=subprocess.PIPE, text=True) as second:
        assert second.stdout is not None
        assert f"waiting for process {first.pid}" in second.stdout.readline()
        first.kill()
        first.wait()
        assert second.stdout.readline() == "mine\n"
    assert not lock.exists()


def test_nothing_is_left_behind(lock: Path) -> None:
    with locks.held(lock):
        assert lock.exists()
    assert list(lock.parent.iterdir()) == []
