"""Claims GPUs of the machine for a process, alone or shared with as many others as the configuration allows.

Each GPU has places, one for every process that may use it at a time. A claim is a lock on the file of a place, which
the kernel gives back however the process ends. GPUs are those that `nvidia-smi` lists; where it lists none, nothing is
claimed. Computing on GPUs is left to `networks.devices`.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
LISTING = ("nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader")
PATIENCE = 60.0  # seconds for `nvidia-smi` to answer
POLL = 0.5  # seconds between two looks at taken GPUs
JOBS_PER_GPU = "DILT_JOBS_PER_GPU"  # set by the workflow: processes that may use a GPU at a time; 1 if not set


@dataclass(frozen=True)
class Gpu:
    """A GPU by its number in `nvidia-smi` and by its UUID, which is the same for all processes of a machine."""

    index: str
    uuid: str


@cache
def claim_gpus(number: int = 1) -> list[Gpu]:
    """Claim GPUs for the life of this process and hide the others from it; wait for them if they are taken.

    To be called before CUDA starts. Where there is no GPU, or a scheduler has assigned the GPUs, the list is empty and
    nothing is changed.

    Raises:
        ValueError: this process can see fewer GPUs, or `nvidia-smi` does not answer.
    """
    gpus = visible_gpus(installed_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    if gpus and len(gpus) < number:
        raise ValueError(f"jobs.gpus: {number}, but {len(gpus)} GPU(s) can be seen here; ask for no more than that")
    if not gpus or (len(gpus) == number and assigned_by_scheduler(os.environ)):
        return []
    folder = Path(tempfile.gettempdir()) / f"dilt-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    places = int(os.environ.get(JOBS_PER_GPU, "1"))
    claimed = _lock(number, gpus, places, folder)
    if not claimed:
        taken = ", ".join(gpu.index for gpu in gpus)
        print(f"# waits for a GPU: other jobs of dilt have {taken} (locks in {folder})", flush=True)
    while not claimed:
        time.sleep(POLL)
        claimed = _lock(number, gpus, places, folder)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpu.uuid for gpu in claimed)
    for gpu in claimed:
        print(f"# GPU {gpu.index} ({gpu.uuid})", flush=True)
    return claimed


def installed_gpus() -> list[Gpu]:
    """The machine's GPUs in the order of `nvidia-smi`; none where it is missing or finds no driver.

    Raises:
        ValueError: `nvidia-smi` does not answer.
    """
    try:
        listing = subprocess.run(LISTING, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    except subprocess.TimeoutExpired as error:
        raise ValueError(
            f"nvidia-smi: no answer within {PATIENCE:g} s; mend the driver, or restart the machine"
        ) from error
    return [Gpu(*found) for found in re.findall(r"^(\d+), (GPU-\S+)$", listing, re.MULTILINE)]


def visible_gpus(installed: Sequence[Gpu], visible: str | None) -> list[Gpu]:
    """The GPUs that ``CUDA_VISIBLE_DEVICES`` allows, in its order; all where it is not set.

    The variable is read as CUDA reads it: an entry is a number in `nvidia-smi`, a UUID or its beginning, or the UUID of
    a MIG slice; from the first entry that names no GPU on, entries are ignored.
    """
    if visible is None:
        return list(installed)
    allowed: list[Gpu] = []
    for entry in visible.split(","):
        gpu = _named(entry.strip(), installed)
        if gpu is None:
            break
        allowed.append(gpu)
    return allowed


def assigned_by_scheduler(environment: Mapping[str, str]) -> bool:
    """Whether a scheduler runs this process; if it then sees only as many GPUs as it needs, these were assigned."""
    return any(variable in environment for variable in SCHEDULERS)


def _named(entry: str, installed: Sequence[Gpu]) -> Gpu | None:
    if entry.startswith("MIG-"):
        return Gpu(entry, entry)
    for gpu in installed:
        if entry == gpu.index or (entry.startswith("GPU-") and gpu.uuid.startswith(entry)):
            return gpu
    return None


def _lock(number: int, gpus: Sequence[Gpu], places: int, folder: Path) -> list[Gpu]:
    """``number`` GPUs with a place locked on each, those with most free places first; none if fewer are free.

    The files stay open, and the locks held, until the process ends.
    """
    locked: dict[Gpu, int] = {}
    for place in range(places):
        for gpu in gpus:
            if gpu not in locked and len(locked) < number:
                file = _locked(folder / f"{gpu.uuid.replace('/', '-')}.{place}")
                if file is not None:
                    locked[gpu] = file
    if len(locked) < number:
        for file in locked.values():
            os.close(file)
        return []
    return list(locked)


def _locked(path: Path) -> int | None:
    """The file, opened and locked, or None if another process has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
