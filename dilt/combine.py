"""Stage `combine`: every ticket's mask of a round, its densities, and the trajectories' overlaps."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dilt import command, overlap, storage, tickets
from dilt.mask_storage import read_mask, write_mask
from dilt.masks import Mask
from dilt.pruning import Scope, Scores, consensus_scores
from dilt.settings import Section


class Options(Section):
    """What `combine` reads of the configuration."""

    scope: Scope


class LthLadder:
    """The full trajectory: ranks weights by magnitude."""

    def __init__(self, masks: Sequence[Mask], weights: Sequence[Path]) -> None:
        self.masks = masks
        self._weights = weights

    def scores(self, round_: int) -> Scores:
        """Weights of the round."""
        return storage.read_tensors(self._weights[round_ - 1])[0]


class ColtLadder:
    """The cyclic coupling: ranks weights by the consensus of its partitions."""

    def __init__(self, masks: Sequence[Mask], weights: Sequence[Sequence[Path]], scope: Scope) -> None:
        self.masks = masks
        self._weights = weights
        self._scope = scope

    def scores(self, round_: int) -> Scores:
        """Consensus scores of the partitions' weights of the round."""
        weights = [storage.read_tensors(partition[round_ - 1])[0] for partition in self._weights]
        return consensus_scores(weights, self.masks[round_ - 1], self._scope)


def combine(arguments: argparse.Namespace) -> None:
    """Make every ticket of a round, and tables of densities and overlaps with what chance would give."""
    options = command.options(arguments, Options)
    names, rounds = arguments.partitions, len(arguments.lth_weights)
    partitions, siblings = {}, {}
    for name, mask, other in command.zipped(names, arguments.partition_masks, arguments.sibling_masks):
        partitions[name], siblings[name] = read_mask(mask), read_mask(other)
    command.zipped(arguments.lth_masks, arguments.lth_weights, arguments.colt_masks)
    command.zipped([None] * (rounds * len(names)), arguments.colt_weights)
    dense = read_mask(arguments.dense)
    colt_weights = [arguments.colt_weights[i * rounds : (i + 1) * rounds] for i in range(len(names))]
    made = tickets.make_tickets(
        tickets.Material(
            partitions,
            siblings,
            LthLadder([dense, *map(read_mask, arguments.lth_masks)], arguments.lth_weights),
            ColtLadder([dense, *map(read_mask, arguments.colt_masks)], colt_weights, options.scope),
            storage.read_tensors(arguments.theta0)[0],
            arguments.round,
            options.scope,
            arguments.seed,
        ),
        arguments.extra,
    )
    for (_, mask), path in command.zipped(list(made.items()), arguments.tickets):
        write_mask(path, mask)

    address = {"seed": arguments.seed, "round": arguments.round}
    storage.write_rows(arguments.densities, [address | row for row in overlap.density_rows(made)])
    rows = overlap.overlaps_of_trajectories(partitions, siblings)
    storage.write_rows(arguments.overlaps, [address | row for row in rows])


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("combine", combine.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the round, from 1")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--partition-masks", "--sibling-masks", help="masks of the round, one per partition")
    command.add_path_lists(parser, "--lth-masks", "--lth-weights", help="full trajectory, rounds 1 to the last")
    command.add_path_lists(parser, "--colt-masks", help="consensus of the cyclic coupling, rounds 1 to the last")
    command.add_path_lists(
        parser, "--colt-weights", help="cyclic weights, rounds 1 to the last of each partition in turn"
    )
    command.add_paths(parser, "--theta0", "--dense", help="shared initialisation and mask of round 0")
    parser.add_argument("--extra", nargs="*", default=[], metavar="X@Y", help="tickets besides those of the claims")
    command.add_path_lists(parser, "--tickets", help="masks to write, in the order of dilt.tickets.ticket_names")
    command.add_paths(parser, "--densities", "--overlaps", help="table to write")
    command.run(parser, combine)


if __name__ == "__main__":
    main()
