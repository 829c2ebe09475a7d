"""Ends jobs when the Snakemake that started them is gone, and forked processes when their job is gone."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache

SECONDS = 1.0
SNAKEMAKE = "DILT_SNAKEMAKE"  # process ID, set by the workflow


@cache
def end_with_snakemake() -> None:
    """From now on watch the Snakemake that this process descends from, if any; when it is gone, send SIGTERM.

    A stage that saves on SIGTERM saves. On a cluster the Snakemake watched is the one inside the job, so that a job
    outlives the one on the login node.
    """
    started_by = os.environ.get(SNAKEMAKE, "")
    if started_by.isdigit() and _descends_from(int(started_by)):
        threading.Thread(target=_watch, args=(int(started_by),), daemon=True).start()


def end_with(parent: int) -> None:
    """From now on watch the process that forked this one; when it is gone, end at once, with nothing to save."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _watch(ancestor: int) -> None:
    while _descends_from(ancestor):
        time.sleep(SECONDS)
    print(f"the Snakemake that started this job (process {ancestor}) is gone", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _descends_from(ancestor: int) -> bool:
    import psutil

    return ancestor in (process.pid for process in psutil.Process().parents())
