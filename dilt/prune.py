"""Stage `prune`: makes the masks of a round from its weights and the masks that these were trained under."""

from __future__ import annotations

import argparse
from pathlib import Path

from dilt.foundations import storage
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.tickets import pruning
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import intersection


class Options(Section):
    """What `prune` reads from the configuration."""

    rate: float
    scope: pruning.Scope


def prune(arguments: argparse.Namespace) -> None:
    """Prune each trajectory by the rate, or towards the number of weights of a core.

    For COLT's cyclic coupling write the intersection too, with which all partitions go on.
    """
    options = command.options(arguments, Options)
    core = intersection(map(read_mask, arguments.core_of)).count if arguments.core_of else None
    pruned = []
    for weights_path, before, path in command.zipped(arguments.weights, arguments.masks, arguments.pruned):
        weights, record = storage.read_tensors(weights_path)
        mask = read_mask(before)
        origin = f"{record['run']} round {record['round']}"
        if core is not None:
            count = pruning.count_on_the_way(mask.size, core, record["round"], arguments.rounds)
            pruned.append(pruning.prune_to_count(weights, mask, count, options.scope, origin))
        else:
            pruned.append(pruning.prune(weights, mask, options.rate, options.scope, origin))
        if not pruned[-1].count and core != 0:
            raise ValueError(f"pruning: no weight is left after {origin}; lower pruning.rounds or pruning.rate")
        write_mask(path, pruned[-1])
        print(f"{origin}: density {mask.density:.4f} -> {pruned[-1].density:.4f}")
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
