"""Slurm jobs that outlive a killed Snakemake, which the next one waits for; and those that are preempted.

Jobs of other experiments, whose Snakemake may live, are not touched. Resuming a job is left to its checkpoints.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from dilt.foundations.storage import replacing

SECONDS = 10
KILLED = (
    "The last Snakemake on Slurm was killed. Results of jobs that ended without it are kept, but it recorded neither "
    "their settings nor their code, so that later edits of these go unnoticed: `snakemake -n` names such rules as "
    "missing metadata, and `-R RULE` makes them anew."
)


class SlurmRun:
    """The run of an experiment on Slurm, noted in a file: the name under which its jobs are queued, and its end.

    Args:
        note: that file; it holds the last run's name, and "ended" after a run that was not killed.
        logs: Snakemake's logs of this run, in which its Slurm executor writes the name; other executors write none.
    """

    def __init__(self, note: Path, logs: list[str]) -> None:
        self.note = note
        said = re.search(r"SLURM run ID: (\S+)", "".join(Path(log).read_text() for log in logs))
        self.name = said[1] if said else None

    def start(self, say: Callable[[str], object]) -> None:
        """Return when no job of the run before is left; to be called before the first job."""
        if not shutil.which("squeue"):
            return
        if self.note.exists() and (noted := self.note.read_text().split()):
            earlier, *ended = noted
            _wait(earlier, say)
            if not ended:
                say(KILLED)
                self._write(f"{earlier} ended\n")
        if self.name:
            self._write(f"{self.name}\n")

    def end(self) -> None:
        """Note that nothing was left behind; to be called after the last job, failed or not."""
        if self.name:
            self._write(f"{self.name} ended\n")

    def _write(self, text: str) -> None:
        with replacing(self.note) as partial:  # a run that is killed while it writes leaves the note before
            partial.write_text(text)


def requeue_if_preempted() -> None:
    """If this process is a Slurm job that is asked to make room for another, have Slurm start it again later.

    Slurm does so by itself with a job that it has to kill. One that saves and ends within its grace time counts as
    failed, and would take one of Snakemake's retries each time.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if not job or not shutil.which("scontrol"):
        return
    shown = _answer("scontrol", "show", "job", job) or ""
    if re.search(r"\bPreemptTime=\d", shown) and re.search(r"\bRequeue=1\b", shown):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which the request brings about
        if _answer("scontrol", "requeue", job) is not None:
            print(f"preempted; Slurm starts job {job} again later", flush=True)


def _wait(name: str, say: Callable[[str], object]) -> None:
    """Return when no job of a name is queued; say once which are. If Slurm does not answer at first, do not wait."""
    jobs = _queued(name) or []
    if jobs:
        ids = " ".join(jobs)
        say(
            f"Slurm still has jobs of an earlier Snakemake: {ids}. Waiting for them to end, so that nothing is "
            f"computed twice; `scancel {ids}` ends them early."
        )
    try:
        while jobs:
            time.sleep(SECONDS)
            answer = _queued(name)
            jobs = jobs if answer is None else answer
    except KeyboardInterrupt:
        raise SystemExit("Stopped; the Slurm jobs go on.") from None


def _queued(name: str) -> list[str] | None:
    """Ids of the jobs of a name that wait or run; None if Slurm does not answer."""
    answer = _answer("squeue", "--name", name, "--noheader", "--format=%i")
    return None if answer is None else answer.split()


def _answer(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
