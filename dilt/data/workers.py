"""Worker processes that decode images ahead of their use, for training and for `prepare` alike.

They change no number: batches come in the order asked for, as `sources.pixels` would give them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.signals import STOP_SIGNALS

if TYPE_CHECKING:
    from torch import Tensor

WORKERS = "DILT_WORKERS"  # number of processes, set by the workflow
DEATH_OF_PARENT = 1  # Linux' prctl: which signal a process gets when the one that started it ends


def number() -> int:
    """Worker processes that this job may have."""
    return int(os.environ.get(WORKERS, "0"))


class Source(Protocol):
    """What gives uint8 images (batch, channels, height, width), such as `sources.pixels.Pixels` at indices."""

    def __getitem__(self, wanted: Any, /) -> NDArray[np.uint8]:
        """The images asked for."""


class Workers:
    """Processes that decode, as long as this object lives.

    Args:
        pixels: where images come from, by what is asked for.
        processes: how many, at least one.
        pinned: whether batches lie in memory that a GPU can copy from by itself.
    """

    def __init__(self, pixels: Source, processes: int, pinned: bool = False) -> None:
        from torch.utils.data import DataLoader

        self._asked = _Asked()
        self._loader: DataLoader[Tensor | str] = DataLoader(
            _Decoding(pixels),  # type: ignore[arg-type]  # what has __getitem__ is a data set
            batch_size=None,
            sampler=self._asked,
            num_workers=processes,
            collate_fn=_tensor,
            pin_memory=pinned,
            persistent_workers=True,
            worker_init_fn=_begin,
        )

    def batches(self, chosen: Iterable[Any]) -> Iterator[Tensor]:
        """A batch for each that is asked for, some ahead: uint8 (batch, channels, height, width).

        Raises:
            ValueError: an image is damaged, or a worker was killed.
        """
        self._asked.chosen = chosen
        before = active_children()
        with _deaths_told_when_asked():
            coming = iter(self._loader)
        _living.update(process for process in active_children() if process not in before)
        while True:
            try:
                batch = next(coming)
            except StopIteration:
                return
            except (RuntimeError, OSError, EOFError) as error:
                reason = str(error).partition("\n")[0].rstrip(".")
                raise ValueError(f"a process that decodes images ended ({reason}); lower jobs.workers") from error
            if isinstance(batch, str):
                raise ValueError(batch)
            yield batch


@contextmanager
def _deaths_told_when_asked() -> Iterator[None]:
    """Undo torch's signal handler, by which the death of a worker would end the job at once, with a long traceback.

    Without the handler, asking for the next batch raises an error, after five seconds.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGCHLD)
    yield
    signal.signal(signal.SIGCHLD, before)


_living: WeakSet[BaseProcess] = WeakSet()


def _end_living() -> None:
    for process in _living:
        process.kill()


# At the end of a program Python would send workers SIGTERM, which they ignore, and wait for them.
Finalize(None, _end_living, exitpriority=0)


class _Asked:
    """The batches that are wanted next; a loader that outlives an epoch asks for them at the start of each."""

    chosen: Iterable[Any] = ()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.chosen)


class _Decoding:
    """A batch, or what is wrong with it in words: an error would come out of a worker with a long traceback."""

    def __init__(self, pixels: Source) -> None:
        self._pixels = pixels

    def __getitem__(self, wanted: Any) -> NDArray[np.uint8] | str:
        try:
            return self._pixels[wanted]
        except ValueError as error:
            return str(error)


def _tensor(batch: Any) -> Tensor | str:
    import torch

    return batch if isinstance(batch, str) else torch.from_numpy(batch)


def _begin(worker: int) -> None:
    """Leave signals to the job, which saves and then ends its workers; if the job is killed, end with it."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_OF_PARENT, signal.SIGKILL)
