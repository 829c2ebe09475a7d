"""Faults by the thousand, in the background: `python -m tests.faults 1000 --ledger faults.csv`.

Each adds a row to the ledger. Stop it whenever you like; the same command goes on until there are so many rows.
`python -m tests.faults table faults.csv` makes the table of benchmarks/README.md.
"""

import argparse
import os
import random
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "stage")]
os.environ["OMP_NUM_THREADS"] = "1"

from tests.faults import ledger, mixture  # noqa: E402


def main() -> None:
    """Add faults to a ledger, or make a table of some."""
    if sys.argv[1:2] == ["table"]:
        print(ledger.table(ledger.read(map(Path, sys.argv[2:]))))
        return
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("times", type=int, help="faults that the ledger is to have")
    parser.add_argument("--ledger", type=Path, required=True, metavar="CSV")
    parser.add_argument("--kinds", nargs="+", choices=mixture.KINDS, help="of faults; all that can be made here")
    parser.add_argument("--seed", type=int, help="of the random moments")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # so that disks are unmounted
    done = len(ledger.read([arguments.ledger])) if arguments.ledger.exists() else 0
    with mixture.Mixture(arguments.kinds) as found:
        while done < arguments.times:
            fault = next(found)
            ledger.add(arguments.ledger, fault)
            done += 1
            print(f"{done} of {arguments.times}: {fault}", flush=True)


if __name__ == "__main__":
    main()
