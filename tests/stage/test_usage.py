"""Facts about what a job records that it took: what the system counts, children included, however the job ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dilt.jobs import usage

NOT_SEEN = 0.25  # CPU seconds of Python's own end, after what a job tells last; a missed child would be 1
BURN = """
def burn(seconds):
    import time
    while time.process_time() < seconds:
        sum(range(10_000))
"""
# A command as stages are, whose work is the code given to `attempt`.
COMMAND = f"""
import multiprocessing, os, signal, subprocess, sys, time
from dilt.jobs import command
{BURN}
def work(arguments):
    burn(0.5)
    {{work}}
if __name__ == "__main__":
    command.run(command.parser("stage", "A stage."), work)
"""
CHILD = f"subprocess.run([sys.executable, '-c', {BURN + 'burn(1.0)'!r}], check=True)"
# Of a forked process that is left to Python's end, which awaits it.
LEFT = "multiprocessing.get_context('fork').Process(target=burn, args=(1.5,)).start()"


# A stage after it in the same process, with a log of its own.
NEXT = """
    sys.argv[-1] = sys.argv[-1].replace("job.log", "next.log")
    command.run(command.parser("next", "Another stage."), lambda arguments: burn(1.5))
"""


def attempt(folder: Path, work: str, interrupt: signal.Signals | None = None, after: str = "") -> float:
    """Run the command to its end; the CPU seconds that the system tells of it and of all that it awaited."""
    script = folder / "command.py"
    script.write_text(COMMAND.format(work=work) + after)
    process = subprocess.Popen([sys.executable, script, "--log", folder / "job.log"], stdout=subprocess.PIPE, text=True)
    if interrupt is not None:
        assert process.stdout is not None
        while "ready" not in process.stdout.readline():
            pass
        process.send_signal(interrupt)
    _, status, taken = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return taken.ru_utime + taken.ru_stime


def told(folder: Path, name: str = "job") -> list[dict[str, str]]:
    return usage.read(folder / f"{name}.usage.csv")


@pytest.mark.parametrize(
    ("work", "ended"),
    [("pass", "finished"), (CHILD, "finished"), (LEFT, "finished"), ("raise ValueError('no')", "failed")],
    ids=["alone", "a child", "a child that is left to the end", "a failure"],
)
def test_a_job_tells_what_the_system_does(tmp_path: Path, work: str, ended: str) -> None:
    taken = attempt(tmp_path, work)
    (row,) = told(tmp_path)
    assert row["ended"] == ended
    assert float(row["cpu_s"]) == pytest.approx(taken, abs=NOT_SEEN)
    assert float(row["wall_s"]) > 0.4
    assert 5 < float(row["peak_memory_mb"]) < 1000


def test_attempts_add_up_until_a_result_is_replaced(tmp_path: Path) -> None:
    waiting = "print('ready', flush=True); time.sleep(60)"
    attempt(tmp_path, waiting, signal.SIGKILL)
    attempt(tmp_path, waiting, signal.SIGTERM)
    attempt(tmp_path, "pass")
    assert [row["ended"] for row in told(tmp_path)] == ["killed", "stopped", "finished"]
    attempt(tmp_path, "command.given_again.append('work')")
    assert [row["ended"] for row in told(tmp_path)] == ["killed", "stopped", "finished", "given again"]
    attempt(tmp_path, "raise ValueError('no')")
    attempt(tmp_path, "pass")
    assert [row["ended"] for row in told(tmp_path)] == ["failed", "finished"]


def test_of_a_killed_attempt_all_but_the_last_seconds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = "import dilt.jobs.usage; burn(1.0); time.sleep(0.5); print('ready', flush=True); time.sleep(60)"
    script = tmp_path / "sitecustomize.py"
    script.write_text("import dilt.jobs.usage\ndilt.jobs.usage.SECONDS = 0.1\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    taken = attempt(tmp_path, work, signal.SIGKILL)
    (row,) = told(tmp_path)
    assert row["ended"] == "running"
    assert float(row["cpu_s"]) == pytest.approx(taken, abs=NOT_SEEN)


def test_a_table_that_cannot_be_read_or_written_stops_no_job(tmp_path: Path) -> None:
    (tmp_path / "job.usage.csv").write_bytes(b"begun,ended\n\xff,\x00\n")
    attempt(tmp_path, "pass")
    assert [row["ended"] for row in told(tmp_path)] == ["finished"]
    (tmp_path / "job.usage.csv").unlink()
    (tmp_path / "job.usage.csv").mkdir()
    attempt(tmp_path, f"open({str(tmp_path / 'done')!r}, 'w').close()")
    assert (tmp_path / "done").exists()


def test_stages_in_one_process_tell_what_each_took(tmp_path: Path) -> None:
    taken = attempt(tmp_path, "pass", after=NEXT)
    (first,), (second,) = told(tmp_path), told(tmp_path, "next")
    assert (first["ended"], second["ended"]) == ("finished", "finished")
    assert 0.5 <= float(first["cpu_s"]) < 1
    assert float(second["cpu_s"]) == pytest.approx(1, abs=NOT_SEEN)
    assert float(first["cpu_s"]) + float(second["cpu_s"]) == pytest.approx(taken, abs=NOT_SEEN)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak of memory")
def test_the_peak_of_a_stage_is_not_that_of_the_stage_before(tmp_path: Path) -> None:
    attempt(tmp_path, "bytearray(300 * 2**20)", after=NEXT)
    (first,), (second,) = told(tmp_path), told(tmp_path, "next")
    assert float(first["peak_memory_mb"]) > 300
    assert float(second["peak_memory_mb"]) < float(first["peak_memory_mb"]) - 200


def test_the_steps_of_a_training_are_told_apart_and_count_for_the_stage_that_took_them(tmp_path: Path) -> None:
    steps = "(burn(seconds) for seconds in (0.7, 1.1))"
    work = f"from dilt.jobs import usage; [burn(0.9) for _ in usage.training({steps}, 3)]"
    attempt(tmp_path, work, after=NEXT)
    (first,), (second,) = told(tmp_path), told(tmp_path, "next")
    assert float(first["training_wall_s"]) >= 0.4 - 0.05
    assert float(first["training_cpu_s"]) == pytest.approx(3 * 0.4, abs=0.15)  # of three processes
    assert (second["training_wall_s"], second["training_cpu_s"]) == ("0.00", "0.00")
