"""What a starting Snakemake does about Slurm jobs of the one before, with a stand-in for squeue."""

import os
import signal

import pytest

from dilt.jobs import slurm_jobs
from dilt.jobs.slurm_jobs import KILLED, SlurmRun, requeue_if_preempted


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Sets what squeue prints, call by call; it fails once nothing is left."""
    answers = tmp_path / "answers"
    program = tmp_path / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ -s {answers} ] || exit 1\n'
        f"head -n 1 {answers} | xargs -n 1 echo\nsed -i 1d {answers}\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(slurm_jobs, "SECONDS", 0)
    return lambda *lines: answers.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def run(tmp_path):
    """Makes the run of a name; None for a run that is not on Slurm."""

    def of(name):
        log = tmp_path / f"{name}.snakemake.log"
        log.write_text(f"Building DAG of jobs...\nSLURM run ID: {name}\nUsing shell\n" if name else "Using shell\n")
        return SlurmRun(tmp_path / "logs/slurm_run.txt", [str(log)])

    return of


def test_a_killed_runs_jobs_are_waited_for(squeue, run, tmp_path):
    said = []
    run("one").start(said.append)
    squeue("7 8", "8", "")
    run("two").start(said.append)
    assert (tmp_path / "asked").read_text().splitlines() == ["--name one --noheader --format=%i"] * 3
    assert len(said) == 2
    assert "7 8" in said[0]
    assert said[1] == KILLED
    assert (tmp_path / "logs/slurm_run.txt").read_text() == "two\n"


def test_a_run_that_ended_leaves_nothing_to_say(squeue, run):
    said = []
    first = run("one")
    first.start(said.append)
    first.end()
    squeue("")
    run("two").start(said.append)
    assert said == []


def test_a_slurm_that_does_not_answer_holds_nothing_up(squeue, run):
    said = []
    run("one").start(said.append)
    squeue()
    run("two").start(said.append)
    assert said == [KILLED]


def test_a_run_that_is_not_on_slurm_waits_too(squeue, run, tmp_path):
    run("one").start(print)
    squeue("7", "")
    local = run(None)
    said = []
    local.start(said.append)
    local.end()
    assert "7" in said[0]
    assert (tmp_path / "logs/slurm_run.txt").read_text() == "one ended\n"


def test_without_slurm_nothing_happens(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    run(None).start(print)
    assert not (tmp_path / "logs").exists()


def test_an_empty_note_is_none_and_one_is_never_half_written(squeue, run, tmp_path, monkeypatch):
    note = tmp_path / "logs/slurm_run.txt"
    run("one").start(print)
    note.write_text("")  # what a cut of the power made of it
    said = []
    run("two").start(said.append)
    assert said == []
    monkeypatch.setattr(os, "replace", lambda *paths: 1 / 0)  # killed before
    with pytest.raises(ZeroDivisionError):
        run("two").end()
    assert note.read_text() == "two\n"


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("Requeue=1 PreemptEligibleTime=2026-11-29T23:15:18 PreemptTime=2026-11-29T23:15:22", True),
        ("Requeue=0 PreemptEligibleTime=2026-11-29T23:15:18 PreemptTime=2026-11-29T23:15:22", False),
        ("Requeue=1 PreemptEligibleTime=2026-11-29T23:15:18 PreemptTime=None", False),  # its time limit, or scancel
    ],
)
def test_only_a_preempted_job_is_queued_again(tmp_path, monkeypatch, shown, asked):
    program = tmp_path / "scontrol"
    program.write_text(f"#!/bin/sh\necho $@ >> {tmp_path}/asked\necho {shown}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    handler = signal.getsignal(signal.SIGTERM)
    requeue_if_preempted()
    assert not (tmp_path / "asked").exists(), "not in a Slurm job"
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    requeue_if_preempted()
    signal.signal(signal.SIGTERM, handler)
    assert (tmp_path / "asked").read_text().splitlines() == ["show job 12", *(["requeue 12"] if asked else [])]
