"""Stage `retrain_assembly`: trains theta0 under masks of core and specialists put together, on one partition."""

from __future__ import annotations

import argparse

from dilt.assemblies.joining import retrained_mask
from dilt.jobs import command
from dilt.settings.pattern import PatternText
from dilt.tickets.mask_files import read_mask
from dilt.tickets.pattern import Pattern
from dilt.training import job
from dilt.training.job import Start, Task, Trainings


class Options(job.Options):
    """What `retrain_assembly` reads from the configuration."""

    pattern: PatternText


def retrain_assembly(arguments: argparse.Namespace) -> None:
    """Train assemblies (named PARTITION/ASSEMBLY) on their partition's classes; write weights and per-epoch metrics."""
    from dilt.data.prepared import read_partitions

    options = command.options(arguments, Options)
    trainings, pattern = Trainings(arguments, options), Pattern.of(options.pattern)
    classes, theta0 = read_partitions(arguments.data), Start.read(arguments.theta0)
    masks = {name: read_mask(mask) for name, mask in command.zipped(arguments.partitions, arguments.masks)}
    for run, weights, metrics in command.zipped(arguments.runs, arguments.weights, arguments.metrics):
        partition, _, assembly = run.partition("/")
        mask = retrained_mask(partition, assembly, masks, arguments.seed, pattern)
        address = {"seed": arguments.seed, "round": arguments.round, "partition": partition, "assembly": assembly}
        # All assemblies of a partition have one data order, since they are compared with each other.
        order, record = f"assembly {partition}", address | {"live": mask.count}
        trainings.run(Task(run, classes[partition], mask, theta0, order, record, address), weights, metrics)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("retrain_assembly", retrain_assembly.__doc__)
    job.add_options(parser)
    parser.add_argument("--round", type=int, required=True, help="round of the masks")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--masks", help="mask of each partition")
    parser.add_argument("--runs", nargs="+", required=True, metavar="PARTITION/ASSEMBLY")
    command.run(parser, retrain_assembly)


if __name__ == "__main__":
    main()
