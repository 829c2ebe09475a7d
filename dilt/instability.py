"""Stage `instability`: errors on straight lines between networks trained from one theta0, and their barriers.

Instability analysis (Frankle et al. 2020, arXiv 1912.05671, sections 2 and 3) asks whether two trainings from the same
weights end in one basin: here of a partition and its sibling, which differ by data order, and of two partitions.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np

from dilt.foundations import storage
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.training import in_steps, read_length

if TYPE_CHECKING:
    from dilt.data.prepared import Images


class Options(Section):
    """What `instability` reads from the configuration."""

    model: Model
    precision: str
    points: int
    batch_size: int


def instability(arguments: argparse.Namespace) -> None:
    """Measure lines and barriers for every rewinding epoch and round, on validation images."""
    from dilt.assemblies.lines import Judge, curves
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks.devices import use_device
    from dilt.tickets.trajectories import sibling

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    train, validation = (read_split(arguments.data, split) for split in ("train", "validation"))
    judge = Judge(options.model, train, validation, arguments.seed, device, options.precision)
    classes = read_partitions(arguments.data)
    partitions = {name: classes[name] for name in arguments.partitions}
    trajectories = [*partitions, *map(sibling, partitions)]
    alphas = np.linspace(0, 1, options.points)

    lines: list[dict[str, Any]] = []
    barriers: list[dict[str, Any]] = []
    for epoch, round_, own, siblings in command.zipped(
        arguments.rewind_epochs,
        arguments.rounds,
        command.grouped(arguments.weights, len(partitions)),
        command.grouped(arguments.sibling_weights, len(partitions)),
    ):
        states = [storage.read_tensors(path)[0] for path in (*own, *siblings)]
        with saved.of(f"rewind-{epoch}.round-{round_}", networks=[storage.digest(state) for state in states]) as kept:
            record = kept.finished()
            if record is None:
                networks = dict(zip(trajectories, states, strict=True))
                found = list(curves(networks, partitions, alphas, judge))
                record = kept.finish({}, {"found": [(curve.rows(), curve.barriers()) for curve in found]})
        rewound = {"rewind": epoch, "rewind_epoch": _epochs(epoch, options, train)}
        address = {"seed": arguments.seed, **rewound, "round": round_}
        versions = {"versions": command.versions()}
        for rows, barrier in record["found"]:
            lines += [address | row | versions for row in rows]
            barriers.append(address | barrier | versions)
            print(
                f"rewound to {epoch}, round {round_}: {barrier['first']} to {barrier['second']}: barrier of "
                f"{barrier['error_barrier_points']:.1f} points",
                flush=True,
            )
    storage.write_rows(arguments.lines, lines)
    storage.write_rows(arguments.barriers, barriers)


def _epochs(length: int | str, options: Options, train: Images) -> float:
    """A rewinding epoch; steps are told as a part of the epochs that theta0 was trained for, on all source classes."""
    steps = len(train) // min(options.batch_size, len(train))
    return length if isinstance(length, int) else round(in_steps(length, steps) / steps, 6)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("instability", instability.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    parser.add_argument(
        "--rewind-epochs",
        nargs="+",
        type=read_length,
        required=True,
        metavar="EPOCH",
        help="one for each set of networks; 500it is steps",
    )
    parser.add_argument(
        "--rounds", nargs="+", type=int, required=True, metavar="ROUND", help="in which each was trained"
    )
    command.add_path_lists(parser, "--weights", "--sibling-weights", help="of every partition, set by set")
    command.add_paths(parser, "--lines", "--barriers", help="table to write: of points, of lines")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, instability)


if __name__ == "__main__":
    main()
