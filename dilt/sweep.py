"""The last stage of a sweep: puts its points' answers to one comparison into tables and a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

from dilt.foundations import storage
from dilt.jobs import command


def sweep(arguments: argparse.Namespace) -> None:
    """Write tables/sweep.csv, tables/sweep_by_seed.csv, figures/sweep.svg and .png into the sweep's folder."""
    from dilt.answers.sweep_tables import sweep_by_seed, sweep_table, table_of
    from dilt.configuration import sweeps
    from dilt.reporting import style
    from dilt.reporting.sweep_figure import sweep_figure

    found, points = sweeps.read(arguments.file)
    places = [point.values for point in points], [arguments.results / point.experiment for point in points]
    tables = {
        "sweep": sweep_table(found.comparison, *places),
        "sweep_by_seed": sweep_by_seed(found.comparison, *places),
    }
    for name, table in tables.items():
        with storage.replacing(table_of(arguments.answers, name)) as partial:
            table.to_csv(partial, index=False, lineterminator="\n")
    style.save(sweep_figure(tables["sweep"], list(found.axes)), arguments.answers / "figures/sweep")


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("sweep", sweep.__doc__)
    parser.add_argument("--file", type=Path, required=True, metavar="PATH", help="the sweep")
    command.add_paths(parser, "--results", help="has a folder for each experiment")
    command.add_paths(parser, "--answers", help="folder of the sweep; table and figure are put there")
    command.run(parser, sweep)


if __name__ == "__main__":
    main()
