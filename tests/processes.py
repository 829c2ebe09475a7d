"""Processes that tests start and end."""

import time
from collections.abc import Sequence

import psutil


def still_working(processes: Sequence[psutil.Process], seconds: float = 30) -> list[psutil.Process]:
    """Those that work on after that many seconds at the most.

    A process whose parent was killed may stay as a zombie: it has ended, but whoever adopts it here collects nothing.
    """
    end = time.monotonic() + seconds
    while (found := [process for process in processes if _works(process)]) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _works(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
