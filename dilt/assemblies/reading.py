"""Reads what assemblies are made from, for the stages that fit and score them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from dilt.assemblies.joining import Run
from dilt.foundations import storage
from dilt.foundations.storage import Tensors
from dilt.jobs import command
from dilt.tickets.mask_files import read_mask


@dataclass(frozen=True)
class Inputs:
    """theta0, and the trajectories of every partition and of its sibling, both by the partition's name."""

    theta0: Tensors
    runs: dict[str, Run]
    siblings: dict[str, Run]

    def digests(self) -> list[str]:
        """Digests of all inputs."""
        runs = [*self.runs.values(), *self.siblings.values()]
        tensors = [self.theta0, *(run.mask.layers for run in runs), *(run.state for run in runs)]
        return [storage.digest(each) for each in tensors]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say where the inputs are."""
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--round", type=int, required=True, help="round of the masks")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--masks", "--sibling-masks", help="mask of each partition or its sibling")
    command.add_path_lists(parser, "--weights", "--sibling-weights", help="what was trained under each of these masks")


def read(arguments: argparse.Namespace) -> Inputs:
    """The inputs that `add_options` names."""
    theta0, _ = storage.read_tensors(arguments.theta0)
    runs = _read_runs(arguments.partitions, arguments.masks, arguments.weights)
    return Inputs(theta0, runs, _read_runs(arguments.partitions, arguments.sibling_masks, arguments.sibling_weights))


def _read_runs(names: list[str], masks: list[Path], weights: list[Path]) -> dict[str, Run]:
    command.zipped(names, masks, weights)
    listed = zip(names, masks, weights, strict=True)
    return {name: Run(read_mask(mask), storage.read_tensors(state)[0]) for name, mask, state in listed}
