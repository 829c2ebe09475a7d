"""What Snakemake's scheduler is told beside its options."""

from __future__ import annotations

from typing import Any


def start_at_once(workflow: Any) -> None:
    """On one machine have jobs start as soon as there is room for them. To be called when a run begins.

    Were their number in a time limited, as by default, each job that ends would begin a series of looks at the input of
    all that wait, one a second each: after 80 jobs they take a tenth of a core (Snakemake 9.27, `job_rate_limiter`).

    Args:
        workflow: Snakemake's, whose scheduler there is from the beginning of a run on, not while rules are read.
    """
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None
