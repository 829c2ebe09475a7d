"""A sweep: one experiment many times, with keys varied along axes, and one comparison that is followed over them.

Each point of the grid is an experiment of its own, so that one more value trains nothing else anew.
`workflow/sweep.smk` plans them together; `sweep` puts their answers into one table and one figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from dilt.answers.comparisons import claims_of
from dilt.configuration import yaml_files
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError, Document
from dilt.settings.base import Name, Section

MOST_AXES = 3  # along, lines and panels of the figure


class Sweep(Section):
    """What is varied, and what is compared.

    Attributes:
        sweep: names the folder results/<sweep> of the table and the figure.
        base: configurations, each laid over the first, from the working directory.
        comparison: that is followed, as a claim of the base has it.
        axes: by name, the values of each by name, with the keys that they set. The first axis lies along the figure,
            the second has a line for each value, the third a panel.
    """

    sweep: Name
    base: list[str] = Field(min_length=1)
    comparison: str
    axes: dict[str, dict[str, dict[str, Any]]] = Field(min_length=1, max_length=MOST_AXES)


@dataclass(frozen=True)
class Point:
    """An experiment of a sweep.

    Attributes:
        experiment: its name.
        values: the name of its value on each axis.
        configuration: its keys and values.
    """

    experiment: str
    values: dict[str, str]
    configuration: dict[str, Any]


def read(path: Path) -> tuple[Sweep, list[Point]]:
    """A sweep and its points, each checked.

    Raises:
        ConfigError: the file or a point is wrong; each line names the file, and the point by its values.
    """
    sweep, points = grid(path)
    if lines := [line for point in points for line in _findings(path, sweep, point)]:
        raise ConfigError(lines)
    return sweep, points


def grid(path: Path) -> tuple[Sweep, list[Point]]:
    """A sweep and its points, whatever they set: their data need not be here.

    Raises:
        ConfigError: the file is wrong; each line names it.
    """
    document = yaml_files.read(path)
    try:
        sweep = Sweep.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(
            [f"{path}: {'.'.join(map(str, found['loc']))}: {found['msg'].lower()}" for found in error.errors()]
        ) from error
    if empty := [axis for axis, values in sweep.axes.items() if not values]:
        raise ConfigError([f"{path}: axes.{empty[0]}: has no values; name some, each with the keys that it sets"])
    base = yaml_files.gather([Path(file) for file in sweep.base])
    points = [_point(sweep, base, values) for values in product(*sweep.axes.values())]
    if twice := {
        point.experiment for point in points if [each.experiment for each in points].count(point.experiment) > 1
    }:
        raise ConfigError(
            [f"{path}: axes: two points are called {min(twice)}; give values names that differ in letters"]
        )
    return sweep, points


def _point(sweep: Sweep, base: Document, values: Sequence[str]) -> Point:
    """The point with these values, one of each axis: the base, with what each sets laid over it in turn."""
    named = dict(zip(sweep.axes, values, strict=True))
    whole = base
    for axis, value in named.items():
        whole = whole.under(Document(sweep.axes[axis][value], {}))
    experiment = "-".join([sweep.sweep, *(re.sub(r"[^A-Za-z0-9_]+", "-", value).strip("-") for value in values)])
    return Point(experiment, named, {**whole.values, "experiment": experiment, "networks": None})


def _findings(path: Path, sweep: Sweep, point: Point) -> list[str]:
    """What is wrong with a point, a line each."""
    where = f"{path} ({', '.join(f'{axis} {value}' for axis, value in point.values.items())})"
    try:
        config = parse_config(point.configuration, where)
    except ConfigError as error:
        return error.lines
    asked = [text for claim in claims_of(config).values() for text in (*claim.comparisons, *claim.besides)]
    if sweep.comparison in asked:
        return []
    return [f"{where}: comparison: no claim that is asked has '{sweep.comparison}'; add it to claims.own of the base"]
