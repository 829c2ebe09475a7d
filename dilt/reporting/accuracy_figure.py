"""The figure of accuracy over density: small multiples by question, each with its tickets' intervals over seeds.

Tables in, `matplotlib.figure.Figure` out, nothing global touched.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from dilt.answers.scores import COLLAPSED, clean
from dilt.answers.statistics import paired_interval
from dilt.reporting.style import (
    CHARACTER,
    PAGE,
    POINTS_PER_INCH,
    RULE,
    TWO_COLUMNS,
    family_of,
    panels,
    pinned,
    ticket_look,
)
from dilt.tickets.overlap import CONNECTED, WHOLE

DENSITIES = ["density", "effective_density"]
_ENTRY = 0.5  # inches of a legend's entry besides its text


@pinned
def accuracy_over_density(
    densities: pd.DataFrame, ticket_scores: pd.DataFrame, confidence: float, margin: float
) -> Figure:
    """Test accuracy on all source classes over density, with t intervals over seeds; small multiples by question.

    Tickets of a partition are averaged over partitions. Points are drawn up to about a marker's width beside their
    density, so that points of equal density do not hide each other. Where less than `CONNECTED` of a point's weights is
    on a path from an input to an output, a thin line leads to an open mark at this effective density. A cross marks
    points with a collapsed run; where the margin exceeds the headroom the ground is grey.

    Args:
        margin: smallest difference worth having, in percentage points.
    """
    points = _points(densities, ticket_scores, confidence)
    shown = panels(points)
    rows = math.ceil(len(shown) / 2)
    figure = Figure(figsize=(TWO_COLUMNS, min(0.4 + 2.3 * rows, PAGE)))
    axes = figure.subplots(rows, 2, squeeze=False)
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    for ax, (title, families) in zip(axes.flat, shown.items(), strict=False):
        ax.set_title(title, loc="left")
        ax.set_xscale("log")
        ax.axhline(points["dense"]["accuracy"].mean(), color="black", lw=0.8, label="dense")
        ax.axhspan(100 - margin, 101, color=RULE, alpha=0.4, lw=0, zorder=0)
        for place, family in enumerate(families):
            _line(ax, points[family], family, shift=2.5 * (place - (len(families) - 1) / 2))
        _zoom(ax, points, families)
        longest = max(len(family) for family in families)
        columns = max(1, int(TWO_COLUMNS / 2 / (CHARACTER * longest + _ENTRY)))
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.22), ncols=columns, handlelength=2.6, columnspacing=1)
    figure.supxlabel("density (% of prunable weights); below it, in brackets, sparsity (%)", fontsize=8)
    figure.supylabel("test accuracy on all source classes (%)", fontsize=8)
    return figure


def _points(densities: pd.DataFrame, ticket_scores: pd.DataFrame, confidence: float) -> dict[str, pd.DataFrame]:
    """By family a row per round: densities, accuracy and its interval in percent; whether a run collapsed."""
    scores = clean(ticket_scores[ticket_scores["classes"] == "all"])
    whole = densities.loc[densities["layer"] == WHOLE, ["seed", "round", "ticket", *DENSITIES]]
    table = scores.merge(whole, on=["seed", "round", "ticket"])
    table = table.assign(family=[family_of(ticket) for ticket in table["ticket"]])
    collapsed = set(table.loc[table[COLLAPSED], ["family", "round"]].itertuples(index=False, name=None))
    by_seed = 100 * table.groupby(["family", "round", "seed"])[["accuracy", *DENSITIES]].mean()
    rows: dict[str, list[dict[str, float]]] = {}
    for (family, round_), found in by_seed.groupby(["family", "round"]):
        estimate = paired_interval(found["accuracy"].to_numpy(), confidence)
        bounds = [bound if math.isfinite(bound) else estimate.mean for bound in (estimate.low, estimate.high)]
        row = {"round": round_, **found[DENSITIES].mean(), "accuracy": estimate.mean}
        row |= {"low": bounds[0], "high": bounds[1], COLLAPSED: (family, round_) in collapsed}
        rows.setdefault(str(family), []).append(row)
    return {family: pd.DataFrame(found) for family, found in rows.items()}


def _line(ax: Axes, points: pd.DataFrame, family: str, shift: float) -> None:
    """One family's means and intervals, shifted sideways by some points (72 to an inch)."""
    colour, marker, line = ticket_look(family)
    beside = ax.transData + ScaledTranslation(shift / POINTS_PER_INCH, 0, ax.figure.dpi_scale_trans)
    reach = np.abs(points[["low", "high"]].to_numpy().T - points["accuracy"].to_numpy())
    look = {"color": colour, "marker": marker, "ls": line, "elinewidth": 0.7, "transform": beside}
    ax.errorbar(points["density"], points["accuracy"], yerr=reach, label=family, **look)
    for row in points.to_dict("records"):
        x, density, y = row["effective_density"], row["density"], row["accuracy"]
        if 0 < x < CONNECTED * density:
            ax.plot([x, density], [y, y], color=colour, lw=0.5, transform=beside, zorder=1)
            ax.plot(x, y, color=colour, marker=marker, mfc="white", ms=3, mew=0.6, transform=beside, zorder=1)
        if row[COLLAPSED]:
            ax.plot(density, y, color="black", marker="x", ms=6, mew=0.7, transform=beside, zorder=4)


def _zoom(ax: Axes, points: Mapping[str, pd.DataFrame], families: Sequence[str]) -> None:
    """Show the rounds in which all of a panel is compared: those of its other families than the first."""
    rounds = {round_ for family in families[1:] or families for round_ in points[family]["round"]}
    near = pd.concat(points[family][points[family]["round"].isin(rounds)] for family in families)
    dense = points["dense"]["accuracy"].mean()
    low, high = min(near["low"].min(), dense), max(near["high"].max(), dense)
    room = max(0.08 * (high - low), 0.2)
    ax.set_ylim(max(low - room, -1), min(high + room, 101))
    left = near["effective_density"].where(near["effective_density"] > 0, near["density"]).min()
    right = near["density"].max()
    ax.set_xlim(left / 1.6, right * 1.6)
    ax.xaxis.set_major_locator(_ticks(left / 1.6, right * 1.6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}\n({100 - value:g})"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _ticks(left: float, right: float) -> Locator:
    """Where densities are written: few enough that none meets the next, with the sparsity below it."""
    if right / left > 10:
        return LogLocator(subs=(1,) if right / left > 80 else (1, 3))
    return FixedLocator(MaxNLocator(3).tick_values(left, right))
