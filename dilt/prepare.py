"""Stage `prepare`: splits and describes a data set once, and decodes its images unless they are to be streamed."""

from __future__ import annotations

import argparse

from dilt.data import preparation
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.data import DataSet, PartitionChoice


class Options(Section):
    """What `prepare` reads from the configuration."""

    data: DataSet
    partitions: PartitionChoice | None = None


def prepare(arguments: argparse.Namespace) -> None:
    """Write the splits of a data set as arrays, of pixels or of places of files, and describe them in dataset.json."""
    options = command.options(arguments, Options)
    splits, partitions = preparation.prepare(options.data, options.partitions)
    for line in preparation.write_splits(arguments.dataset, splits, partitions, options.data):
        print(line, flush=True)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("prepare", prepare.__doc__)
    command.add_paths(parser, "--dataset", help="dataset.json to write; the arrays go beside it")
    command.run(parser, prepare)


if __name__ == "__main__":
    main()
