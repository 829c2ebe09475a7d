"""Checkpoints of a running job: written beside and renamed, tied to what made them, taken up after a kill.

They are files that the workflow does not declare, since it deletes a failed job's declared files.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from dilt.storage import Tensors, canonical, read_tensors, write_tensors

STOPPED = 143
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def add_options(command: argparse.ArgumentParser) -> None:
    """The command-line options of stages that train: seed, threads, where to save."""
    command.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    command.add_argument("--threads", type=int, default=1, help="CPU threads")
    command.add_argument("--checkpoints", type=Path, required=True, metavar="FOLDER", help="where to save")
    command.add_argument("--code", default="", metavar="DIGEST", help="fingerprint of the code; ties checkpoints to it")


class StopRequest:
    """Whether the process was asked to stop (time limit, preemption, Ctrl-C); work stops at the next safe point."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def listen(self) -> None:
        """Take SIGTERM, SIGINT and SIGUSR1 as requests rather than as the end of the process."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.signal = number


class Checkpoints:
    """The checkpoints of one job, a file for each training in it.

    Args:
        folder: where they lie; removed by `clear` once the job's outputs exist.
        identity: whatever the result depends on (options, code); a checkpoint of another identity is not used.
        seconds: time between checkpoints of a running training.
        stop: the job's stop request, honoured at every `due`.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], seconds: float, stop: StopRequest) -> None:
        self.folder = folder
        self.identity = dict(identity)
        self.seconds = seconds
        self.stop = stop

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Checkpoints:
        """Checkpoints tied to a stage's options, seed, threads, code and data; from now on signals ask it to stop.

        The environment's DILT_CHECKPOINT_MINUTES is the interval: it changes no result, so it is not an option.
        """
        stop = StopRequest()
        stop.listen()
        identity: dict[str, Any] = {name: getattr(arguments, name) for name in ("options", "seed", "code", "threads")}
        datasets = arguments.data if isinstance(arguments.data, list) else [arguments.data]
        # A dataset.json holds the digests of all its arrays, and the partitions.
        identity["data"] = [hashlib.sha256(dataset.read_bytes()).hexdigest() for dataset in datasets]
        return cls(arguments.checkpoints, identity, 60 * float(os.environ.get("DILT_CHECKPOINT_MINUTES", "5")), stop)

    def of(self, label: str, **identity: Any) -> Checkpoint:
        """The checkpoint of one training, told from others by its label and tied to its own inputs too."""
        key = hashlib.sha256(canonical(self.identity | identity).encode()).hexdigest()
        return Checkpoint(self, label, key)

    def clear(self) -> None:
        """Remove them all."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Checkpoint:
    """One training's saved state: tensors and a small record."""

    def __init__(self, job: Checkpoints, label: str, key: str) -> None:
        self.label = label
        self._job, self._key = job, key
        self._path = job.folder / f"{label.replace('/', '.')}.safetensors"
        self._saved = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save: the interval has passed, or the job was asked to stop."""
        return self.stopping() or time.monotonic() - self._saved >= self._job.seconds

    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._job.stop.signal is not None

    def save(self, tensors: Tensors, record: Mapping[str, Any]) -> None:
        """Replace the saved state; if the job was asked to stop, it ends here with exit code 143."""
        write_tensors(self._path, tensors, {"key": self._key, **record})
        self._saved = time.monotonic()
        if self.stopping():
            print(f"stopped by signal {self._job.stop.signal}; run again to go on from {self._path}", flush=True)
            raise SystemExit(STOPPED)

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The saved state, or None when there is none that belongs to this training.

        A damaged file is set aside, with a line that says so, and training starts over.
        """
        if not self._path.exists():
            return None
        try:
            tensors, record = read_tensors(self._path)
        except ValueError as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            print(f"{error}; set aside as {aside}, starting over", flush=True)
            return None
        if record.get("key") != self._key:
            print(f"{self._path}: made by other code, settings or inputs; not used", flush=True)
            return None
        return tensors, record
