"""Claims GPUs of the machine for a process, alone or shared with as many others as the configuration allows.

Each GPU has places, one for every process that may use it at a time. A claim is a lock on the file of a place, which
the kernel gives back however the process ends. GPUs are those of NVIDIA's library NVML, which `nvidia-smi` lists too;
where there are none, nothing is claimed. Computing on GPUs is left to `networks.devices`.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")
PATIENCE = 60.0  # seconds for NVIDIA's driver to answer
POLL = 0.5  # seconds between two looks at taken GPUs
JOBS_PER_GPU = "DILT_JOBS_PER_GPU"  # set by the workflow: processes that may use a GPU at a time; 1 if not set
_held: dict[Gpu, BaseFileLock] = {}  # while they are referred to, until the process ends


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
        ValueError: this process can see fewer GPUs, or the driver does not answer.
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
    _held.update(claimed)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpu.uuid for gpu in claimed)
    for gpu in claimed:
        print(f"# GPU {gpu.index} ({gpu.uuid})", flush=True)
    return list(claimed)


def installed_gpus() -> list[Gpu]:
    """The machine's GPUs in the order of `nvidia-smi`; none where there is no driver.

    Raises:
        ValueError: the driver does not answer.
    """
    import pynvml

    found: list[Gpu] = []

    def ask() -> None:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            for index in range(pynvml.nvmlDeviceGetCount()):
                with suppress(pynvml.NVMLError):  # it is lost, or not for this user
                    found.append(Gpu(str(index), pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index))))
            pynvml.nvmlShutdown()

    # NVML has no limit of time; a thread can be left behind.
    asked = threading.Thread(target=ask, daemon=True)
    asked.start()
    asked.join(PATIENCE)
    if asked.is_alive():
        raise ValueError(f"NVIDIA's driver: no answer within {PATIENCE:g} s; mend it, or restart the machine")
    return found


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


def _lock(number: int, gpus: Sequence[Gpu], places: int, folder: Path) -> dict[Gpu, BaseFileLock]:
    """``number`` GPUs with the lock of a place on each, those with most free places first; none if fewer are free."""
    from filelock import FileLock, Timeout

    locked: dict[Gpu, BaseFileLock] = {}
    for place in range(places):
        for gpu in gpus:
            if gpu not in locked and len(locked) < number:
                path = folder / f"{gpu.uuid.replace('/', '-')}.{place}"
                lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    locked[gpu] = lock
    if len(locked) == number:
        return locked
    for taken in locked.values():
        taken.release()
    return {}
