"""Stage `retrain_assembly`: masks of core and specialists put together, trained from theta0 on one partition."""

from __future__ import annotations

import argparse

from dilt.assemblies.joining import retrained_mask
from dilt.foundations import storage
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.mask_files import read_mask


class Options(Section):
    """What `retrain_assembly` reads of the configuration."""

    model: Model
    training: Training


def retrain_assembly(arguments: argparse.Namespace) -> None:
    """Train assemblies (named PARTITION/ASSEMBLY) on their partition's classes; write weights and per-epoch metrics."""
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks import building, states
    from dilt.networks.devices import numerics, use_devices
    from dilt.training.loop import Work
    from dilt.training.session import train

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    source, validation = read_split(arguments.data, "train"), read_split(arguments.data, "validation")
    classes = read_partitions(arguments.data)
    theta0, _ = storage.read_tensors(arguments.theta0)
    start = storage.digest(theta0)
    masks = {name: read_mask(mask) for name, mask in command.zipped(arguments.partitions, arguments.masks)}

    for run, weights, metrics in command.zipped(arguments.runs, arguments.weights, arguments.metrics):
        partition, _, assembly = run.partition("/")
        mask = retrained_mask(partition, assembly, masks, arguments.seed)
        data, held_out = (split.restrict(classes[partition]) for split in (source, validation))
        address = {"seed": arguments.seed, "round": arguments.round, "partition": partition, "assembly": assembly}
        with saved.of(run, mask=storage.digest(mask.layers), theta0=start) as checkpoint:
            record = checkpoint.finished()
            if record is None:
                model = building.build(options.model, data.image_shape, data.classes, arguments.seed, theta0)
                # One order of the data for all assemblies of a partition, which are compared with each other.
                work = Work(model, data, mask, options.training, arguments.seed, f"assembly {partition}")
                made = {"history": train(work, held_out, devices, checkpoint), "live": mask.count}
                made |= {"versions": command.versions(numerics(devices, options.training, model))}
                record = checkpoint.finish(states.state(model), address | made)
            checkpoint.export(weights)
        storage.write_rows(metrics, [address | row for row in record["history"]])


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("retrain_assembly", retrain_assembly.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--round", type=int, required=True, help="round of the masks")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--masks", help="mask of each partition")
    parser.add_argument("--runs", nargs="+", required=True, metavar="PARTITION/ASSEMBLY")
    command.add_path_lists(parser, "--weights", "--metrics", help="files to write, one per run")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, retrain_assembly)


if __name__ == "__main__":
    main()
