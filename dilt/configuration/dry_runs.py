"""Asks Snakemake what it would do for a configuration, without running anything; `planned` knows what answers mean."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dilt.configuration.planned import Plan, jobs_by_rule, planned_files
from dilt.configuration.projects import workflow_folder
from dilt.settings.experiment import Config

RESULTS = Path("results")  # has a folder for each experiment


def planned_by_snakemake(files: Sequence[Path], config: Config, whole: bool = True) -> Plan:
    """What an experiment makes, and what is left of it; raises ValueError as `snakemake` does.

    Args:
        whole: also count the jobs that are done, for which Snakemake has to be asked once more.
    """
    dry_run = ("--dry-run", "--quiet", "rules")
    with ThreadPoolExecutor() as asked:  # each takes seconds, much of it for imports
        summary = asked.submit(snakemake, files, "--summary")
        left = asked.submit(snakemake, files, *dry_run)
        all_ = asked.submit(snakemake, files, *dry_run, "--forceall") if whole else left
    return Plan.of(config, planned_files(summary.result()), *(jobs_by_rule(each.result()) for each in (all_, left)))


def snakemake(files: Sequence[Path], *arguments: str) -> str:
    """What Snakemake prints for a configuration, without running anything.

    Raises:
        ValueError: it refuses; the message has its last line.
    """
    here = Path("Snakefile")
    snakefile = here if here.is_file() else workflow_folder() / "Snakefile"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
    ran = subprocess.run(
        [*command, *arguments, "--configfile", *map(str, files)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines() or ["no reason given"]
        raise ValueError(f"snakemake {' '.join(arguments)}: {said[-1]}")
    return ran.stdout + ran.stderr
