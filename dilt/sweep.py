"""The last stage of a sweep: puts its points' answers to one comparison into one table and one figure."""

from __future__ import annotations

import argparse
from pathlib import Path

from dilt.foundations import storage
from dilt.foundations.result_paths import Answers
from dilt.jobs import command


def sweep(arguments: argparse.Namespace) -> None:
    """Write tables/sweep.csv and figures/sweep.svg and .png into the sweep's folder."""
    from dilt.configuration import sweeps
    from dilt.reporting import style
    from dilt.reporting.sweep_figure import sweep_figure, sweep_table

    found, points = sweeps.read(arguments.file)
    tables = [arguments.results / point.experiment / Answers.TABLE.format(table="claims") for point in points]
    table = sweep_table(found.comparison, [point.values for point in points], tables)
    with storage.replacing(arguments.answers / Answers.TABLE.format(table="sweep")) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")
    style.save(sweep_figure(table, list(found.axes)), arguments.answers / "figures/sweep")


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("sweep", sweep.__doc__)
    parser.add_argument("--file", type=Path, required=True, metavar="PATH", help="the sweep")
    command.add_paths(parser, "--results", help="has a folder for each experiment")
    command.add_paths(parser, "--answers", help="folder of the sweep; table and figure are put there")
    command.run(parser, sweep)


if __name__ == "__main__":
    main()
