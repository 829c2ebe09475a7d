"""Command `in_turn`: runs stages one after another in one process, so that they start up once.

    python -m dilt.in_turn --digests FILE combine:tickets OPTIONS --then train_ticket:weights,metrics OPTIONS

Each stage does, writes and logs what it would by itself; the first that fails is the last that runs. With a stage are
named those of its options that say what it is to write.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import groupby, takewhile
from pathlib import Path

from dilt.foundations.storage import file_digest, write_json
from dilt.jobs import command, usage

THEN = "--then"


def run(stage: str, options: Sequence[str]) -> None:
    """Run a stage; what this process prints goes to the stage's log from now on."""
    (log,) = values("log", options)
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    command.given_again.clear()  # of the stage before
    sys.argv = [stage, *options]
    import_module(f"dilt.{stage}").main()


def values(name: str, options: Sequence[str]) -> Iterator[Path]:
    """The paths that an option names, in a stage's options."""
    after = options[options.index(f"--{name}") + 1 :]
    return map(Path, takewhile(lambda word: not word.startswith("--"), after))


def main() -> None:
    """Run stages from the command line."""
    parser = argparse.ArgumentParser(prog="python -m dilt.in_turn", description="Runs stages in one process.")
    parser.add_argument("--digests", type=Path, required=True, metavar="PATH", help="file to write, of digests (JSON)")
    words = f"STAGE:OPTION,... with the options of the stage, --log among them; {THEN}; another; ..."
    parser.add_argument("stages", nargs=argparse.REMAINDER, help=words)
    arguments = parser.parse_args()
    try:
        in_turn(arguments.digests, arguments.stages)
    except BaseException as error:
        usage.failed(error)  # also between two stages
        raise


def in_turn(digests: Path, words: Sequence[str]) -> None:
    """Run stages, given by the words of the command line; then write the digests of what they made."""
    made: list[Path] = []
    for between, (named, *options) in groupby(words, THEN.__eq__):
        if not between:
            stage, _, written = named.partition(":")
            run(stage, options)
            made += (path for name in written.split(",") for path in values(name, options))
    write_json(digests, {str(path): file_digest(path) for path in made})


if __name__ == "__main__":
    main()
