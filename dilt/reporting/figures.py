"""Figures of overlap, stability and claims: tables in, `matplotlib.figure.Figure` out, nothing global touched.

The tables are made by `tickets.overlap`, `answers.claim_table` and the stages; `report` puts figures on a page. Figures
of layers' geometry belong to `geometry_figures`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from dilt.assemblies.names import LINEAR
from dilt.reporting.style import (
    BLUE,
    ONE_COLUMN,
    PAGE,
    RULE,
    TWO_COLUMNS,
    VERMILLION,
    pinned,
)
from dilt.tickets.overlap import WHOLE

_LINE = 0.155  # inches of a forest for each of its lines
# Kind of overlap, column, and how it is drawn: observed filled, chance open.
_OVERLAPS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "siblings": ("siblings", "jaccard", {"color": VERMILLION, "marker": "s", "ls": "--"}),
    "partitions": ("partitions", "jaccard", {"color": BLUE, "marker": "o", "ls": "-"}),
    "siblings, by chance": ("siblings", "jaccard_by_chance", {"color": VERMILLION, "marker": "s", "ls": ":"}),
    "partitions, by chance": ("partitions", "jaccard_by_chance", {"color": BLUE, "marker": "o", "ls": "-."}),
}


@pinned
def overlap_by_round(overlaps: pd.DataFrame) -> Figure:
    """Jaccard index of whole masks over rounds: partitions, siblings, chance; mean and range over seeds."""
    whole = overlaps[overlaps["layer"] == WHOLE]
    figure = Figure(figsize=(ONE_COLUMN, 2.5))
    ax = figure.subplots()
    for label, (kind, column, look) in _OVERLAPS.items():
        values = _over_seeds(whole[whole["kind"] == kind], "round", column)
        ax.fill_between(values.index, values["min"], values["max"], color=look["color"], alpha=0.2, lw=0)
        ax.plot(values.index, values["mean"], label=label, mfc=_face(look, column), clip_on=False, **look)
    ax.set(xlabel="pruning round (number)", ylabel="Jaccard index (dimensionless)", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper center", ncols=2, handlelength=3)
    return figure


@pinned
def overlap_by_layer(overlaps: pd.DataFrame, round_: int) -> Figure:
    """Jaccard index of each layer at one round: partitions, siblings, chance; mean and range over seeds."""
    chosen = overlaps[(overlaps["round"] == round_) & (overlaps["layer"] != WHOLE)]
    layers = list(chosen["layer"].unique())
    figure = Figure(figsize=(ONE_COLUMN, 0.9 + min(0.32 * len(layers), 8)))
    ax = figure.subplots()
    for place, (label, (kind, column, look)) in enumerate(_OVERLAPS.items()):
        values = _over_seeds(chosen[chosen["kind"] == kind], "layer", column).loc[layers]
        height = np.arange(len(layers)) + 0.17 * (place - (len(_OVERLAPS) - 1) / 2)
        ax.hlines(height, values["min"], values["max"], color=look["color"], lw=0.8)
        marks = {name: value for name, value in look.items() if name != "ls"}
        ax.plot(values["mean"], height, ls="", label=label, mfc=_face(look, column), clip_on=False, **marks)
    for boundary in range(1, len(layers)):
        ax.axhline(boundary - 0.5, color=RULE, lw=0.4)
    ax.set_yticks(range(len(layers)), [layer.removesuffix(".weight") for layer in layers])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=f"Jaccard index at round {round_} (dimensionless)", xlim=(0, None))
    ax.set(ylabel="layer (name)", ylim=(len(layers) - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=2, handletextpad=0.2)
    return figure


@pinned
def instability(barriers: pd.DataFrame) -> Figure:
    """Error barriers of siblings and partitions over rounds and, if several were tried, over rewinding epochs.

    Args:
        barriers: from `answers.instability`; the first row is of the trajectories' own rewinding epoch.
    """
    rewind_epoch = barriers["rewind_epoch"].iloc[0]
    views = {"round": ("pruning round (number)", barriers[barriers["rewind_epoch"] == rewind_epoch])}
    if barriers["rewind_epoch"].nunique() > 1:
        views["rewind_epoch"] = ("rewinding epoch (number)", barriers[barriers["round"] == 1])
    figure = Figure(figsize=(TWO_COLUMNS if len(views) > 1 else ONE_COLUMN, 2.5))
    axes = figure.subplots(1, len(views), sharey=True, squeeze=False)[0]
    for ax, (column, (label, rows)) in zip(axes, views.items(), strict=True):
        for kind, look in (("siblings", _OVERLAPS["siblings"][2]), ("partitions", _OVERLAPS["partitions"][2])):
            line = rows[rows["kind"] == kind].sort_values(column)
            points = line["error_barrier_points"].to_numpy()
            bounds = line[["low_points", "high_points"]].to_numpy().T
            reach = np.abs(np.where(np.isfinite(bounds), bounds, points) - points)
            ax.errorbar(line[column], points, yerr=reach, elinewidth=0.7, label=kind, **look)
        ax.axhline(barriers["stable_below_points"].iloc[0], color="black", lw=0.6, ls=":", zorder=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set(xlabel=label)
    axes[0].set(ylabel="error barrier (percentage points)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, handlelength=3)
    return figure


@pinned
def transfer_forest(claims: pd.DataFrame) -> Figure:
    """Differences of the claims about one ticket with their intervals, grouped by control; primary filled, others open.

    A claim whose comparisons are of many tickets, as C2's are, is shown only if no other is asked.
    If all comparisons would not fit on a page, it shows the primary ones alone.
    """
    of_one = [str(claim) for claim, rows in claims.groupby("claim") if rows["ticket"].nunique() == 1]
    asked = of_one or [str(claims["claim"].iloc[0])]
    shown = [claims[claims["claim"] == claim] for claim in asked]
    if max(map(_lines, shown)) * _LINE > PAGE - 1:
        shown = [rows[rows["primary"]] for rows in shown]
    height = max(map(_lines, shown))
    figure = Figure(figsize=(TWO_COLUMNS, 1.0 + _LINE * height))
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    for ax, claim, rows in zip(axes, asked, shown, strict=True):
        _forest(ax, rows)
        ax.set_ylim(height - 0.4, -0.7)
        ax.set_title(f"{claim}: {rows['ticket'].iloc[0]} \N{MINUS SIGN} control", loc="left")
    figure.supxlabel(
        "difference in test accuracy (percentage points; right of zero: the ticket does better)", fontsize=8
    )
    figure.supylabel("control (in bold) and measure (name)", fontsize=8)
    kinds = ["primary", "secondary"] if not all(rows["primary"].all() for rows in shown) else ["primary"]
    handles = [Line2D([], [], label=kind, **_mark(kind == "primary"), ls="-") for kind in kinds]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


@pinned
def specialisation(worth: pd.DataFrame) -> Figure:
    """What specialists are worth by a linear head, with intervals: own partition's classes filled, others' open."""
    rows = worth[worth["readout"] == LINEAR]
    lines = list(rows.groupby(["change", "control"], sort=False))
    figure = Figure(figsize=(ONE_COLUMN, 1.0 + 3 * _LINE * len(lines)))
    ax = figure.subplots()
    for place, (_, line) in enumerate(lines):
        ordered = line.sort_values("own", ascending=False, kind="stable")
        for row, shift in zip(ordered.to_dict("records"), np.linspace(-0.3, 0.3, len(line)), strict=True):
            if math.isfinite(row["low_points"]):
                ax.hlines(place + shift, row["low_points"], row["high_points"], color="black", lw=0.7)
            ax.plot(row["points"], place + shift, ls="", **_mark(bool(row["own"])))
        ax.axhline(place + 0.5, color=RULE, lw=0.4)
    ax.axvline(0, color="black", lw=0.6, zorder=0)
    ax.set_yticks(range(len(lines)), [f"{change},\nagainst {control}" for (change, control), _ in lines])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="change of test accuracy\n(percentage points)", ylabel="what is done to the specialist (name)")
    ax.set_ylim(len(lines) - 0.5, -0.5)
    kinds = {"own classes": True, "other partition's classes": False}
    handles = [Line2D([], [], label=label, **_mark(own), ls="-") for label, own in kinds.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _lines(rows: pd.DataFrame) -> int:
    """Lines of a forest: one per comparison, and a heading per control."""
    return len(rows) + int(rows["control"].nunique())


def _over_seeds(rows: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """Mean, min and max over seeds of each seed's mean."""
    return rows.groupby([by, "seed"])[column].mean().groupby(level=by).agg(["mean", "min", "max"])


