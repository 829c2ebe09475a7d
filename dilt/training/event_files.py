"""Event files of trainings, of which TensorBoard draws curves: a folder for each network, a step for each epoch.

They are no results: nothing reads them, and where one cannot be written a line says so and the training goes on.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.foundations.result_paths import Networks
from dilt.training.history import History

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

SWITCH = "DILT_TENSORBOARD"  # set by the workflow: 1 if trainings write event files


class Curve:
    """The event file of a network: its epochs, each once, however often its training was stopped or begun anew.

    It is made of tensorboard's protocol buffers and its record writer. torch's SummaryWriter, which has these below it,
    adds a thread for each network, where errors are lost, and loads TensorFlow wherever it is installed.

    Attributes:
        folder: where it lies.

    Args:
        network: the file of the network's weights.
        facts: numbers, words and truth values that TensorBoard shows as hyperparameters.
    """

    def __init__(self, network: Path, facts: Mapping[str, Any]) -> None:
        self.folder = folder_of(network)
        self._facts = dict(facts)
        self._file: Path | None = None

    def begin(self, history: History) -> None:
        """Replace what there is of the network by the epochs that are done.

        What an earlier attempt noted of an epoch besides its metrics is kept. If no event files are asked for, a
        training from its first epoch on removes that of the network before, and one that goes on leaves it.
        """
        with self._unharmed():
            before = sorted(self.folder.glob("events.out.tfevents.*"))
            if os.environ.get(SWITCH) == "1":
                name = (
                    f"events.out.tfevents.{int(time.time()):010}.{socket.gethostname()}.{os.getpid()}.{time.time_ns()}"
                )
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_bytes(_records(self._events(history, before)))
                self._file = self.folder / name
            elif history:
                return
            for file in before:
                if self._file and file.stat().st_size:
                    os.truncate(file, 0)  # one of TensorBoard's readers never leaves a file that is gone
                else:
                    file.unlink()

    def add(self, row: Mapping[str, float], **noted: float) -> None:
        """Append an epoch of the history, and what else is noted of it."""
        if self._file is None:
            return
        with self._unharmed(), self._file.open("ab") as file:
            file.write(_records([_epoch({**row, **noted})]))

    def _events(self, history: History, before: Iterable[Path]) -> Iterator[Event]:
        """The format's version, a mark that what readers know of the run is void, facts, epochs."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb

        now, noted = time.time(), _epochs(before)
        yield Event(wall_time=now, file_version="brain.Event:2")
        yield Event(wall_time=now, session_log=SessionLog(status=SessionLog.START))
        yield Event(wall_time=now, summary=hparams_pb(self._facts, trial_id=str(self.folder)))
        for row in history:
            event = _epoch(row)
            known = noted.get(event.step, event)
            yield known if _values(event).items() <= _values(known).items() else event

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """Within the block an error ends the writing of this file, with a line, and nothing else."""
        try:
            yield
        except (OSError, ImportError) as error:
            self._file = None
            print(f"{self.folder}: no event file can be written ({error}); the training goes on without", flush=True)


def folder_of(network: Path) -> Path:
    """The folder of a network's event file: the path of its weights in the results, below ``tensorboard``."""
    place = network.parent if network.name == "weights.safetensors" else network.with_suffix("")
    seeds = [folder for folder in place.parents if re.fullmatch(r"seed-\d+", folder.name)]
    results = seeds[-1].parent if seeds else place.parent
    return results / Networks.EVENTS / place.relative_to(results)


def _epoch(row: Mapping[str, float]) -> Event:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=name, simple_value=value) for name, value in row.items() if name != "epoch"]
    return Event(wall_time=time.time(), step=int(row["epoch"]), summary=Summary(value=values))


def _values(event: Event) -> dict[str, float]:
    """What an event tells, rounded to float32 as files have it."""
    return {value.tag: value.simple_value for value in event.summary.value}


def _epochs(files: Iterable[Path]) -> dict[int, Event]:
    """The epochs in event files, of files that end in the middle of a record as far as they are whole."""
    if not (files := list(files)):
        return {}
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    return {event.step: event for file in files for event in LegacyEventFileLoader(str(file)).Load() if event.step}


def _records(events: Iterable[Event]) -> bytes:
    from tensorboard.summary.writer.record_writer import RecordWriter

    file = BytesIO()
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
    return file.getvalue()
