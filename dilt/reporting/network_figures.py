"""Figures of what trained networks do besides being right: calibration, robustness, likeness of the partitions' ones.

Tables in, `matplotlib.figure.Figure` out, as in `figures`. The tables are made by `evaluate` and by
`answers.task_similarity`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dilt.answers.robustness import accuracy_drops
from dilt.answers.scores import clean
from dilt.answers.statistics import paired_interval
from dilt.answers.task_similarity import MEASURES
from dilt.reporting.style import (
    CHARACTER,
    LEAST,
    PAGE,
    POINTS_PER_INCH,
    RULE,
    TWO_COLUMNS,
    family_of,
    pinned,
    ticket_look,
)

_LINE = 0.155  # inches for each family of tickets
_PALETTE = "cividis"
_CELL = 0.24  # inches, the least side of a cell that a number is written in
_LONGEST = 12  # characters of a partition's name along an axis
_PANEL = 2.4  # inches, the height of a matrix with its names


@pinned
def calibration_and_robustness(ticket_scores: pd.DataFrame, round_: int, confidence: float) -> Figure:
    """Calibration error, negative log-likelihood, and accuracy lost under each corruption, at one round.

    A line for each family of tickets, averaged over partitions, with t intervals over seeds; the first ones, if they
    would not all fit on a page.
    """
    at_round = ticket_scores[(ticket_scores["round"] == round_) & (ticket_scores["classes"] == "all")]
    as_they_are = clean(at_round)
    panels = {
        "ECE (points)": as_they_are.assign(value=100 * as_they_are["ece"]),
        "NLL (nats)": as_they_are.assign(value=as_they_are["nll"]),
    }
    for corruption, rows in accuracy_drops(at_round).groupby("corruption", sort=False):
        panels[str(corruption)] = rows.assign(value=rows["drop_points"])
    families = list(dict.fromkeys(map(family_of, at_round["ticket"])))[: int((PAGE - 1) / _LINE)]
    figure = Figure(figsize=(TWO_COLUMNS, 1 + _LINE * len(families)))
    axes = figure.subplots(1, len(panels), sharey=True)
    for place, (ax, (title, rows)) in enumerate(zip(axes, panels.items(), strict=True)):
        if place > 2:  # what corruptions take is drawn to one scale
            ax.sharex(axes[2])
        _by_family(ax, rows, families, confidence)
        ax.set_title(title, loc="left")
    axes[0].set_yticks(range(len(families)), families)
    axes[0].set(ylabel="ticket (name)", ylim=(len(families) - 0.4, -0.6))
    figure.supxlabel(
        "calibration error, or test accuracy lost under a corruption (percentage points); or nats, where it says so",
        fontsize=8,
    )
    return figure


@pinned
def task_similarity(similarity: pd.DataFrame) -> Figure:
    """A matrix over partitions for each measure that there is, all in the same colours."""
    partitions = list(dict.fromkeys(similarity["partition_a"]))
    shown = [measure for measure in MEASURES if measure in set(similarity["measure"])]
    rows = math.ceil(len(shown) / 2)
    figure = Figure(figsize=(TWO_COLUMNS, 0.7 + _PANEL * rows))
    axes = figure.subplots(rows, 2, squeeze=False)
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    for ax, measure in zip(axes.flat, shown, strict=False):
        of_measure = similarity[similarity["measure"] == measure]
        values = of_measure.pivot(index="partition_a", columns="partition_b", values="value")
        image = _matrix(ax, values.reindex(index=partitions, columns=partitions).to_numpy(dtype=float), partitions)
        ax.set_title(measure, loc="left")
    figure.supxlabel("second partition (name): whose classes, for transfer", fontsize=8)
    figure.supylabel("first partition (name): whose network, for transfer", fontsize=8)
    label = "Jaccard index, accuracy as a fraction, or CKA (dimensionless)"
    figure.colorbar(image, ax=axes, location="right", shrink=0.6, aspect=40, label=label)
    return figure


def _by_family(ax: Axes, rows: pd.DataFrame, families: Sequence[str], confidence: float) -> None:
    """Means over seeds of the column value, with t intervals, a line for each family of tickets."""
    by_seed = rows.assign(family=[family_of(ticket) for ticket in rows["ticket"]]).groupby(["family", "seed"])["value"]
    values = by_seed.mean()
    for place, family in enumerate(families):
        found = paired_interval(values.loc[family].to_numpy(), confidence)
        colour, marker, _ = ticket_look(family)
        if math.isfinite(found.low):
            ax.hlines(place, found.low, found.high, color=colour, lw=0.9)
        ax.plot(found.mean, place, color=colour, marker=marker, ls="")
        ax.axhline(place, color=RULE, lw=0.3, zorder=0)
    ax.axvline(0, color="black", lw=0.6, zorder=0)
    ax.margins(x=0.1)
    ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.tick_params(axis="y", length=0)


def _matrix(ax: Axes, values: NDArray[np.float64], names: Sequence[str]) -> AxesImage:
    """A heat map of values between 0 and 1, (m, m), written into the cells where they fit; what is missing is white."""
    image = ax.imshow(values, cmap=_PALETTE, vmin=0, vmax=1, interpolation="nearest")
    short = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}" for name in names]
    room = _PANEL - 0.5 - CHARACTER * max(map(len, short))
    upright = CHARACTER * (max(map(len, short)) + 1) > room / len(names)
    step = math.ceil(len(names) * LEAST / POINTS_PER_INCH / room)  # not every name, where they would not all fit
    ax.set_xticks(range(0, len(names), step), short[::step], rotation=90 if upright else 0)
    ax.set_yticks(range(0, len(names), step), short[::step])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if room / len(names) >= _CELL:
        for row, column in np.argwhere(np.isfinite(values)):
            _write(ax, row, column, float(values[row, column]))
    return image


def _write(ax: Axes, row: int, column: int, value: float) -> None:
    """A value in its cell, to two digits without the zero before the point, in ink that can be read on its colour."""
    red, green, blue, _ = colormaps[_PALETTE](value)
    ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.45 else "white"
    ax.text(column, row, f"{value:.2f}".replace("0.", "."), color=ink, ha="center", va="center", fontsize=LEAST)
