"""Faults by the hundred, in the background: `python -m tests.faults stages --times 1000 --ledger faults.csv`.

Each adds a row to the ledger. Stop it whenever you like; the same command goes on until there are so many rows.
`python -m tests.faults table faults.csv` makes the table of benchmarks/README.md.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "stage")]
os.environ["OMP_NUM_THREADS"] = "1"

from tests.faults import ledger  # noqa: E402
from tests.faults.disks import KINDS, Disk  # noqa: E402


@contextmanager
def bench_folder(kind: str | None) -> Iterator[tuple[Path, Disk | None]]:
    """A folder in memory if there is one, on a disk of a kind if one is named."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="dilt-faults-", dir=memory if os.access(memory, os.W_OK) else None))
    disk = None
    try:
        if kind and (missing := Disk.missing(kind)):
            sys.exit(f"--disk: {missing}")
        disk = Disk(folder, kind) if kind else None
        yield (disk.root if disk else folder), disk
    finally:
        if disk:
            disk.remove()
        shutil.rmtree(folder)


def stages(folder: Path, disk: Disk | None) -> Generator[ledger.Fault]:
    """Faults of single stages, on a finished run that is made first."""
    import timm  # noqa: F401 - what is imported here is not imported by each attempt
    import torch  # noqa: F401

    from tests.faults import stage_faults

    return stage_faults.faults(folder, disk)


def runs(folder: Path, disk: Disk | None) -> Generator[ledger.Fault]:
    """Faults of whole runs of the workflow."""
    from tests.faults import run_faults

    return run_faults.faults(folder, disk)


def shared(folder: Path, disk: Disk | None, kind: str = "late") -> Generator[ledger.Fault]:
    """Faults of a folder that two computers share, each seeing late what the other does."""
    import pipeline
    import timm  # noqa: F401
    import torch  # noqa: F401

    from tests.faults import shared_faults
    from tests.faults.views import Views

    finished = folder / "finished/seed-0"
    pipeline.run_all(finished)
    if kind == "users":
        yield from shared_faults.two_users(folder / "group", finished)
    views = Views(folder / "views")
    try:
        yield from shared_faults.late(views, finished)
    finally:
        views.remove()


def users(folder: Path, disk: Disk | None) -> Generator[ledger.Fault]:
    """Faults of a folder that two users share (root)."""
    return shared(folder, disk, "users")


WHAT = {"stages": stages, "runs": runs, "shared": shared, "users": users}


def main() -> None:
    """Add faults to a ledger, or make a table of some."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    for what, make in WHAT.items():
        command = commands.add_parser(what, help=make.__doc__)
        command.add_argument("--times", type=int, required=True, help="faults of this kind that the ledger is to have")
        command.add_argument("--ledger", type=Path, required=True, metavar="CSV")
        command.add_argument("--disk", choices=KINDS, help="cut the power of such a disk, instead of killing (root)")
        command.add_argument("--seed", type=int, help="of the random moments")
    commands.add_parser("table").add_argument("ledgers", type=Path, nargs="+", metavar="CSV")
    arguments = parser.parse_args()
    if arguments.what == "table":
        print(ledger.table(ledger.read(arguments.ledgers)))
        return
    random.seed(arguments.seed)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that disks are unmounted
    done = len(ledger.read([arguments.ledger])) if arguments.ledger.exists() else 0
    with bench_folder(arguments.disk) as (folder, disk), closing(WHAT[arguments.what](folder, disk)) as found:
        while done < arguments.times:
            fault = next(found)
            ledger.add(arguments.ledger, fault)
            done += 1
            print(f"{done} of {arguments.times}: {fault}", flush=True)


if __name__ == "__main__":
    main()
