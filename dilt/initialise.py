"""Stage `initialise`: makes a seed's shared initialisation theta0, others for controls, and the mask of round 0."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.randomness import derive_seed
from dilt.foundations.storage import file_digest
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoint, Checkpoints
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.settings.training import Rewinding, Training
from dilt.tickets.mask_files import write_mask
from dilt.tickets.masks import Mask
from dilt.tickets.pattern import Pattern
from dilt.training.event_files import Curve

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dilt.data.prepared import Images


class Options(Rewinding):
    """What `initialise` reads from the configuration."""

    model: Model
    training: Training
    exclude: list[str]
    pattern: PatternText


def initialise(arguments: argparse.Namespace) -> None:
    """Write theta0, and if asked other initialisations and the mask of round 0.

    All are trained a little if rewinding is late.
    """
    from dilt.data.prepared import read_split
    from dilt.networks import architectures, building, pretrained, states
    from dilt.networks.devices import numerics, use_devices

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    data, validation = (read_split(arguments.data, split) for split in ("train", "validation"))

    # The file may change while its name stays; theta0 then changes too.
    weights = {"weights": file_digest(options.model.weights)} if options.model.weights else {}
    starts: dict[Path, tuple[str, Model, int, dict[str, str]]] = {
        arguments.theta0: ("theta0", options.model, arguments.seed, weights),
    }
    for draw, path in enumerate(arguments.reinitialised, start=1):
        starts[path] = (f"reinitialised-{draw}", untrained(options.model), reinitialising(arguments.seed, draw), {})
    for path, (start, settings, seed, given) in starts.items():
        model = pretrained.build(settings, data.image_shape, data.classes, seed)
        building.check_images(model, data.image_shape)
        prunable = architectures.prunable(model, options.exclude, Pattern.of(options.pattern).group)
        shapes = {name: tuple(weight.shape) for name, weight in prunable.items()}
        with saved.of(start, **given) as checkpoint:
            if not checkpoint.finished():
                curve = Curve(path, {"seed": arguments.seed, "network": start})
                rewind_late(model, data, validation, options, seed, devices, checkpoint, curve)
                made = {"seed": arguments.seed, "model": options.model.name, **given}
                made["versions"] = command.versions(numerics(devices, options.training, model))
                checkpoint.finish(states.backbone(model), made)
            checkpoint.export(path)
    if arguments.dense:
        write_mask(arguments.dense, Mask.full(shapes))


def untrained(settings: Model) -> Model:
    """The same network with random weights if it is a pretrained one."""
    arguments = {name: value for name, value in settings.arguments.items() if name != "pretrained"}
    return settings.model_copy(update={"arguments": arguments, "weights": None})


def reinitialising(seed: int, draw: int) -> int:
    """The seed of another initialisation, the first or a later one, and of its data order where rewinding is late."""
    return derive_seed(seed, "reinitialised", *([draw] if draw > 1 else []))


def rewind_late(
    model: nn.Module,
    data: Images,
    validation: Images,
    options: Options,
    seed: int,
    devices: Sequence[torch.device],
    checkpoint: Checkpoint,
    curve: Curve,
) -> None:
    """Train for the epochs of late rewinding, if there are any; trajectories and tickets start after them.

    If their schedule continues, these are its first epochs; if it restarts, the learning rate stays at its peak. They
    start from the weights themselves, where a moving average is kept too.
    """
    from dilt.training.loop import Work
    from dilt.training.session import train

    if options.rewind_epoch:
        settings = options.training.model_copy(update={"ema_decay": None})
        if options.rewind_schedule == "restart":
            settings = settings.model_copy(update={"schedule": "constant"})
        work = Work(model, data, None, settings, seed, "rewind", stop=options.rewind_epoch)
        train(work, validation, devices, checkpoint, curve)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("initialise", initialise.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="file to write")
    parser.add_argument(
        "--reinitialised",
        type=Path,
        nargs="*",
        default=[],
        metavar="PATH",
        help="one for each draw of `reinit` tickets",
    )
    parser.add_argument("--dense", type=Path, metavar="PATH", help="file to write, if wanted")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, initialise)


if __name__ == "__main__":
    main()
