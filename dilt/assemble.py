"""Stage `assemble`: what core and specialists are worth to each partition when put together without retraining."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from dilt import checkpoints, command, storage
from dilt.checkpoints import Checkpoint, Checkpoints
from dilt.mask_storage import read_mask
from dilt.settings import Model, Section

if TYPE_CHECKING:
    import torch

    from dilt.masks import Mask


class Options(Section):
    """What `assemble` reads of the configuration."""

    model: Model
    precision: str


def assemble(arguments: argparse.Namespace) -> None:
    """Score every assembly in each partition's network, with that partition's head, on its test images."""
    from dilt.devices import use_device

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    theta0, _ = storage.read_tensors(arguments.theta0)
    masks, networks = {}, {}
    for name, mask, weights in command.zipped(arguments.partitions, arguments.masks, arguments.weights):
        masks[name], (networks[name], _) = read_mask(mask), storage.read_tensors(weights)

    inputs = [theta0, *(mask.layers for mask in masks.values()), *networks.values()]
    with saved.of("assembly", tensors=[storage.digest(tensors) for tensors in inputs]) as checkpoint:
        made = checkpoint.finished()
        if made is None:
            rows = score_assemblies(arguments, options, theta0, masks, networks, device, checkpoint)
            made = checkpoint.finish({}, {"rows": rows, "versions": command.versions()})
    address = {"seed": arguments.seed, "round": arguments.round}
    storage.write_rows(arguments.scores, [address | row | {"versions": made["versions"]} for row in made["rows"]])


def score_assemblies(
    arguments: argparse.Namespace,
    options: Options,
    theta0: storage.Tensors,
    masks: dict[str, Mask],
    networks: dict[str, storage.Tensors],
    device: torch.device,
    checkpoint: Checkpoint,
) -> list[dict[str, Any]]:
    """A row per partition and assembly, going on after those that the checkpoint has."""
    from dilt import models
    from dilt.assembly import assemblies
    from dilt.datasets import read_partitions, read_split
    from dilt.evaluation import logits, recalibrate, score

    source, test = read_split(arguments.data, "train"), read_split(arguments.data, "test")
    classes = read_partitions(arguments.data)
    _, record = checkpoint.load() or ({}, {"rows": []})
    rows: list[dict[str, Any]] = record["rows"]
    done = {(row["partition"], row["assembly"]) for row in rows}
    for partition, network in networks.items():
        members = classes[partition]
        train, images = source.restrict(members), test.restrict(members)
        for name, (weights, mask) in assemblies(partition, masks, networks, theta0, arguments.seed).items():
            if (partition, name) in done:
                continue
            model = models.build(options.model, images.image_shape, members, arguments.seed, theta0)
            models.load_state(model, network | weights)
            recalibrate(model, train, device)
            found = score(logits(model, images, device, options.precision), images.labels)
            row = {"partition": partition, "assembly": name, "live": mask.count}
            rows.append(row | {"images": found.images, "accuracy": found.accuracy})
            if checkpoint.due():
                checkpoint.save({}, {"rows": rows})
    return rows


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("assemble", assemble.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--round", type=int, required=True, help="round of the masks")
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_path_lists(parser, "--masks", help="mask of each partition")
    command.add_path_lists(parser, "--weights", help="weights of each partition, trained under that mask")
    command.add_paths(parser, "--scores", help="table to write")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, assemble)


if __name__ == "__main__":
    main()
