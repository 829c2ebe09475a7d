"""Facts about locks: one process at a time, freed by any end of it, and told by name when they are held."""

import errno
import fcntl
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
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


COUNTING = """
import sys, time
from pathlib import Path
from dilt.foundations import locks
locks.POLL = 0.001
lock, count = map(Path, sys.argv[1:])
for _ in range(40):
    with locks.held(lock):
        value = int(count.read_text())
        time.sleep(0.001)
        count.write_text(str(value + 1))
"""


def test_the_file_goes_and_comes_and_there_is_one_holder_at_a_time(lock: Path, tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("0")
    command = [sys.executable, "-c", COUNTING, str(lock), str(count)]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait(timeout=120) for process in processes] == [0] * 4
    assert count.read_text() == "160"


FORKING = HOLDER.replace("import", "import os,", 1).replace("    print", "    os.fork() or time.sleep(600)\n    print")


def test_what_a_dead_holder_forked_holds_nothing(lock: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FORKING, str(lock)], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        (child,) = psutil.Process(first.pid).children()
        first.kill()
        try:
            with locks.held(lock):
                assert f"process {os.getpid()}" in lock.read_text()
        finally:
            child.kill()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_is_told_and_work_goes_on(
    lock: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locks.held(lock), locks.held(lock.with_name("other.lock")):
        pass
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: no locks on this file system ({os.strerror(number)}); two runs of one job are not told"
        for path in (lock, lock.with_name("other.lock"))
    ]
    assert list(lock.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(lock: Path) -> None:
    lock.mkdir(parents=True)
    with pytest.raises(OSError, match=re.escape(str(lock))), locks.held(lock):
        pytest.fail("held a folder")
