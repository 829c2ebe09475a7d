"""The command ``dilt plan FILE ...``: what an experiment will take and can find out, before anything runs.

Snakemake's dry run and the records of earlier runs tell it. Nothing is trained, unless ``--measure`` times some steps.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dilt.foundations.signals import end_with_reader


def main(prog: str = "python -m dilt.plan") -> None:
    """Tell what an experiment takes (jobs, time, disk, memory) and how likely its claims are to be decided."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="configurations, each laid over the first")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), metavar="N", help="as snakemake --cores")
    parser.add_argument("--gpus", type=int, default=1, metavar="N", help="where networks run on GPUs")
    parser.add_argument("--effect", type=float, nargs="+", default=[5.0], metavar="POINTS", help="true differences")
    parser.add_argument("--sd", type=float, metavar="POINTS", help="of differences over seeds; else as seen so far")
    parser.add_argument("--measure", action="store_true", help="time steps of the network's training on this machine")
    arguments = parser.parse_args()
    try:
        for part in plan(arguments):
            print(part, end="\n\n", flush=True)
    except ValueError as error:
        sys.exit(str(error))


def plan(arguments: argparse.Namespace) -> Iterator[str]:
    """The parts of the plan, as text.

    Raises:
        ConfigError: the configuration is wrong; a line for each mistake.
        ValueError: Snakemake cannot plan it.
    """
    from dilt.configuration import past_runs, plan_tables
    from dilt.configuration.dry_runs import RESULTS, planned_by_snakemake
    from dilt.configuration.reading import load

    files = arguments.files or [Path("config.yaml")]
    config, names = load(*files), " + ".join(map(str, files))
    planned = planned_by_snakemake(files, config)
    run = past_runs.measured(config) if arguments.measure else past_runs.latest(RESULTS, config)
    yield f"{names}: experiment {config.experiment}, {config.model.name}, seeds {', '.join(map(str, config.seeds))}"
    yield plan_tables.settled(config)
    yield plan_tables.trainings(planned.work)
    yield plan_tables.jobs(planned, run, config)
    yield plan_tables.time(planned, run, config, arguments.cores, arguments.gpus)
    yield plan_tables.disk(planned.files, config)
    yield plan_tables.power(config, RESULTS, arguments.effect, arguments.sd)


if __name__ == "__main__":
    end_with_reader()
    main()
