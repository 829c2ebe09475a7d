"""Checkpoints: the state of a running job, from which it goes on after it was stopped or killed.

A checkpoint is tied to the options, code and inputs that made it. The workflow does not declare checkpoints, since it
deletes the declared files of a failed job. Finished work is kept as a checkpoint too, so that a job that is run again
without need gives its results at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from dilt.foundations import locks
from dilt.foundations.signals import STOP_SIGNALS
from dilt.foundations.storage import Tensors, canonical, read_tensors, replacing, write_tensors
from dilt.jobs import command
from dilt.jobs.fingerprint import code_digest


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command-line options of stages that save their state."""
    parser.add_argument("--checkpoints", type=Path, required=True, metavar="FOLDER", help="where to save")


class StopRequest:
    """Whether the process was asked to stop (time limit, preemption, Ctrl-C).

    In a ``with`` block SIGTERM, SIGINT and SIGUSR1 are such requests, and work stops at the next safe point; before and
    after, when there is nothing to save, they end the process at once.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        self._before = {number: signal.signal(number, self._receive) for number in STOP_SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.signal = number


class Checkpoints:
    """The checkpoints of one job, a file for each piece of its work.

    Args:
        folder: where they lie.
        identity: whatever all results depend on (options, code); a checkpoint of another identity is not used.
        seconds: time between checkpoints of a running piece of work.
        stop: the job's stop request, honoured at every `Checkpoint.due`.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], seconds: float, stop: StopRequest) -> None:
        self.folder = folder
        self.identity = dict(identity)
        self.seconds = seconds
        self.stop = stop

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace, *inputs: Path) -> Checkpoints:
        """Checkpoints tied to a stage's options, seed, round, threads, code, libraries and inputs.

        The environment's DILT_CHECKPOINT_MINUTES is the interval: it changes no result, so it is not an option.

        Args:
            inputs: small files that stand for the job's data, such as a dataset.json, which has the arrays' digests.
        """
        tied = ("options", "seed", "round", "code", "threads", "ranks")
        identity = {name: value for name, value in vars(arguments).items() if name in tied}
        identity["versions"] = command.versions()
        identity["checkpoints"] = code_digest(__name__)  # not part of the stage's own digest
        identity["inputs"] = [hashlib.sha256(file.read_bytes()).hexdigest() for file in inputs]
        seconds = 60 * float(os.environ.get("DILT_CHECKPOINT_MINUTES", "5"))
        return cls(arguments.checkpoints, identity, seconds, StopRequest())

    def of(self, label: str, **identity: Any) -> Checkpoint:
        """The checkpoint of one piece of work, which its label names; it is tied to ``identity`` besides the job's."""
        key = hashlib.sha256(canonical(self.identity | identity).encode()).hexdigest()
        return Checkpoint(self, label, key)


class Checkpoint:
    """The saved state of one piece of work: tensors and a small record.

    In a ``with`` block no other process holds the checkpoint, and a signal to stop is a request: the job ends when it
    next saves, at the latest when the block ends.

    Attributes:
        label: what is worked on.
        path: the file.
    """

    def __init__(self, job: Checkpoints, label: str, key: str) -> None:
        self.label = label
        self.path = job.folder / f"{label.replace('/', '.')}.safetensors"
        self._job, self._key = job, key
        self._block = ExitStack()
        self._saved = time.monotonic()

    def __enter__(self) -> Checkpoint:
        self._block.enter_context(locks.held(self.path.with_suffix(".lock")))
        self._block.enter_context(self._job.stop)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._block.close()
        if kind is None and self.stopping():
            print(f"stopped by signal {self._job.stop.signal} after {self.label}", flush=True)
            raise SystemExit(command.STOPPED)

    def due(self) -> bool:
        """Whether it is time to save: the interval has passed, or the job was asked to stop."""
        return self.stopping() or time.monotonic() - self._saved >= self._job.seconds

    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._job.stop.signal is not None

    def save(self, tensors: Tensors, record: Mapping[str, Any]) -> None:
        """Replace the saved state; if the job was asked to stop, it ends here with exit code 143."""
        write_tensors(self.path, tensors, {"key": self._key, **record})
        self._saved = time.monotonic()
        if self.stopping():
            print(f"stopped by signal {self._job.stop.signal}; run again to go on from {self.path}", flush=True)
            raise SystemExit(command.STOPPED)

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The saved state of this work if it is unfinished, or None."""
        found = self._read()
        return None if found is None or found[1].get("finished") else found

    def finish(self, tensors: Tensors, record: Mapping[str, Any]) -> dict[str, Any]:
        """Keep the results of finished work in place of its saved state; gives the record as `finished` does."""
        whole = {"key": self._key, "finished": True, **record}
        write_tensors(self.path, tensors, whole)
        return whole

    def finished(self) -> dict[str, Any] | None:
        """The record of this work if an earlier run finished it, or None."""
        found = self.kept()
        return None if found is None else found[1]

    def kept(self) -> tuple[Tensors, dict[str, Any]] | None:
        """Tensors and record of this work if an earlier run finished it, or None."""
        found = self._read()
        if found is None or not found[1].get("finished"):
            return None
        print(f"{self.label}: finished before; kept in {self.path}", flush=True)
        command.given_again.append(self.label)
        return found

    def export(self, path: Path) -> None:
        """Put finished work among the results: as a hard link to the same file where that is possible, else a copy."""
        with replacing(path) as partial:
            partial.unlink(missing_ok=True)
            try:
                os.link(self.path, partial)
            except OSError:
                shutil.copyfile(self.path, partial)

    def _read(self) -> tuple[Tensors, dict[str, Any]] | None:
        """What the file holds, if it belongs to this work; a damaged file is set aside, with a line that says so."""
        if not self.path.exists():
            return None
        try:
            tensors, record = read_tensors(self.path)
        except ValueError as error:
            aside = self.path.with_suffix(".damaged")
            self.path.replace(aside)
            print(f"{error}; set aside as {aside}, starting over", flush=True)
            return None
        if record.get("key") != self._key:
            print(f"{self.path}: made by other code, settings or inputs; not used", flush=True)
            return None
        return tensors, record
