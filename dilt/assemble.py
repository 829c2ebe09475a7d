"""Stage `assemble`: what core and specialists are worth to each partition when put together without retraining."""

from __future__ import annotations

import argparse

from dilt import command, storage
from dilt.mask_storage import read_mask
from dilt.settings import Model, Section


class Options(Section):
    """What `assemble` reads of the configuration."""

    model: Model
    precision: str


def assemble(arguments: argparse.Namespace) -> None:
    """Score every assembly in each partition's network, with that partition's head, on its test images."""
    from dilt import models
    from dilt.assembly import assemblies
    from dilt.datasets import read_partitions, read_split
    from dilt.devices import use_device
    from dilt.evaluation import logits, recalibrate, score

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    source, test = read_split(arguments.data, "train"), read_split(arguments.data, "test")
    classes = read_partitions(arguments.data)
    theta0, _ = storage.read_tensors(arguments.theta0)
    masks, networks = {}, {}
    for name, mask, weights in command.zipped(arguments.partitions, arguments.masks, arguments.weights):
        masks[name], (networks[name], _) = read_mask(mask), storage.read_tensors(weights)

    rows = []
    for partition, network in networks.items():
        members = classes[partition]
        train, images = source.restrict(members), test.restrict(members)
        for name, (weights, mask) in assemblies(partition, masks, networks, theta0, arguments.seed).items():
            model = models.build(options.model, images.image_shape, members, arguments.seed, theta0)
            models.load_state(model, network | weights)
            recalibrate(model, train, device)
            found = score(logits(model, images, device, options.precision), images.labels)
            rows.append(
                {
                    "seed": arguments.seed,
                    "round": arguments.round,
                    "partition": partition,
                    "assembly": name,
                    "live": mask.count,
                    "images": found.images,
                    "accuracy": found.accuracy,
                }
            )
    storage.write_rows(arguments.scores, rows)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("assemble", assemble.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="round of the masks")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--masks", help="mask of each partition")
    command.add_path_lists(parser, "--weights", help="weights of each partition, trained under that mask")
    command.add_paths(parser, "--scores", help="table to write")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    command.run(parser, assemble)


if __name__ == "__main__":
    main()
