"""Facts about what a run of Snakemake shows with `--logger dilt`."""

import logging
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from snakemake_logger_plugin_dilt import LONG, LogHandler
from snakemake_logger_plugin_dilt.run import Run, duration

SETTINGS = SimpleNamespace(stdout=True, nocolor=True, dryrun=False)


@pytest.fixture
def handler() -> Iterator[LogHandler]:
    made = LogHandler(SETTINGS, None)
    made.setFormatter(DefaultFormatter())
    yield made
    made.close()


def log(handler: LogHandler, text: str = "", level: int = logging.INFO, **of_event: Any) -> None:
    record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
    record.__dict__ |= of_event
    handler.handle(record)


def run(handler: LogHandler, jobs: int, rule: str = "train") -> None:
    """All jobs of a rule, one after the other."""
    for job in range(jobs):
        log(handler, event=LogEvent.JOB_INFO, jobid=job, rule_name=rule, wildcards={"seed": job})
        log(handler, event=LogEvent.JOB_FINISHED, job_id=job)


def test_snakemake_finds_it() -> None:
    assert LoggerPluginRegistry().get_plugin("dilt").log_handler is LogHandler


def test_without_a_terminal_there_is_a_line_where_a_stage_ends(
    handler: LogHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    log(handler, "Building DAG of jobs...")
    log(handler, event=LogEvent.RUN_INFO, stats={"train": 3, "prune": 1, "total": 4})
    log(handler, "Select jobs to execute...")
    log(handler, "Execute 2 jobs...", event=LogEvent.JOB_STARTED)
    run(handler, 3)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "4 jobs: 3 train, 1 prune"
    assert len(said) == 2
    assert said[1].startswith("3 of 4 jobs (75%) done in 0 s, about 0 s left; train 3 of 3")
    handler.close()
    assert capsys.readouterr().out.splitlines() == ["3 of 4 jobs (75%) done in 0 s, about 0 s left"]


def test_stages_that_take_long_are_told_of_while_they_run(
    handler: LogHandler, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log(handler, event=LogEvent.RUN_INFO, stats={"train": 9, "total": 9})
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    run(handler, 2)
    assert capsys.readouterr().out.splitlines()[1:] == ["1 of 9 jobs (11%) done in 1 min 01 s; train 1 of 9"]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Nothing to be done (all requested files are present and up to date).", logging.INFO),
        ("a training diverged", logging.WARNING),
    ],
)
def test_words_that_are_no_noise_are_written(
    handler: LogHandler, capsys: pytest.CaptureFixture[str], text: str, level: int
) -> None:
    log(handler, text, level)
    assert capsys.readouterr().out.splitlines() == [text]


def test_a_failure_is_told_as_snakemake_does_and_long_lines_are_cut(
    handler: LogHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    log(handler, event=LogEvent.RUN_INFO, stats={"train": 2, "total": 2})
    log(handler, event=LogEvent.JOB_INFO, jobid=0, rule_name="train", wildcards={})
    told = {"rule_name": "train", "jobid": 0, "msg": "", "input": ["x" * 9000], "output": [], "log": ["job.log"]}
    told |= {"conda_env": None, "shellcmd": "[a command]", "aux": {}, "event": LogEvent.JOB_ERROR}
    log(handler, level=logging.ERROR, **told)
    said = capsys.readouterr().out
    assert "Error in rule train:" in said
    assert "[a command]" in said
    assert max(map(len, said.splitlines())) == LONG + len(" ...")


@pytest.mark.parametrize(("event", "name"), [(LogEvent.JOB_FINISHED, "job_id"), (LogEvent.JOB_ERROR, "jobid")])
def test_jobs_that_quiet_rules_keeps_out_are_not_missed(
    handler: LogHandler, capsys: pytest.CaptureFixture[str], event: LogEvent, name: str
) -> None:
    log(handler, event=LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    handler.format = lambda record: "failed"
    log(handler, event=event, **{name: 0})
    said = capsys.readouterr()
    assert said.out.splitlines()[1:] == ["failed"] * (event == LogEvent.JOB_ERROR)
    assert said.err == ""


def test_a_dry_run_is_shown_whole(handler: LogHandler, capsys: pytest.CaptureFixture[str]) -> None:
    handler.common_settings = SimpleNamespace(stdout=True, nocolor=True, dryrun=True)
    log(handler, "Job stats:\njob    count\n" + "x" * 2 * LONG, event=LogEvent.RUN_INFO, stats={})
    assert capsys.readouterr().out == "Job stats:\njob    count\n" + "x" * 2 * LONG + "\n"


def test_on_a_terminal_stages_and_running_jobs_are_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    handler = LogHandler(SETTINGS, None)
    log(handler, event=LogEvent.RUN_INFO, stats={"train": 2, "all": 1, "total": 3})
    for job in (0, 1):
        log(handler, event=LogEvent.JOB_INFO, jobid=job, rule_name="train", wildcards={"seed": job})
    log(handler, event=LogEvent.JOB_FINISHED, job_id=0)
    handler.close()
    last = [line for line in capsys.readouterr().out.splitlines() if "1 of" in line][-2:]
    assert "train" in last[0]
    assert "1 of 2" in last[0]
    assert "seed 1" in last[0]
    assert "seed 0" not in last[0]
    assert "1 of 3 jobs (33%) done in 0 s" in last[1]


def test_the_time_left_is_that_of_the_jobs_left_if_they_run_as_those_before() -> None:
    run = Run({"slow": 4, "fast": 3}, 0.0)
    assert run.left(0.0) is None
    for job in (0, 1):
        run.start(job, "slow", "", 0.0)
    for job in (0, 1):
        run.finish(job, 10.0)
    assert run.left(10.0) == pytest.approx(5 * 10 / 2), "rules of which nothing is known count as the mean"
    run.start(2, "fast", "", 10.0)
    run.start(3, "slow", "", 10.0)
    run.finish(2, 12.0)
    assert run.left(12.0) == pytest.approx((2 * 10 - 2 + 2 * 2) / 2), "what a job has run counts"
    run.fail(3)
    assert run.left(24.0) == pytest.approx((10 + 2 * 2) / (22 / 24)), "what failed is not done"
    assert run.stages["slow"].failed == 1


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_times_are_told_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
