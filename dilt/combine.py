"""Stage `combine`: makes the masks of a seed's tickets, and tables of densities and of trajectories' overlaps."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from dilt.foundations import storage
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.tickets import algebra, making, overlap
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask
from dilt.tickets.names import read_run
from dilt.tickets.pruning import Saliencies, Scope, consensus_saliencies


class Options(Section):
    """What `combine` reads from the configuration."""

    scope: Scope
    define: dict[str, str] = Field(default_factory=dict)


class TrajectoryLadder:
    """A trajectory, which ranks weights by magnitude. Its files are read when needed.

    Args:
        dense: mask of round 0.
        masks: files of the masks of rounds 1 to the last.
        weights: files of the weights of the same rounds.
    """

    def __init__(self, dense: Path, masks: Sequence[Path], weights: Sequence[Path]) -> None:
        self._masks = [dense, *masks]
        self._weights = weights
        self.rounds = len(command.zipped(weights, masks))

    def mask(self, round_: int) -> Mask:
        """Mask after the round."""
        return read_mask(self._masks[round_])

    def saliencies(self, round_: int) -> Saliencies:
        """Weights of the round."""
        return storage.read_tensors(self._weights[round_ - 1])[0]


class ColtLadder:
    """The cyclic coupling, which ranks weights by the consensus of its partitions' runs; all have the same masks."""

    def __init__(self, partitions: Sequence[TrajectoryLadder], scope: Scope) -> None:
        self._partitions = partitions
        self._scope = scope
        self.rounds = partitions[0].rounds

    def mask(self, round_: int) -> Mask:
        """Consensus of the round."""
        return self._partitions[0].mask(round_)

    def saliencies(self, round_: int) -> Saliencies:
        """Consensus saliencies of the partitions' weights of the round."""
        weights = [partition.saliencies(round_) for partition in self._partitions]
        return consensus_saliencies(weights, self.mask(round_ - 1), self._scope)


def combine(arguments: argparse.Namespace) -> None:
    """Make tickets (named ROUND/TICKET); write tables of densities, and of overlaps beside what chance would give."""
    material = read_material(arguments, command.options(arguments, Options))
    asked: dict[int, dict[str, Path]] = {}
    for name, path in command.zipped(arguments.names, arguments.tickets):
        round_, ticket = read_run(name)
        asked.setdefault(round_, {})[ticket] = path
    densities, overlaps = [], []
    for round_, paths in asked.items():
        of_round = replace(material, round=round_)
        made = making.make_tickets(of_round, list(paths))
        making.require_weights(made, of_round)
        for ticket, mask in made.items():
            write_mask(paths[ticket], mask)
        address = {"seed": arguments.seed, "round": round_}
        densities += [address | row for row in overlap.density_rows(made)]
    for round_ in range(1, material.lth.rounds + 1):
        partitions, siblings = (
            {name: run.mask(round_) for name, run in runs.items()} for runs in (material.partitions, material.siblings)
        )
        address = {"seed": arguments.seed, "round": round_}
        overlaps += [address | row for row in overlap.overlaps_of_trajectories(partitions, siblings)]
    storage.write_rows(arguments.densities, densities)
    storage.write_rows(arguments.overlaps, overlaps)


def read_material(arguments: argparse.Namespace, options: Options) -> making.Material:
    """What tickets are made from, of the first round; files are read when needed."""
    names, dense = arguments.partitions, arguments.dense
    cyclic = _runs(dense, names, arguments.colt_masks * len(names), arguments.colt_weights)
    return making.Material(
        partitions=_runs(dense, names, arguments.partition_masks, arguments.partition_weights),
        siblings=_runs(dense, names, arguments.sibling_masks, arguments.sibling_weights),
        lth=TrajectoryLadder(dense, arguments.lth_masks, arguments.lth_weights),
        same_rounds=_ways_to_core(arguments),
        colt=ColtLadder(list(cyclic.values()), options.scope),
        theta0=storage.read_tensors(arguments.theta0)[0],
        round=1,
        scope=options.scope,
        seed=arguments.seed,
        defined={name: algebra.parse(text) for name, text in options.define.items()},
    )


def _ways_to_core(arguments: argparse.Namespace) -> dict[int, TrajectoryLadder]:
    """LTH in as many rounds as the core of a round, by that round; its files are those of the rounds of each way."""
    found: dict[int, TrajectoryLadder] = {}
    masks, weights = list(arguments.same_rounds_masks), list(arguments.same_rounds_weights)
    for round_ in arguments.same_rounds:
        found[round_] = TrajectoryLadder(arguments.dense, masks[:round_], weights[:round_])
        masks, weights = masks[round_:], weights[round_:]
    return found


def _runs(
    dense: Path, names: Sequence[str], masks: Sequence[Path], weights: Sequence[Path]
) -> dict[str, TrajectoryLadder]:
    """A ladder per partition; files are those of all rounds of the first partition, then of the next."""
    rounds = len(masks) // len(names)
    cuts = [slice(start * rounds, (start + 1) * rounds) for start in range(len(names))]
    command.zipped(masks, weights, [None] * (rounds * len(names)))
    return {name: TrajectoryLadder(dense, masks[cut], weights[cut]) for name, cut in zip(names, cuts, strict=True)}


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("combine", combine.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    for run in ("partition", "sibling"):
        command.add_path_lists(
            parser, f"--{run}-masks", f"--{run}-weights", help="rounds 1 to the last of each partition in turn"
        )
    command.add_path_lists(parser, "--lth-masks", "--lth-weights", help="full trajectory, rounds 1 to the last")
    parser.add_argument(
        "--same-rounds", type=int, nargs="*", default=[], metavar="ROUND", help="rounds to whose core LTH was pruned"
    )
    for kind in ("masks", "weights"):
        name = f"--same-rounds-{kind}"
        parser.add_argument(
            name, type=Path, nargs="*", default=[], metavar="PATH", help="of each way to a core in turn"
        )
    command.add_path_lists(parser, "--colt-masks", help="consensus of the cyclic coupling, rounds 1 to the last")
    command.add_path_lists(
        parser, "--colt-weights", help="cyclic weights, rounds 1 to the last of each partition in turn"
    )
    command.add_paths(parser, "--theta0", "--dense", help="shared initialisation and mask of round 0")
    parser.add_argument("--names", nargs="+", required=True, metavar="ROUND/TICKET", help="tickets to make")
    command.add_path_lists(parser, "--tickets", help="masks to write, one per name")
    command.add_paths(parser, "--densities", "--overlaps", help="table to write")
    command.run(parser, combine)


if __name__ == "__main__":
    main()
