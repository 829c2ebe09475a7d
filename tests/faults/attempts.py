"""Attempts at a stage's job in a process of its own, which dies at some moment and tells what it had kept till then.

The process is forked from one that has imported torch, so that an attempt costs a fraction of a second.
"""

import contextlib
import itertools
import os
import random
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from small_run import Arguments, run

CALLS = ("open", "replace", "fsync", "link", "unlink", "mkdir", "rmdir")  # of `os`, those that change a disk
DEAD = -signal.SIGKILL


@dataclass
class Moment:
    """When an attempt dies: after some seconds, or before or after its n-th call on the file system."""

    seconds: float | None = None
    call: int | None = None
    after: bool = False

    def __str__(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds:.2f} s"
        return f"{'after' if self.after else 'before'} call {self.call}"

    @classmethod
    def anywhere(cls, undisturbed: "Attempt") -> "Moment":
        """A random moment of an attempt that takes as long, and as many calls, as another did."""
        if random.random() < 0.5:
            return cls(seconds=random.uniform(0, 1.1 * undisturbed.seconds))
        return cls(call=random.randint(1, max(undisturbed.calls, 1)), after=random.random() < 0.5)


@dataclass
class Attempt:
    """What became of an attempt.

    Attributes:
        code: exit code, or minus the signal.
        seconds: that it took.
        calls: on the file system.
        files: those that it said were on the disk.
        finished: pieces of work that it said were finished.
        given_again: pieces that an attempt before it had finished.
        unsaved: seconds since it last saved or finished anything, at its end.
        said: its output.
    """

    code: int = 0
    seconds: float = 0.0
    calls: int = 0
    files: list[Path] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    given_again: list[str] = field(default_factory=list)
    unsaved: float = 0.0
    said: str = ""


def attempt(stage: str, arguments: Arguments, moment: Moment | None = None, victim: str = "a job") -> Attempt:
    """Run a stage in a forked process, which is killed at a moment.

    Args:
        victim: "a job"; "a process of the job", that it has started; or "the machine": all of them.
    """
    reading, writing = os.pipe()
    log_read, log_write = os.pipe()
    sys.stdout.flush()
    begun, killed = time.monotonic(), None
    process = os.fork()
    if not process:
        os.close(reading)
        os.dup2(log_write, 1)
        os.dup2(log_write, 2)
        os.setpgid(0, 0)
        prepare_process()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _work(stage, arguments, moment, writing, victim)
    os.close(writing)
    os.close(log_write)
    if moment and moment.seconds is not None:
        time.sleep(moment.seconds)
        _kill(process, victim)
        killed = time.monotonic()
    told, said = _read_both(reading, log_read)
    _, status = os.waitpid(process, 0)
    return _attempt(os.waitstatus_to_exitcode(status), begun, killed or time.monotonic(), told, said)


def prepare_process() -> None:
    """What a forked process does first; tests that run it as another user put that here."""


def _kill(process: int, victim: str) -> None:
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):  # it has just ended
        if victim == "the machine":
            os.killpg(process, signal.SIGKILL)
            return
        inner = psutil.Process(process).children(recursive=True) if victim == "a process of the job" else []
        os.kill(random.choice(inner).pid if inner else process, signal.SIGKILL)


def _read_both(*descriptors: int) -> Iterator[str]:
    """What comes from pipes until all that write to them have ended."""
    found = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                part = os.read(key.fd, 2**16)
                found[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return (found[descriptor].decode(errors="replace") for descriptor in descriptors)


def _attempt(code: int, begun: float, ended: float, told: str, said: str) -> Attempt:
    found = Attempt(code, ended - begun, said=said)
    saved = begun
    for line in told.splitlines():
        what, _, about = line.partition(" ")
        if what == "file":
            found.files.append(Path(about))
        elif what == "finished":
            found.finished.append(about)
        elif what == "again":
            found.given_again.append(about)
        elif what == "calls":
            found.calls = int(about)
        elif what == "dies":
            ended = float(about)
        if what in ("saved", "finished"):
            saved = float(about.rpartition(" ")[2])
    found.finished = [piece.rpartition(" ")[0] for piece in found.finished]
    found.unsaved = max(ended - saved, 0.0)
    return found


def _work(stage: str, arguments: Arguments, moment: Moment | None, pipe: int, victim: str) -> None:
    """The forked process."""
    code = 1
    try:
        with _telling(pipe) as tell, _counting(moment, tell, victim) as calls:
            try:
                print(run(stage, arguments), flush=True)
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
            finally:
                from dilt.jobs import command

                for piece in command.given_again:
                    tell(f"again {piece}")
                tell(f"calls {next(calls)}")
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@contextmanager
def _telling(pipe: int) -> Iterator[Callable[[str], None]]:
    """Tell the parent process what the library says is on the disk, as soon as it says so."""
    from dilt.foundations import storage
    from dilt.geometry import zarr_stores
    from dilt.jobs.checkpoints import Checkpoint

    def tell(line: str) -> None:
        os.write(pipe, f"{line}\n".encode())

    put, save, finish = storage.put, Checkpoint.save, Checkpoint.finish

    def putting(partial: Path, path: Path) -> None:
        put(partial, path)
        tell(f"file {path}")

    def saving(checkpoint: Checkpoint, *state: Any) -> None:
        save(checkpoint, *state)
        tell(f"saved {checkpoint.label} {time.monotonic()}")

    def finishing(checkpoint: Checkpoint, *state: Any) -> Any:
        record = finish(checkpoint, *state)
        tell(f"finished {checkpoint.label} {time.monotonic()}")
        return record

    storage.put = zarr_stores.put = putting
    Checkpoint.save, Checkpoint.finish = saving, finishing  # type: ignore[method-assign]
    yield tell


@contextmanager
def _counting(moment: Moment | None, tell: Callable[[str], None], victim: str) -> Iterator[Iterator[int]]:
    """Count the calls on the file system, and die at one of them."""
    calls = itertools.count()
    own = os.getpid()

    def die() -> None:
        tell(f"dies {time.monotonic()}")
        _kill(own, victim)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*given: Any, **named: Any) -> Any:
            due = os.getpid() == own and next(calls) + 1 == (moment.call if moment else None)
            if due and moment and not moment.after:
                die()
            result = call(*given, **named)
            if due:
                die()
            return result

        return calling

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    yield calls
