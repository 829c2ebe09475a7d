"""The other ranks of a training on several GPUs (or as several CPU processes), by torch's DistributedDataParallel.

The first rank is the job's own process, which alone evaluates, saves and writes. The others train on their shares of
every batch, ignore signals, and end with the first. torch's start_processes serves less well: it keeps to itself why a
rank failed, waits half a minute for ranks that ignore signals, and leaves them behind when the first one is killed.
"""

from __future__ import annotations

import copy
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from torch import distributed

from dilt.foundations.signals import STOP_SIGNALS
from dilt.networks.devices import set_up
from dilt.training.loop import Loop, Work

GRACE = 10.0  # seconds for torch to notice a lost rank by itself, before this process is ended for it


@contextmanager
def together(loop: Loop, devices: Sequence[torch.device]) -> Iterator[None]:
    """Within the block all ranks take every step of the loop together, from the state that the loop is in.

    Args:
        loop: the first rank's.
        devices: one per rank; with one there is nothing to do.

    Raises:
        ValueError: another rank has failed.
    """
    if len(devices) == 1:
        yield
        return
    start = multiprocessing.get_context("spawn")
    # Without its weights: the first rank sends them to the others when all have met.
    work = replace(loop.work, model=copy.deepcopy(loop.work.model).to("meta"))
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder) / "ranks"
        shared = (work, loop.step, torch.get_num_threads(), devices, meeting)
        others = [start.Process(target=follow, args=(rank, *shared)) for rank in range(1, len(devices))]
        for other in others:
            other.start()
        done = threading.Event()
        threading.Thread(target=_end_if_one_is_lost, args=(others, done), daemon=True).start()
        try:
            join(0, devices, meeting)
            yield
            for other in others:
                other.join()
        except RuntimeError as error:
            ended = wait([other.sentinel for other in others], timeout=GRACE)
            for other in others:
                if other.sentinel in ended:
                    other.join()  # the sentinel is ready a moment before there is an exit code
            if lost := _lost(others):
                raise ValueError(lost) from error
            raise
        finally:
            done.set()
            for other in others:
                other.kill()
            if distributed.is_initialized():
                distributed.destroy_process_group()


def follow(rank: int, work: Work, step: int, threads: int, devices: Sequence[torch.device], meeting: Path) -> None:
    """A rank other than the first: its share of every step, to the end of the training or of the first rank."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_first_rank, daemon=True).start()
    set_up(threads, work.settings.deterministic)
    join(rank, devices, meeting)
    work.model.to_empty(device=devices[rank])
    loop = Loop(work, devices[rank], rank, len(devices))
    loop.step = step
    for ends_epoch in loop.steps():
        if ends_epoch:
            loop.loss_sum.zero_()
    distributed.destroy_process_group()


def join(rank: int, devices: Sequence[torch.device], meeting: Path) -> None:
    """Meet the other ranks at a file; returns when all are there."""
    device = devices[rank]
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all ranks are on this machine
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=len(devices),
        timeout=timedelta(days=1),  # the others wait while the first one evaluates; a lost one is noticed otherwise
    )


def _end_if_one_is_lost(others: Sequence[BaseProcess], done: threading.Event) -> None:
    """End this process when another rank is gone before the training is done: GPUs would wait for its share forever."""
    while not done.wait(timeout=1):
        # The main thread is given time to read exit codes first: each is given to one thread only.
        ended = wait([other.sentinel for other in others], timeout=0)
        if ended and not done.wait(timeout=GRACE) and (lost := _lost(others)):
            print(f"error: {lost}", file=sys.stderr, flush=True)
            os._exit(1)


def _lost(others: Sequence[BaseProcess]) -> str | None:
    """The error's words for a rank that has failed, if one has."""
    for rank, other in enumerate(others, 1):
        if other.exitcode:
            return f"rank {rank} ended with exit code {other.exitcode}; run again to go on from the last checkpoint"
    return None


def _end_with_first_rank() -> None:
    first = multiprocessing.parent_process()
    assert first is not None
    wait([first.sentinel])
    os._exit(1)
