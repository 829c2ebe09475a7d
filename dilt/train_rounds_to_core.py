"""Stage `train_rounds_to_core`: trains and prunes LTH on its way to the cores' numbers of weights, in one process.

What `train` and `prune` do in jobs for each round, to the same bytes, for networks that train in seconds.
"""

from __future__ import annotations

import argparse

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import intersection
from dilt.tickets.round_masks import PruningOptions, mask_of_round
from dilt.tickets.trajectories import FULL
from dilt.training import job
from dilt.training.runs import Runs


class Options(job.Options, PruningOptions):
    """What `train_rounds_to_core` reads from the configuration."""


def train_rounds_to_core(arguments: argparse.Namespace) -> None:
    """Take LTH to the core of each of some rounds, in as many rounds as the core took, by the same rate in each."""
    options = command.options(arguments, Options)
    runs, dense = Runs(arguments, options), read_mask(arguments.dense)
    weights_left, metrics_left, masks_left = map(iter, (arguments.weights, arguments.metrics, arguments.masks))
    cores = command.grouped(arguments.partition_masks, len(runs.partitions))
    for core_round, partition_masks in command.zipped(arguments.core_rounds, cores):
        core, name = intersection(map(read_mask, partition_masks)).count, f"same-rounds-{core_round}/{FULL}"
        mask, weights = dense, arguments.lth_weights  # its first training, which is dense, is LTH's own
        for round_ in range(1, core_round + 1):
            if round_ > 1:
                weights = next(weights_left)
                runs.train(name, round_, mask, weights, next(metrics_left), f"{name}/round-{round_}")
            mask = mask_of_round(weights, mask, options, (core, core_round))
            write_mask(next(masks_left), mask)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train_rounds_to_core", train_rounds_to_core.__doc__)
    job.add_options(parser, fewest="*")  # the first round of a way trains nothing
    command.add_paths(parser, "--dense", help="the mask of the first round")
    command.add_paths(parser, "--lth-weights", help="LTH's of the first round")
    parser.add_argument("--core-rounds", type=int, nargs="+", required=True, help="rounds whose core is reached")
    words = "partitions' masks of the first core round, then of the second, ..."
    command.add_path_lists(parser, "--partition-masks", help=words)
    command.add_path_lists(
        parser, "--masks", help="masks to write: of each round on the first way, then on the second, ..."
    )
    command.run(parser, train_rounds_to_core)


if __name__ == "__main__":
    main()
