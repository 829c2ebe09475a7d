"""Stage `train_rounds`: trains and prunes a seed's trajectories, round after round, in one process.

What `train` and `prune` do in jobs for each round, to the same bytes, for networks that train in seconds.
"""

from __future__ import annotations

import argparse

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import intersection
from dilt.tickets.round_masks import PruningOptions, mask_of_round
from dilt.training import job
from dilt.training.runs import Runs


class Options(job.Options, PruningOptions):
    """What `train_rounds` reads from the configuration."""


def train_rounds(arguments: argparse.Namespace) -> None:
    """Train trajectories (named COUPLING/TRAJECTORY) and prune them, round after round, from the dense mask on.

    All runs of the cyclic coupling go on from the intersection of their masks, which is written too.
    """
    options = command.options(arguments, Options)
    runs, names = Runs(arguments, options), arguments.runs
    outputs = (command.grouped(paths, len(names)) for paths in (arguments.weights, arguments.metrics, arguments.masks))
    masks = dict.fromkeys(names, read_mask(arguments.dense))
    for round_, (consensus, *paths) in enumerate(command.zipped(arguments.consensus, *outputs), start=1):
        pruned = {}
        for name, weights, metrics, path in command.zipped(names, *paths):
            runs.train(name, round_, masks[name], weights, metrics, f"{name}/round-{round_}")
            pruned[name] = mask_of_round(weights, masks[name], options)
            write_mask(path, pruned[name])
        cyclic = [name for name in names if name.startswith("cyclic/")]
        shared = intersection([pruned[name] for name in cyclic])
        write_mask(consensus, shared)
        masks = pruned | dict.fromkeys(cyclic, shared)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train_rounds", train_rounds.__doc__)
    job.add_options(parser)
    command.add_paths(parser, "--dense", help="the mask of the first round")
    parser.add_argument("--runs", nargs="+", required=True, metavar="COUPLING/TRAJECTORY")
    words = "masks to write: of the first round's runs, then of the second's, ..."
    command.add_path_lists(parser, "--masks", help=words)
    command.add_path_lists(parser, "--consensus", help="intersections of the cyclic runs to write, one for each round")
    command.run(parser, train_rounds)


if __name__ == "__main__":
    main()
