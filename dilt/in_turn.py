"""Command `in_turn`: runs stages one after another in one process, so that they start up once.

    python -m dilt.in_turn combine OPTIONS --then train_ticket OPTIONS

Each stage does, writes and logs what it would by itself; the first that fails is the last that runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from itertools import groupby
from pathlib import Path

from dilt.jobs import command

THEN = "--then"


def run(stage: str, arguments: list[str]) -> None:
    """Run a stage as its command line says; what this process prints goes to its log from now on."""
    parser = argparse.ArgumentParser(prog=f"python -m dilt.in_turn {stage}", add_help=False, allow_abbrev=False)
    parser.add_argument("--log", type=Path, required=True)
    log: Path = parser.parse_known_args(arguments)[0].log
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    command.given_again.clear()  # of the stage before
    sys.argv = [stage, *arguments]
    import_module(f"dilt.{stage}").main()


def main() -> None:
    """Run stages from the command line."""
    parser = argparse.ArgumentParser(prog="python -m dilt.in_turn", description="Runs stages in one process.")
    parser.add_argument(
        "stages", nargs=argparse.REMAINDER, help=f"a stage with its options, --log among them; {THEN}; another; ..."
    )
    words = parser.parse_args().stages
    for between, (stage, *arguments) in groupby(words, THEN.__eq__):
        if not between:
            run(stage, arguments)


if __name__ == "__main__":
    main()
