"""What Snakemake shows of a run with `--logger dilt`: on a terminal a live view of its stages, elsewhere plain lines.

Errors, warnings and dry runs are told as Snakemake tells them.
"""

from __future__ import annotations

import time
from logging import WARNING, LogRecord
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_dilt.run import Run, duration

LINE_SECONDS = 60.0  # without a terminal jobs that end write a line at least so often, and where a stage ends
BAR, SHOWN, LONG = 24, 4, 500  # columns of a bar; running jobs of a stage that are named; characters of a line
# How lines begin that Snakemake writes in every run, or at every step, and that say nothing of this one.
NOISE = (
    *("Assuming", "host:", "Building DAG", "Using shell", "Provided", "Rules claiming", "Singularity", "Conda env"),
    *("Job counts", "Select jobs", "Execute", "Waiting at most", "Complete log", "Elapsed time"),
)


class LogHandler(LogHandlerBase):
    """Takes in what Snakemake logs, in a thread of its own."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False  # Snakemake's own keeps out what --quiet names
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Find out where to write."""
        settings = self.common_settings
        self._console = Console(stderr=not settings.stdout, no_color=settings.nocolor or None, highlight=False)
        self._run: Run | None = None
        self._live: Live | None = None
        self._told = 0.0

    def emit(self, record: LogRecord) -> None:
        """Show what is to be seen of a record."""
        try:
            if self.common_settings.dryrun:
                self._console.print(self.format(record), markup=False, soft_wrap=True)
            else:
                self._take_in(record, getattr(record, "event", None))
        except Exception:  # no run is to stop because of what it shows
            self.handleError(record)

    def close(self) -> None:
        """Leave the view as it stands at last."""
        if self._live:
            self._live.stop()
        elif self._run:
            self._print(_of_all(self._run))
        self._run = self._live = None
        super().close()

    def _take_in(self, record: Any, event: LogEvent | None) -> None:
        now = time.monotonic()
        if event == LogEvent.RUN_INFO:
            self._begin(Run({rule: jobs for rule, jobs in record.stats.items() if rule != "total"}, now))
        elif event == LogEvent.JOB_INFO:
            if self._run:  # none where --quiet names progress
                what = " ".join(f"{name} {value}" for name, value in record.wildcards.items())
                self._run.start(record.jobid, record.rule_name, what, now)
        elif event == LogEvent.JOB_FINISHED:
            if self._run and record.job_id in self._run.rules:
                self._finish(self._run, record.job_id, now)
        elif self._is_told(record, event):
            if event == LogEvent.JOB_ERROR and self._run and record.jobid in self._run.rules:
                self._run.fail(record.jobid)
            self._print(self.format(record))

    def _is_told(self, record: LogRecord, event: LogEvent | None) -> bool:
        """Whether a record is written as Snakemake words it."""
        if event is None:
            return record.levelno >= WARNING or not record.getMessage().startswith(NOISE)
        return event in (LogEvent.ERROR, LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.SHELLCMD)

    def _begin(self, run: Run) -> None:
        if self._run or not run.jobs:
            return
        self._run, self._told = run, run.begun
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._view, console=self._console, refresh_per_second=1)
            self._live.start()
        else:
            self._print(f"{run.jobs} jobs: {', '.join(f'{s.jobs} {rule}' for rule, s in run.stages.items())}")

    def _finish(self, run: Run, job: int, now: float) -> None:
        rule, stage = run.finish(job, now)
        over = stage.done == stage.jobs or now - self._told > LINE_SECONDS
        if self._live is None and over and run.done < run.jobs:
            self._told = now
            self._print(f"{_of_all(run)}; {rule} {stage.done} of {stage.jobs}")

    def _view(self) -> Group:
        """A row for each stage, then a line for all."""
        table = Table.grid(padding=(0, 2))
        if self._run is None:
            return Group()
        for rule, stage in self._run.stages.items():
            if rule not in ("all", "everything"):  # which only ask for every stage
                done = stage.done == stage.jobs
                working = [what for _, what in stage.running.values()]
                more = f" and {len(working) - SHOWN} more" if len(working) > SHOWN else ""
                table.add_row(
                    Text(rule, style="dim" if done else "bold" if working else ""),
                    ProgressBar(stage.jobs, stage.done, BAR),
                    f"{stage.done} of {stage.jobs}" + (f", {stage.failed} failed" if stage.failed else ""),
                    Text(", ".join(working[:SHOWN]) + more, style="cyan", overflow="ellipsis", no_wrap=True),
                )
        return Group(table, _of_all(self._run))

    def _print(self, text: str) -> None:
        """Write a text, of long lines only the beginning: commands and lists of files are in the log of Snakemake."""
        for line in text.splitlines():
            self._console.print(line if len(line) <= LONG else f"{line[:LONG]} ...", markup=False, soft_wrap=True)


def _of_all(run: Run) -> str:
    """How far a run is, and how long the rest will take."""
    now = time.monotonic()
    told = f"{run.done} of {run.jobs} jobs ({run.done / run.jobs:.0%}) done in {duration(now - run.begun)}"
    left = run.left(now)
    return told if left is None or run.done == run.jobs else f"{told}, about {duration(left)} left"
