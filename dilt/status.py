"""The command ``dilt status FILE ...``: how far an experiment is: what is done, running and left, and its verdicts.

Snakemake's dry run tells what is left, the usage tables beside the logs what is running.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.signals import end_with_reader

if TYPE_CHECKING:
    from dilt.configuration.planned import Plan
    from dilt.settings.experiment import Config

SILENT = 60.0  # seconds without a sign after which a job is taken to be gone


@dataclass(frozen=True)
class Running:
    """An attempt at a job that has not told its end.

    Attributes:
        job: its log below the folder of logs, without suffix.
        minutes: since it began.
        silent: whether it gave no sign lately, and was probably killed.
    """

    job: str
    minutes: float
    silent: bool


def main(prog: str = "python -m dilt.status") -> None:
    """Tell what of an experiment is done, running and left, how long that may take, and the verdicts so far."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="configurations, each laid over the first")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), metavar="N", help="as snakemake --cores")
    parser.add_argument("--gpus", type=int, default=1, metavar="N", help="where networks run on GPUs")
    arguments = parser.parse_args()
    try:
        for part in status(arguments.files or [Path("config.yaml")], arguments.cores, arguments.gpus):
            print(part, flush=True)
    except ValueError as error:
        sys.exit(str(error))


def status(files: list[Path], cores: int, gpus: int) -> Iterator[str]:
    """The parts of the answer, as text.

    Raises:
        ConfigError: the configuration is wrong; a line for each mistake.
        ValueError: Snakemake cannot plan it.
    """
    from dilt.configuration import past_runs, plan_tables
    from dilt.configuration.dry_runs import RESULTS, planned_by_snakemake
    from dilt.configuration.reading import load

    config = load(*files)
    planned = planned_by_snakemake(files, config, whole=False)
    yield f"Experiment {config.experiment}: {_done(planned)}"
    yield plan_tables.progress(planned)
    if planned.jobs_left:
        yield plan_tables.time_left(planned, past_runs.latest(RESULTS, config), config, cores, gpus)
    for job in running([RESULTS / name for name in dict.fromkeys((config.shared, config.experiment))]):
        sign = "no sign of it lately: it was killed, or its machine is gone" if job.silent else "running"
        yield f"{job.job}: {sign}, {job.minutes:.0f} min since it began"
    yield _verdicts(config, RESULTS / config.experiment)


def running(folders: list[Path]) -> list[Running]:
    """The jobs below some folders of results that have begun and not ended."""
    from dilt.jobs import usage

    found = []
    for folder in folders:
        for table in sorted(folder.glob("logs/**/*.usage.csv")):
            attempts = usage.read(table)
            if not attempts or attempts[-1]["ended"] != usage.RUNNING or table.name == "snakemake.usage.csv":
                continue
            job = str(table.relative_to(folder / "logs")).removesuffix(".usage.csv")
            begun = datetime.fromisoformat(attempts[-1]["begun"])
            minutes = (datetime.now(UTC) - begun).total_seconds() / 60
            found.append(Running(job, minutes, time.time() - table.stat().st_mtime > SILENT))
    return found


def _done(planned: Plan) -> str:
    from dilt.foundations.result_paths import is_trained

    removed = [file.path for file in planned.files if file.removed]
    files = len(planned.files) - len(removed)
    left = sum(file.left for file in planned.files)
    if not planned.jobs_left:
        networks = sum(map(is_trained, removed))
        told = f"; {networks:,} networks were removed (jobs.keep)" if networks else ""
        return f"all is done, {files:,} results{told}"
    return f"{files - left:,} of {files:,} results are there, {sum(planned.jobs_left.values())} jobs are left"


def _verdicts(config: Config, folder: Path) -> str:
    """The verdicts of the claim table that is there, whatever has changed since."""
    from dilt.answers import wording
    from dilt.answers.claim_table import read_claims, read_verdicts
    from dilt.foundations.result_paths import Answers

    paths = [folder / Answers.TABLE.format(table=table) for table in ("claims", "verdicts")]
    if not all(path.is_file() for path in paths):
        return "No verdicts yet: they come at the end, once all seeds are done."
    claims, verdicts = read_claims(paths[0]), read_verdicts(paths[1])
    return wording.as_text(claims.to_dict("records"), verdicts.to_dict("records"), brief=True)


if __name__ == "__main__":
    end_with_reader()
    main()
