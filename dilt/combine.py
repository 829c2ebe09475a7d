"""Stage `combine`: makes the masks of a seed's tickets, and tables of densities and of trajectories' overlaps."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from pydantic import Field

from dilt.foundations import storage
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.tickets import algebra, making, overlap
from dilt.tickets.agreement import keep_agreed
from dilt.tickets.ladders import Run
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask
from dilt.tickets.names import read_run
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import Saliencies, Scope


class Options(Section):
    """What `combine` reads from the configuration."""

    scope: Scope
    pattern: PatternText
    define: dict[str, str] = Field(default_factory=dict)
    match: Literal["weights", "effective"]
    model: Model


Row = dict[str, str | int | float]
KEPT = 8  # masks, which take a byte a weight and are read by ticket after ticket


class TrajectoryLadder(Run):
    """A trajectory, which ranks weights by magnitude. Its files are read when needed.

    Args:
        dense: mask of round 0.
        masks: files of the masks of rounds 1 to the last.
        weights: files of the weights of the same rounds.
        read: reads a mask.
    """

    def __init__(
        self, dense: Path, masks: Sequence[Path], weights: Sequence[Path], read: Callable[[Path], Mask]
    ) -> None:
        self._read = read
        self._masks = [dense, *masks]
        self._weights = weights
        self._rounds = len(command.zipped(weights, masks))

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self._rounds

    def mask(self, round_: int) -> Mask:
        """Mask after the round."""
        return self._read(self._masks[round_])

    def saliencies(self, round_: int) -> Saliencies:
        """Weights of the round."""
        return storage.read_tensors(self._weights[round_ - 1])[0]


MakeRun = Callable[[Sequence[Path], Sequence[Path]], TrajectoryLadder]  # of files of masks and weights


class ColtLadder:
    """The cyclic coupling, which ranks weights by the consensus of its partitions' runs; all have the same masks."""

    def __init__(self, partitions: Sequence[TrajectoryLadder]) -> None:
        self._partitions = partitions
        self.rounds = partitions[0].rounds

    def mask(self, round_: int) -> Mask:
        """Consensus of the round."""
        return self._partitions[0].mask(round_)

    def pruned(self, round_: int, count: int, scope: Scope, pattern: Pattern = ANY) -> Mask:
        """The consensus before a round with so many of its weights, by the partitions' weights of the round."""
        weights = [partition.saliencies(round_) for partition in self._partitions]
        return keep_agreed(weights, [self.mask(round_ - 1)] * len(weights), count, scope, pattern=pattern)


def combine(arguments: argparse.Namespace) -> None:
    """Make tickets (named ROUND/TICKET); write tables of densities, and of overlaps beside what chance would give."""
    options = command.options(arguments, Options)
    effective = effective_weights(options.model, arguments.data)
    material = read_material(arguments, options, effective if options.match == "effective" else None)
    asked: dict[int, dict[str, Path]] = {}
    for name, path in command.zipped(arguments.names, arguments.tickets):
        round_, ticket = read_run(name)
        asked.setdefault(round_, {})[ticket] = path
    densities = []
    for round_, paths in asked.items():
        rows = make_and_measure(replace(material, round=round_), paths, effective, arguments.threads)
        densities += [{"seed": arguments.seed, "round": round_} | row for row in rows]
    storage.write_rows(arguments.densities, densities)
    for line in overlap.disconnected(densities):
        print(f"share of live weights on a path from input to output below {overlap.CONNECTED}: {line}")
    storage.write_rows(arguments.overlaps, _overlaps(arguments.seed, material))


def make_and_measure(
    material: making.Material, paths: Mapping[str, Path], effective: Callable[[Mask], Mask], threads: int
) -> list[Row]:
    """Make and write the tickets of one round, as many at a time as there are threads; the rows of their densities.

    Raises:
        ValueError: a ticket of the user's own keeps no weight.
    """
    make = making.maker(material, list(paths))

    def make_one(name: str) -> list[Row]:
        mask = make(name)
        making.require_weights(name, mask, material)
        written = writer.submit(write_mask, paths[name], mask)  # which waits for the disk
        rows = overlap.density_rows({name: mask}, effective, material.pattern)
        written.result()
        return rows

    backwards = list(paths)[::-1]  # of as many threads, none is left with the union's controls, which take longest
    # NumPy and torch let other threads work while they compute.
    with ThreadPoolExecutor(threads) as writer, ThreadPoolExecutor(threads) as pool:
        rows = dict(zip(backwards, pool.map(make_one, backwards), strict=True))
    return [row for name in paths for row in rows[name]]


def _overlaps(seed: int, material: making.Material) -> list[Row]:
    """The overlaps of all rounds' masks."""
    rows = []
    for round_ in range(1, material.lth.rounds + 1):
        partitions, siblings = (
            {name: run.mask(round_) for name, run in runs.items()} for runs in (material.partitions, material.siblings)
        )
        address: dict[str, str | int | float] = {"seed": seed, "round": round_}
        rows += [address | row for row in overlap.overlaps_of_trajectories(partitions, siblings)]
    return rows