def _face(look: dict[str, Any], column: str) -> str:
    return "white" if column.endswith("chance") else str(look["color"])


def _forest(ax: Axes, rows: pd.DataFrame) -> None:
    """Rows from top to bottom, each control under a heading."""
    labels: list[str] = []
    headings = []
    for control, group in rows.groupby("control", sort=False):
        headings.append(len(labels))
        labels.append(str(control))
        for row in group.to_dict("records"):
            bounds = (row["low_points"], row["high_points"])
            if math.isfinite(bounds[0]):
                ax.hlines(len(labels), *bounds, color="black", lw=1.1 if row["primary"] else 0.6)
            ax.plot(row["difference_points"], len(labels), ls="", **_mark(bool(row["primary"])))
            measure = str(row["measure"])
            labels.append("transfer, mean" if measure == "transfer" else measure.removeprefix("transfer to "))
    ax.axvline(0, color="black", lw=0.6, zorder=0)
    ax.set_yticks(range(len(labels)), labels)
    for place in headings:
        ax.get_yticklabels()[place].set_fontweight("bold")
        ax.axhline(place - 0.55, color=RULE, lw=0.4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _mark(primary: bool) -> dict[str, Any]:
    return {"color": "black", "marker": "o", "mfc": "black" if primary else "white", "ms": 4.5 if primary else 3.5}
