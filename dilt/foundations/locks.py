"""Locks for work that one process at a time may do; a lock ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0  # seconds: an orphan of a killed Snakemake has saved and gone by then


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs; the file says who holds it.

    Raises:
        ValueError: another process still held it after `PATIENCE` seconds; the message names the process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _acquire(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path) -> int:
    deadline = time.monotonic() + PATIENCE
    waiting = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _taken(descriptor, path):
            os.truncate(descriptor, 0)
            os.write(descriptor, _self().encode())
            return descriptor
        holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise ValueError(
                f"{path.with_suffix('')}: {holder} still works on this; wait for it or end it, then run again"
            )
        if not waiting:
            print(f"waiting for {holder}, which holds {path}", flush=True)
            waiting = True
        time.sleep(0.2)


def _taken(descriptor: int, path: Path) -> bool:
    """Whether the lock is ours now: nobody holds it, and its file was not removed by the one who held it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"{path}: no locks on this file system ({error.strerror}); two runs of one job are not told", flush=True)
        return True
    try:
        return os.fstat(descriptor).st_ino == os.stat(path).st_ino
    except FileNotFoundError:
        return False


def _self() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (Slurm job {job})" if job else "")
