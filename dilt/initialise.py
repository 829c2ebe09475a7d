"""Stage `initialise`: the shared initialisation theta0 of a seed, and the dense mask that rounds start from."""

from __future__ import annotations

import argparse

from dilt import checkpoints, command
from dilt.checkpoints import Checkpoints
from dilt.mask_storage import write_mask
from dilt.masks import Mask
from dilt.settings import Model, Section, Training
from dilt.storage import file_digest


class Options(Section):
    """What `initialise` reads of the configuration."""

    model: Model
    training: Training
    rewind_epoch: int
    exclude: list[str]


def initialise(arguments: argparse.Namespace) -> None:
    """Write theta0, after some epochs on all source classes if rewinding is late, and the mask of round 0."""
    from dilt import architectures, models
    from dilt.datasets import read_split
    from dilt.devices import numerics, use_devices
    from dilt.loop import Work
    from dilt.training import train

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    data = read_split(arguments.data, "train")

    model = models.build(options.model, data.image_shape, data.classes, arguments.seed)
    models.check_images(model, data.image_shape)
    shapes = {name: tuple(weight.shape) for name, weight in architectures.prunable(model, options.exclude).items()}
    # The file may change under its name; theta0 is then another.
    weights = {"weights": file_digest(options.model.weights)} if options.model.weights else {}
    with saved.of("theta0", **weights) as checkpoint:
        if not checkpoint.finished():
            if options.rewind_epoch:
                settings = options.training.model_copy(update={"epochs": options.rewind_epoch, "schedule": "constant"})
                validation = read_split(arguments.data, "validation")
                train(Work(model, data, None, settings, arguments.seed, "rewind"), validation, devices, checkpoint)
            made = {"seed": arguments.seed, "model": options.model.name, **weights}
            made["versions"] = command.versions(numerics(devices, options.training))
            checkpoint.finish(models.backbone(model), made)
        checkpoint.export(arguments.theta0)
    write_mask(arguments.dense, Mask.full(shapes))


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("initialise", initialise.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", "--dense", help="file to write")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, initialise)


if __name__ == "__main__":
    main()
