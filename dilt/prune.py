"""Stage `prune`: makes the masks of a round from its weights and the masks that these were trained under."""

from __future__ import annotations

import argparse
from pathlib import Path

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import intersection
from dilt.tickets.round_masks import PruningOptions, mask_of_round


def prune(arguments: argparse.Namespace) -> None:
    """Prune each trajectory by the rate, or towards the number of weights of a core.

    For COLT's cyclic coupling write the intersection too, with which all partitions go on.
    """
    options = command.options(arguments, PruningOptions)
    towards = (intersection(map(read_mask, arguments.core_of)).count, arguments.rounds) if arguments.core_of else None
    pruned = []
    for weights_path, before, path in command.zipped(arguments.weights, arguments.masks, arguments.pruned):
        pruned.append(mask_of_round(weights_path, read_mask(before), options, towards))
        write_mask(path, pruned[-1])
    if arguments.intersection:
        write_mask(arguments.intersection, intersection(pruned))


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("prune", prune.__doc__)
    command.add_path_lists(parser, "--weights", help="trained weights, one per trajectory")
    command.add_path_lists(parser, "--masks", help="masks that they were trained under")
    command.add_path_lists(parser, "--pruned", help="masks to write")
    parser.add_argument("--intersection", type=Path, metavar="PATH", help="mask to write: weights that all keep")
    parser.add_argument("--core-of", type=Path, nargs="+", metavar="PATH", help="masks whose core's count is reached")
    parser.add_argument("--rounds", type=int, help="rounds in which it is reached")
    command.run(parser, prune)


if __name__ == "__main__":
    main()
