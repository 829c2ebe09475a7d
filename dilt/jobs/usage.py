"""Records what a job takes, time and memory with all processes that it starts, in a small table beside its log.

Every attempt at the job is a row; a result that was interrupted took the sum of its rows. The table is written at the
start, every few seconds and at the very end, when all that the process started has ended. When an attempt is killed,
only its last seconds are missing. What of it were steps of a training (`training`) is told too. Adding up over an
experiment is left to `reporting.costs`.
"""

from __future__ import annotations

import atexit
import contextlib
import csv
import os
import resource
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, TypeVar

from dilt.foundations.storage import replacing

SECONDS = 10.0  # between two writes
ON_REQUEST = (130, 143)  # exit codes of processes that end on SIGINT and SIGTERM
RUNNING, FINISHED, AGAIN, FAILED, STOPPED, KILLED = (
    *("running", "finished", "given again"),  # again: from work that an earlier attempt had finished
    *("failed", "stopped", "killed"),  # stopped: on request, after saving; killed: it could not record its end
)
COLUMNS = ("begun", "ended", "wall_s", "cpu_s", "peak_memory_mb")
TRAINING = ("training_wall_s", "training_cpu_s")  # earlier versions did not tell them: empty, or no column
Step = TypeVar("Step")

_trained = dict.fromkeys(TRAINING, 0.0)  # seconds of this process so far within steps of trainings


def path_beside(log: Path) -> Path:
    """The table of the job that has this log."""
    return log.with_suffix(".usage.csv")


def read(path: Path) -> list[dict[str, str]]:
    """The attempts at a job in order: when begun, how ended, and what `Usage.used` measured; none without a file.

    What is not known of an attempt is empty.
    """
    if not path.is_file():
        return []
    with path.open(newline="", errors="replace") as file:
        rows = [row for row in csv.DictReader(file) if None not in (*row, *row.values())]
    return [dict.fromkeys(TRAINING, "") | row for row in rows if set(COLUMNS) <= set(row)]


def training(steps: Iterable[Step], processes: int = 1) -> Iterator[Step]:
    """The steps of a training as they are given; the seconds that each takes count as training.

    Args:
        processes: that take each step together. Only the CPU time of this one is seen, so the others count as much.
    """
    waiting = iter(steps)
    while True:
        wall, cpu = time.monotonic(), time.process_time()
        try:
            step = next(waiting)
        except StopIteration:
            return
        finally:
            _trained["training_wall_s"] += time.monotonic() - wall
            _trained["training_cpu_s"] += processes * (time.process_time() - cpu)
        yield step


