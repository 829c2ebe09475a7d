"""Stage `train`: trains trajectories for one round, each from theta0 under its mask of the round before."""

from __future__ import annotations

import argparse

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask
from dilt.tickets.trajectories import split_number, trajectory_classes
from dilt.training import job
from dilt.training.job import Part, Start, Task, Trainings


def train(arguments: argparse.Namespace) -> None:
    """Train trajectories (named COUPLING/TRAJECTORY) for one round; write their weights and per-epoch metrics."""
    from dilt.data.prepared import read_partitions

    trainings = Trainings(arguments)
    partitions, theta0 = read_partitions(arguments.data), Start.read(arguments.theta0)
    for name, mask, weights, metrics in command.zipped(
        arguments.runs, arguments.masks, arguments.weights, arguments.metrics
    ):
        coupling, _, trajectory = name.partition("/")
        classes = trajectory_classes(trajectory, partitions, trainings.classes)
        record = {"seed": arguments.seed, "run": name, "round": arguments.round, "classes": classes}
        address = {"seed": arguments.seed, "coupling": coupling, "trajectory": trajectory, "round": arguments.round}
        order = f"{trajectory} round {arguments.round}"
        number = split_number(trajectory)
        part = None if number is None else Part(number, len(partitions))
        trainings.run(Task(name, classes, read_mask(mask), theta0, order, record, address, part), weights, metrics)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train", train.__doc__)
    job.add_options(parser)
    parser.add_argument("--round", type=int, required=True, help="the round, from 1")
    parser.add_argument("--runs", nargs="+", required=True, metavar="COUPLING/TRAJECTORY")
    command.add_path_lists(parser, "--masks", help="mask of the round before, one per run")
    command.run(parser, train)


if __name__ == "__main__":
    main()