def read_material(
    arguments: argparse.Namespace, options: Options, effective: Callable[[Mask], Mask] | None
) -> making.Material:
    """What tickets are made from, of the first round; files are read when needed."""
    names, run = arguments.partitions, partial(TrajectoryLadder, arguments.dense, read=lru_cache(KEPT)(read_mask))
    cyclic = _runs(run, names, arguments.colt_masks * len(names), arguments.colt_weights)
    return making.Material(
        partitions=_runs(run, names, arguments.partition_masks, arguments.partition_weights),
        siblings=_runs(run, names, arguments.sibling_masks, arguments.sibling_weights),
        lth=run(arguments.lth_masks, arguments.lth_weights),
        same_rounds=_ways_to_core(run, arguments),
        splits=list(_runs(run, arguments.splits, arguments.split_masks, arguments.split_weights).values()),
        saliencies={
            criterion: storage.read_tensors(path)[0]
            for criterion, path in command.zipped(arguments.criteria, arguments.saliencies)
        },
        colt=ColtLadder(list(cyclic.values())),
        theta0=storage.read_tensors(arguments.theta0)[0],
        round=1,
        scope=options.scope,
        seed=arguments.seed,
        defined={name: algebra.parse(text) for name, text in options.define.items()},
        effective=effective,
        pattern=Pattern.of(options.pattern),
    )


def _ways_to_core(run: MakeRun, arguments: argparse.Namespace) -> dict[int, TrajectoryLadder]:
    """LTH in as many rounds as the core of a round, by that round; its files are those of the rounds of each way."""
    found: dict[int, TrajectoryLadder] = {}
    masks, weights = list(arguments.same_rounds_masks), list(arguments.same_rounds_weights)
    for round_ in arguments.same_rounds:
        found[round_] = run(masks[:round_], weights[:round_])
        masks, weights = masks[round_:], weights[round_:]
    return found


def effective_weights(settings: Model, dataset: Path) -> Callable[[Mask], Mask]:
    """What gives a mask's weights on a path through the network; dataset.json tells its images and classes."""
    from dilt.data.prepared import read_record
    from dilt.networks import building, devices, paths

    devices.use_cpu(threads=1)  # more are no faster for one image
    data = read_record(dataset)
    network = building.create(settings, data["image_shape"], len(data["classes"]))
    return paths.EffectiveWeights(network, data["image_shape"])


def _runs(
    run: MakeRun, names: Sequence[str], masks: Sequence[Path], weights: Sequence[Path]
) -> dict[str, TrajectoryLadder]:
    """A ladder per partition; files are those of all rounds of the first partition, then of the next."""
    rounds = len(masks) // max(1, len(names))
    cuts = [slice(start * rounds, (start + 1) * rounds) for start in range(len(names))]
    command.zipped(masks, weights, [None] * (rounds * len(names)))
    return {name: run(masks[cut], weights[cut]) for name, cut in zip(names, cuts, strict=True)}


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("combine", combine.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--threads", type=int, default=1, help="tickets made at a time")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    for run in ("partition", "sibling"):
        command.add_path_lists(
            parser, f"--{run}-masks", f"--{run}-weights", help="rounds 1 to the last of each partition in turn"
        )
    command.add_path_lists(parser, "--lth-masks", "--lth-weights", help="full trajectory, rounds 1 to the last")
    parser.add_argument(
        "--same-rounds", type=int, nargs="*", default=[], metavar="ROUND", help="rounds to whose core LTH was pruned"
    )
    parser.add_argument("--splits", nargs="*", default=[], metavar="NAME", help="trajectories on parts of the images")
    parser.add_argument("--criteria", nargs="*", default=[], metavar="NAME", help="of saliencies at initialisation")
    for name, words in {
        "--same-rounds-masks": "rounds 1 to the last of each way to a core in turn",
        "--same-rounds-weights": "rounds 1 to the last of each way to a core in turn",
        "--split-masks": "rounds 1 to the last of each split in turn",
        "--split-weights": "rounds 1 to the last of each split in turn",
        "--saliencies": "of theta0, one file per criterion",
    }.items():
        parser.add_argument(name, type=Path, nargs="*", default=[], metavar="PATH", help=words)
    command.add_path_lists(parser, "--colt-masks", help="consensus of the cyclic coupling, rounds 1 to the last")
    command.add_path_lists(
        parser, "--colt-weights", help="cyclic weights, rounds 1 to the last of each partition in turn"
    )
    command.add_paths(parser, "--theta0", "--dense", help="shared initialisation and mask of round 0")
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    parser.add_argument("--names", nargs="+", required=True, metavar="ROUND/TICKET", help="tickets to make")
    command.add_path_lists(parser, "--tickets", help="masks to write, one per name")
    command.add_paths(parser, "--densities", "--overlaps", help="table to write")
    command.run(parser, combine)


if __name__ == "__main__":
    main()
