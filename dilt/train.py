"""Stage `train`: one round's training of trajectories, each from theta0 under its mask of the round before."""

from __future__ import annotations

import argparse

from dilt.foundations import storage
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.mask_files import read_mask
from dilt.tickets.trajectories import trajectory_classes


class Options(Section):
    """What `train` reads of the configuration."""

    model: Model
    training: Training


def train(arguments: argparse.Namespace) -> None:
    """Train trajectories (named COUPLING/TRAJECTORY) for one round; write their weights and per-epoch metrics."""
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks import building, states
    from dilt.networks.devices import numerics, use_devices
    from dilt.training.loop import Work
    from dilt.training.session import train as train_model

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    source, validation = read_split(arguments.data, "train"), read_split(arguments.data, "validation")
    partitions = read_partitions(arguments.data)
    theta0, _ = storage.read_tensors(arguments.theta0)
    start = storage.digest(theta0)

    for name, mask_path, weights, metrics in command.zipped(
        arguments.runs, arguments.masks, arguments.weights, arguments.metrics
    ):
        coupling, _, trajectory = name.partition("/")
        classes = trajectory_classes(trajectory, partitions, source.classes)
        mask = read_mask(mask_path)
        with saved.of(name, mask=storage.digest(mask.layers), theta0=start) as checkpoint:
            record = checkpoint.finished()
            if record is None:
                model = building.build(options.model, source.image_shape, classes, arguments.seed, theta0)
                order = f"{trajectory} round {arguments.round}"
                work = Work(model, source.restrict(classes), mask, options.training, arguments.seed, order)
                history = train_model(work, validation.restrict(classes), devices, checkpoint)
                made = {"seed": arguments.seed, "run": name, "round": arguments.round, "classes": classes}
                made |= {"history": history, "versions": command.versions(numerics(devices, options.training, model))}
                record = checkpoint.finish(states.state(model), made)
            checkpoint.export(weights)
        address = {"seed": arguments.seed, "coupling": coupling, "trajectory": trajectory, "round": arguments.round}
        storage.write_rows(metrics, [address | row for row in record["history"]])


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train", train.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--round", type=int, required=True, help="the round, from 1")
    parser.add_argument("--runs", nargs="+", required=True, metavar="COUPLING/TRAJECTORY")
    command.add_path_lists(parser, "--masks", help="mask of the round before, one per run")
    command.add_path_lists(parser, "--weights", "--metrics", help="files to write, one per run")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, train)


if __name__ == "__main__":
    main()
