"""Locks for work that one process at a time may do; a lock ends with its process, however that ends.

They are filelock's, which asks the kernel (``flock``). What a person is told is this module's: who holds one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dilt.foundations.storage import make_folder, naming

# Seconds: an orphan of a killed Snakemake has saved and gone by then, and an NFS server has dropped the locks of a
# machine that failed, which it keeps for 90.
PATIENCE = 120.0
POLL = 0.2  # seconds between two tries


@contextmanager
def held(path: Path, patience: float | None = None) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs; the file says who holds it.

    Args:
        patience: seconds to wait for it; None for `PATIENCE`.

    Raises:
        ValueError: another process still held it then; the message names the process.
        OSError: the file cannot be written; the message names it.
    """
    from filelock import FileLock, Timeout

    make_folder(path.parent)
    # A lock that is a mere file, filelock's resort where the kernel has none, would outlive a killed process.
    wait = PATIENCE if patience is None else patience
    lock = FileLock(path, timeout=wait, poll_interval=POLL, fallback_to_soft=False)
    try:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if wait:
                print(f"waiting for {_holder(path)}, which holds {path}", flush=True)
            lock.acquire()
    except Timeout as error:
        raise ValueError(
            f"{path.with_suffix('')}: {_holder(path)} still works on this; wait for it or end it, then run again"
        ) from error
    except OSError as error:
        if error.filename is not None:
            raise
        print(f"{path}: no locks on this file system ({error.strerror}); two runs of one job are not told", flush=True)
    try:
        with naming(path):
            path.write_text(_self())
        yield
    finally:
        # While it is held: one who opened the file before sees, once it has the lock, that the file is gone.
        path.unlink(missing_ok=True)
        lock.release()


def _holder(path: Path) -> str:
    try:
        return path.read_text(errors="replace") or "another process"
    except FileNotFoundError:
        return "another process"


def _self() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (Slurm job {job})" if job else "")
