"""Stage `train`: trains trajectories for one round, each from theta0 under its mask of the round before."""

from __future__ import annotations

import argparse

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask
from dilt.training import job
from dilt.training.runs import Runs


def train(arguments: argparse.Namespace) -> None:
    """Train trajectories (named COUPLING/TRAJECTORY) for one round; write their weights and per-epoch metrics."""
    runs = Runs(arguments, command.options(arguments, job.Options))
    for name, mask, weights, metrics in command.zipped(
        arguments.runs, arguments.masks, arguments.weights, arguments.metrics
    ):
        runs.train(name, arguments.round, read_mask(mask), weights, metrics, name)


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
