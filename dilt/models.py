"""The command ``dilt models NAME``: shows which parts of a model are pruned and observed.

The model is named, or taken from a configuration. Nothing heavy is imported before the command line is checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.foundations.signals import end_with_reader
from dilt.settings.networks import Model

if TYPE_CHECKING:
    from torch import nn


def main(prog: str = "python -m dilt.models") -> None:
    """Show which parts of a model are pruned and observed: a row per weight and per block, and totals."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("name", nargs="?", help="mlp, or a timm model such as resnet18; not needed with --config")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a configuration that gives what is not given here")
    parser.add_argument("--arguments", metavar="JSON", help="keyword arguments, such as '{\"patch_size\": 4}'")
    parser.add_argument("--stem", choices=("standard", "cifar"), help="as model.stem")
    parser.add_argument("--exclude", nargs="+", metavar="PATTERN", help="as pruning.exclude, such as '*patch_embed*'")
    parser.add_argument("--pattern", metavar="N:M", help="as pruning.pattern, such as 2:4")
    parser.add_argument("--layers", nargs="+", metavar="BLOCK", help="as representations.layers")
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the images; else the model's own")
    parser.add_argument("--classes", type=int, metavar="N", help="number of classes; else 10")
    arguments = parser.parse_args()
    if arguments.name is None and arguments.config is None:
        parser.error("give the name of a model, or a configuration with --config")
    try:
        print(_shown(arguments))
    except ValueError as error:
        sys.exit(f"{parser.prog}: error: {error}")


def _shown(arguments: argparse.Namespace) -> str:
    """The table of the model that the command line, or else the configuration, names.

    Raises:
        ValueError: there is no such model, or it takes no such arguments or images.
    """
    from dilt.configuration import checks, reading
    from dilt.networks import building
    from dilt.sources import data_catalog

    experiment = reading.load(arguments.config) if arguments.config else None
    settings = (
        experiment.model if experiment and arguments.name is None else Model.model_validate({"name": arguments.name})
    )
    given = {"arguments": _mapping(arguments.arguments), "stem": arguments.stem}
    settings = settings.model_copy(update={key: value for key, value in given.items() if value is not None})
    if findings := checks.findings({"model": settings}):
        raise ValueError(findings[0])
    exclude = experiment.pruning.exclude if experiment else []
    layers = experiment.representations.layers if experiment else None
    pattern = arguments.pattern or (experiment.pruning.pattern if experiment else None)
    classes = experiment.source.classes or data_catalog.known_classes(experiment.source) if experiment else None
    shape = data_catalog.known_shape(experiment.source) if experiment else None
    if shape is None and settings.name == "mlp":
        shape = data_catalog.DIGITS_SHAPE
    if arguments.image_size:
        shape = ((shape or (3,))[0], arguments.image_size, arguments.image_size)

    from dilt.networks.model_table import table
    from dilt.tickets.pattern import Pattern

    try:
        group = Pattern.of(pattern).group
    except ValueError as error:
        raise ValueError(f"--pattern: '{pattern}': {error}") from error
    model = building.skeleton(settings, shape or (3, 224, 224), arguments.classes or len(classes or range(10)))
    images = shape or _own_shape(model, settings)
    return table(model, images, arguments.exclude or exclude, arguments.layers or layers, group)


def _own_shape(model: nn.Module, settings: Model) -> tuple[int, ...]:
    """Shape of images that a timm model is made for: its argument img_size, or else the size it was published with."""
    published: tuple[int, ...] = model.pretrained_cfg["input_size"]  # type: ignore[index, assignment]
    size = settings.arguments.get("img_size", published[1:])
    return (3, size, size) if isinstance(size, int) else (3, *size)


def _mapping(text: str | None) -> dict[str, Any] | None:
    try:
        found = None if text is None else json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--arguments: '{text}' is not JSON ({error}); write it as '{{\"depth\": 4}}'") from error
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"--arguments: {text} is no mapping; write it as '{{\"depth\": 4}}'")
    return found


if __name__ == "__main__":
    end_with_reader()
    main()