class Usage:
    """The attempt at a job that this process is.

    The work is done in a ``with`` block; as the block ends, so the attempt ends. Where stages share a process, each has
    an object of its own: the next one closes the one before, and counts from there on.

    Args:
        path: the table of attempts, to which a row is added.
        given_again: pieces of work that an earlier attempt had finished; filled by the job while it works.
        is_job: false for Snakemake itself, whose child processes record themselves, and whose runs are all kept.
    """

    _latest: ClassVar[Usage | None] = None  # of this process

    def __init__(self, path: Path, given_again: Sequence[str] = (), is_job: bool = True) -> None:
        self._path, self._given_again, self._is_job = path, given_again, is_job
        self._process, self._ended, self._code, self._peak = os.getpid(), RUNNING, 0, 0.0
        self._before = [dict(row, ended=KILLED) if row["ended"] == RUNNING else row for row in read(path)]
        self._begun = datetime.now(UTC).isoformat(timespec="seconds")
        self._earlier = dict.fromkeys((*COLUMNS, *TRAINING), 0.0)
        if Usage._latest:
            self._earlier = Usage._latest.close()
            _forget_peak()
        Usage._latest = self
        self._over = threading.Event()
        self._writing = threading.Lock()
        self.write()
        threading.Thread(target=self._watch, daemon=True).start()
        atexit.register(self._end)

    def __enter__(self) -> Usage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *traceback: object) -> None:
        if kind is None:
            self._ended = AGAIN if self._given_again else FINISHED
        else:
            self._code = error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
            self._ended = STOPPED if self._code in ON_REQUEST else FAILED

    def write(self) -> None:
        """Bring the table up to date; a disk that is full or gone stops no job."""
        before = _part_of_the_result(self._before, self._ended) if self._is_job else self._before
        used = {name: f"{value:.2f}" for name, value in self.used().items()}
        own = {"begun": self._begun, "ended": self._ended, **used}
        try:
            with self._writing, replacing(self._path) as partial, partial.open("w", newline="") as file:
                table = csv.DictWriter(file, (*COLUMNS, *TRAINING), lineterminator="\n", extrasaction="ignore")
                table.writeheader()
                table.writerows([*before, own])
        except OSError as error:
            print(f"what this job takes is not recorded: {error}", file=sys.stderr)

    def used(self) -> dict[str, float]:
        """Seconds since the process was started, CPU seconds, the peak of memory in MB, and the seconds of training.

        The peak is that of one process, or of all together where more was seen at a write. Seconds of the stages before
        in this process are left out.
        """
        found = self._of_process()
        return found | {name: found[name] - self._earlier[name] for name in ("wall_s", "cpu_s", *TRAINING)}

    def close(self) -> dict[str, float]:
        """Write the table for the last time; gives what the whole process has taken so far."""
        atexit.unregister(self._end)
        self._over.set()
        self.write()
        return self._of_process()

    def _of_process(self) -> dict[str, float]:
        own = resource.getrusage(resource.RUSAGE_SELF)
        cpu, self._peak = own.ru_utime + own.ru_stime, max(self._peak, _peak_memory(own))
        if self._is_job:
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            living_cpu, together = _living_children()
            cpu += ended.ru_utime + ended.ru_stime + living_cpu
            self._peak = max(self._peak, ended.ru_maxrss * _MAXRSS_MB, together)
        return {"wall_s": _age(), "cpu_s": cpu, "peak_memory_mb": self._peak, **_trained}

    def _watch(self) -> None:
        while not self._over.wait(SECONDS):
            self.write()

    def _end(self) -> None:
        """End what is left of the job, write the table, and end the process at once.

        Python would otherwise clear up every imported library: up to a second of CPU time that is not recorded.
        """
        if os.getpid() != self._process:  # a forked process inherits what is registered
            return
        if self._is_job:
            from multiprocessing.util import _exit_function  # type: ignore[attr-defined]

            _exit_function()  # what Python calls at its end: all processes that are left are ended and awaited
        self._over.set()
        self._ended = FINISHED if self._ended == RUNNING else self._ended
        self.write()
        if self._is_job:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)


def failed(error: BaseException) -> None:
    """The process ends by an error, perhaps after the ``with`` block of its last attempt."""
    if Usage._latest:
        Usage._latest.__exit__(type(error), error)


def _part_of_the_result(before: list[dict[str, str]], ended: str) -> list[dict[str, str]]:
    """The earlier attempts at the present result: not those at a result that this attempt has replaced."""
    if ended != FINISHED:
        return before
    last = max((place for place, row in enumerate(before) if row["ended"] in (FINISHED, AGAIN)), default=-1)
    return before[last + 1 :]


_MAXRSS_MB = 1 / 2**20 if sys.platform == "darwin" else 1 / 2**10  # macOS counts bytes, Linux kilobytes


def _peak_memory(own: resource.struct_rusage) -> float:
    """Peak memory of this process in MB. On Linux ru_maxrss may be that of the process that forked this one."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return own.ru_maxrss * _MAXRSS_MB
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 2**10


def _forget_peak() -> None:
    """From now on the peak is that of what follows; where the system does not do so, it stays that of all so far."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _living_children() -> tuple[float, float]:
    """CPU seconds of all processes below this one, their ended children included; MB of them and this one together.

    Shared memory is counted once where the system reports it (Linux).
    """
    import psutil

    cpu = memory = 0.0
    me = psutil.Process()
    children = me.children(recursive=True)
    for process in (me, *children) if children else ():
        with contextlib.suppress(psutil.Error):  # it has just ended, and is counted as such from now on
            if process is not me:
                cpu += sum(process.cpu_times()[:4])
            found = process.memory_full_info()
            memory += getattr(found, "pss", found.rss) / 2**20
    return cpu, memory


def _age() -> float:
    """Seconds since this process was started, imports included."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        import psutil

        return time.time() - float(psutil.Process().create_time())
