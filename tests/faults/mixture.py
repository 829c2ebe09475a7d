"""All kinds of faults, one after another at random, in one process: libraries are imported and a run is made once."""

import os
import random
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.faults.disks import Disk
from tests.faults.ledger import Fault
from tests.faults.views import Views

MEMORY = Path("/dev/shm")
# How many of a hundred faults are of a kind. The first are of single stages, those of runs take ten times as long.
KINDS = {
    "kill": 40,
    "power cut, ext4": 8,
    "power cut, ext4, write-back": 12,
    "power cut, xfs": 10,
    "full disk": 8,
    "update of torch": 6,
    "two users": 8,
    "late visibility": 4,
    "kill, whole runs": 3,
    "power cut, whole runs": 1,
}
Faults = Generator[Fault]


class Mixture:
    """Faults without end, in a folder that is removed with the ``with`` block, disks and views unmounted.

    Args:
        kinds: some of `KINDS`; None for all that can be made here.
    """

    def __init__(self, kinds: Sequence[str] | None = None) -> None:
        self._kinds = list(kinds or [kind for kind in KINDS if not missing(kind)])
        self._stack = ExitStack()
        self._made: dict[str, Faults] = {}

    def __enter__(self) -> "Mixture":
        folder = tempfile.mkdtemp(prefix="dilt-faults-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self._stack.callback(shutil.rmtree, folder)
        self._folder = Path(folder)
        self._folder.chmod(0o755)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def __next__(self) -> Fault:
        (kind,) = random.choices(self._kinds, [KINDS[kind] for kind in self._kinds])
        if kind not in self._made:
            self._made[kind] = self._make(kind)
        return next(self._made[kind])

    def _make(self, kind: str) -> Faults:
        from tests.faults import run_faults, shared_faults, stage_faults

        folder = self._folder / kind.replace(", ", "-").replace(" ", "-")
        whole = kind.endswith(", whole runs")
        if kind.startswith("power cut") or kind == "full disk":
            found = Disk(folder, "ext4" if whole or kind == "full disk" else kind.removeprefix("power cut, "))
            self._stack.callback(found.remove)
            folder, disk = found.root, found
        else:
            folder.mkdir()
            disk = None
        if whole:
            return run_faults.faults(folder, disk)
        finished = self._finished()
        if kind == "two users":
            return shared_faults.two_users(folder / "group", finished)
        if kind == "late visibility":
            views = Views(folder)
            self._stack.callback(views.remove)
            return shared_faults.late(views, finished)
        method = {"full disk": "fill", "update of torch": "update"}.get(kind, "hit")
        return stage_faults.faults(stage_faults.Bench(folder / "bench", finished, disk), method)

    def _finished(self) -> Path:
        """A finished run of all stages, made once."""
        # What is imported here is not imported by each attempt; other users might not be able to read it.
        import multiprocessing.popen_fork  # noqa: F401

        import timm  # noqa: F401
        import torch  # noqa: F401

        from tests.faults import stage_faults

        results = self._folder / "finished/seed-0"
        if not results.exists():
            stage_faults.make_finished(results)
        return results


def missing(kind: str) -> str:
    """Why there can be no faults of a kind here, or nothing."""
    if kind.startswith("power cut") or kind == "full disk":
        return Disk.missing("xfs" if "xfs" in kind else "ext4")
    if kind == "late visibility":
        return Views.missing()
    return "only root can become others" if kind == "two users" and os.geteuid() else ""
