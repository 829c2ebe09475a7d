"""What all stage commands share: a log that starts with the command and versions, and errors in one line.

Heavy libraries are imported by the stages' own functions, so that ``--help`` and light stages never pay for them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from dilt.jobs import orphans
from dilt.settings.base import Section

VERSIONS = ("torch", "torchvision", "timm", "pillow", "pot", "scikit-learn", "numpy", "zarr")
Options = TypeVar("Options", bound=Section)
T = TypeVar("T")
STOPPED = 143  # exit code of a job that was asked to stop

given_again: list[str] = []  # the pieces of this job's work that an earlier attempt had finished


def parser(stage: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for ``python -m dilt.<stage>`` with the options that every stage has."""
    command = argparse.ArgumentParser(prog=f"python -m dilt.{stage}", description=description)
    command.add_argument("--options", default="{}", metavar="JSON", help="the stage's part of the configuration")
    command.add_argument("--code", default="", metavar="DIGEST", help="fingerprint of the code that is to run")
    command.add_argument("--log", type=Path, metavar="PATH", help="its log, beside which it tells what it takes")
    return command


def add_paths(command: argparse.ArgumentParser, *names: str, help: str) -> None:  # noqa: A002
    """Required options that each take one path."""
    for name in names:
        command.add_argument(name, type=Path, required=True, metavar="PATH", help=help)


def add_path_lists(command: argparse.ArgumentParser, *names: str, help: str, fewest: str = "+") -> None:  # noqa: A002
    """Required options that each take a list of paths, one for each item of the job; ``*``: there may be none."""
    for name in names:
        command.add_argument(name, type=Path, nargs=fewest, required=True, metavar="PATH", help=help)


def add_training_options(command: argparse.ArgumentParser) -> None:
    """The options of stages that train: seed, ranks and threads."""
    command.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    command.add_argument("--ranks", type=int, default=1, help="GPUs, or CPU processes, that share each batch")
    command.add_argument("--threads", type=int, default=1, help="CPU threads of all ranks together")


def run(command: argparse.ArgumentParser, work: Callable[[argparse.Namespace], None]) -> None:
    """Parse, log, work; a user's error ends in one line and exit code 1."""
    arguments = command.parse_args()
    with _told_beside(arguments.log) as arguments.usage:
        print(f"$ {shlex.join(['python', '-m', command.prog.split()[-1], *sys.argv[1:]])}", flush=True)
        print(f"# {versions()}", flush=True)
        orphans.end_with_snakemake()
        try:
            require_code(command.prog.split()[-1], arguments.code)
            work(arguments)
        except (ValueError, OSError) as error:
            print(f"{command.prog}: error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt:
            sys.exit(130)
        except SystemExit as ended:
            if ended.code == STOPPED:
                # Imported by name, as below: it changes no result.
                import_module("dilt.jobs.slurm_jobs").requeue_if_preempted()
            raise


def _told_beside(log: Path | None) -> AbstractContextManager[Any]:
    """Record what the job takes beside its log, if it has one: within the block and to the end of the process."""
    if log is None:
        return nullcontext()
    for number in (signal.SIGTERM, signal.SIGUSR1):  # they would end the process before it can record anything
        signal.signal(number, lambda number, frame: sys.exit(STOPPED))
    # Imported by name, so that no fingerprint includes it: how usage is recorded changes no result.
    usage = import_module("dilt.jobs.usage")
    told: AbstractContextManager[Any] = usage.Usage(usage.path_beside(log), given_again)
    return told


def require_code(module: str, code: str) -> None:
    """Make sure that the code that runs is the code that its results will be recorded with.

    Raises:
        ValueError: the code was edited after Snakemake had read it.
    """
    from dilt.jobs.fingerprint import code_digest, sources_digest

    if code and os.environ.get("DILT_SOURCES") != sources_digest() and code_digest(module) != code:
        raise ValueError(f"the code of {module} was edited since this run was planned; give the same command again")


def options(arguments: argparse.Namespace, model: type[Options]) -> Options:
    """The stage's options, checked; raises ValueError with a line per error."""
    try:
        return model.model_validate_json(arguments.options)
    except ValidationError as error:
        lines = [f"--options: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError("\n".join(lines)) from error


def zipped(first: Sequence[T], *others: Sequence[T]) -> list[tuple[T, ...]]:
    """Lists with one entry for each item of a job, side by side; raises ValueError when their lengths differ."""
    if any(len(other) != len(first) for other in others):
        raise ValueError("every list option needs as many entries as things share the job; the lists differ in length")
    return list(zip(first, *others, strict=True))


def grouped(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """A list cut into groups of ``size``, one for each item of a job; raises ValueError when some are left over."""
    if len(items) % size:
        raise ValueError(f"{len(items)} paths, but {size} for each thing in the job; the lists differ in length")
    return [items[start : start + size] for start in range(0, len(items), size)]


def versions(*others: str) -> str:
    """Versions of Python and of the libraries that make results, found without importing them; then ``others``."""
    found = [f"python {platform.python_version()}"]
    for name in VERSIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return ", ".join([*found, *others])
