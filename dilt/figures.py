"""Figures for the report and for papers: tables in, `matplotlib.figure.Figure` out, nothing global touched.

Drawn to be read in black and white and in either column width. The tables are made by `overlap`, `claims` and the
stages; their page is `report`'s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from dilt.distances import DistanceMatrix
from dilt.overlap import WHOLE
from dilt.statistics import paired_interval
from dilt.storage import replacing

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
POINTS_PER_INCH = 72

_LOOK: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "svg.hashsalt": "dilt",
}
_pinned = style.context(["default", _LOOK])  # as a decorator: the user's settings neither matter nor change

# Okabe & Ito, https://jfly.uni-koeln.de/color/
_BLUE, _VERMILLION, _GREEN = "#0072B2", "#D55E00", "#009E73"
_ORANGE, _PURPLE, _SKY = "#E69F00", "#CC79A7", "#56B4E9"
_GREY, _RULE = "#666666", "#BBBBBB"

# Colour, marker and line of a ticket; x@y looks like x.
_TICKET_LOOKS: dict[str, tuple[str, str, Any]] = {
    "core": (_BLUE, "o", "-"),
    "union": (_GREEN, "D", "-"),
    "specialist": (_PURPLE, "p", "-"),
    "core+specialist": (_SKY, "P", (0, (6, 1, 1, 1, 1, 1))),
    "null-specialist": (_ORANGE, "<", "--"),
    "lth": (_VERMILLION, "s", "--"),
    "colt": (_ORANGE, "v", "-."),
    "initial-magnitude": (_PURPLE, "X", (0, (4, 1, 1, 1))),
    "random": (_GREY, "^", ":"),
}
_PANELS = {
    "tickets and baselines": ("union", "core", "lth", "colt", "random"),
    "at the core's density": ("core", "lth@core", "initial-magnitude@core", "random@core"),
    "at the union's density": ("union", "lth@union", "colt@union", "random@union"),
    "parts (mean over partitions)": ("core+specialist", "specialist", "null-specialist", "random@specialist"),
}

# Kind of overlap, column, and how it is drawn: observed filled, chance open.
_OVERLAPS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "siblings": ("siblings", "jaccard", {"color": _VERMILLION, "marker": "s", "ls": "--"}),
    "partitions": ("partitions", "jaccard", {"color": _BLUE, "marker": "o", "ls": "-"}),
    "siblings, by chance": ("siblings", "jaccard_by_chance", {"color": _VERMILLION, "marker": "s", "ls": ":"}),
    "partitions, by chance": ("partitions", "jaccard_by_chance", {"color": _BLUE, "marker": "o", "ls": "-."}),
}


@_pinned
def save(figure: Figure, stem: Path) -> None:
    """Write ``stem``.svg and ``stem``.png (300 dpi), the same bytes for the same figure."""
    for kind, metadata in (("svg", {"Date": None}), ("png", {})):
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as partial:
            figure.savefig(partial, format=kind, dpi=300, metadata=metadata)


@_pinned
def accuracy_over_density(densities: pd.DataFrame, ticket_scores: pd.DataFrame, confidence: float) -> Figure:
    """Test accuracy on all source classes over density, with t intervals over seeds; small multiples by question.

    Tickets of a partition are averaged over partitions. So that equal densities do not hide each other, points are
    drawn up to a marker's width or so beside their density.
    """
    scores = ticket_scores[ticket_scores["classes"] == "all"]
    whole = densities.loc[densities["layer"] == WHOLE, ["seed", "round", "ticket", "density"]]
    table = scores.merge(whole, on=["seed", "round", "ticket"])
    table = table.assign(family=[re.sub(r"specialist-.+", "specialist", ticket) for ticket in table["ticket"]])
    by_seed = 100 * table.groupby(["family", "round", "seed"])[["accuracy", "density"]].mean()
    by_family = {str(family): rows for family, rows in by_seed.groupby("family")}
    consensus = [family for family in by_family if family.startswith("consensus-")]

    percent = by_seed["density"].drop("dense", level="family")
    figure = Figure(figsize=(TWO_COLUMNS, 4.4))
    axes = figure.subplots(2, 2, sharex=True)
    axes[0, 0].set(xscale="log", xlim=(percent.min() / 1.35, percent.max() * 1.35))
    axes[0, 0].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0, 0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[0, 0].xaxis.set_minor_locator(NullLocator())
    for ax, (title, families) in zip(axes.flat, _PANELS.items(), strict=True):
        shown = [family for family in families if family in by_family]
        if title == "tickets and baselines":
            shown += consensus
        ax.set_title(title, loc="left")
        ax.axhline(by_family["dense"]["accuracy"].mean(), color="black", lw=0.8, label="dense")
        for place, family in enumerate(shown):
            _accuracy_line(ax, by_family[family], family, confidence, points=2.5 * (place - (len(shown) - 1) / 2))
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, -1), min(high, 101))
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=3.2)
    figure.supxlabel("density (% of prunable weights)", fontsize=8)
    figure.supylabel("test accuracy, all source classes (%)", fontsize=8)
    return figure


@_pinned
def overlap_by_round(overlaps: pd.DataFrame) -> Figure:
    """Jaccard index of whole masks over rounds: partitions, siblings, chance; mean and range over seeds."""
    whole = overlaps[overlaps["layer"] == WHOLE]
    figure = Figure(figsize=(ONE_COLUMN, 2.5))
    ax = figure.subplots()
    for label, (kind, column, look) in _OVERLAPS.items():
        values = _over_seeds(whole[whole["kind"] == kind], "round", column)
        ax.fill_between(values.index, values["min"], values["max"], color=look["color"], alpha=0.2, lw=0)
        ax.plot(values.index, values["mean"], label=label, mfc=_face(look, column), clip_on=False, **look)
    ax.set(xlabel="pruning round", ylabel="Jaccard index (shared / joined)", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper center", ncols=2, handlelength=3)
    return figure


@_pinned
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
        ax.axhline(boundary - 0.5, color=_RULE, lw=0.4)
    ax.set_yticks(range(len(layers)), [layer.removesuffix(".weight") for layer in layers])
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=f"Jaccard index (shared / joined), round {round_}", xlim=(0, None))
    ax.set(ylabel="layer, input to output", ylim=(len(layers) - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=2, handletextpad=0.2)
    return figure


@_pinned
def gw_matrix(matrix: DistanceMatrix, modules: pd.DataFrame) -> Figure:
    """Heat map of distances, nodes by depth and then by ticket, with each node's module along both axes.

    Args:
        modules: of the same seed and round as the matrix.
    """
    tickets = list(dict.fromkeys(ticket for ticket, _, _ in matrix.nodes))
    order = sorted(range(len(matrix.nodes)), key=lambda i: (matrix.nodes[i][1], tickets.index(matrix.nodes[i][0])))
    nodes = [matrix.nodes[i] for i in order]
    module_of = modules.set_index(["ticket", "depth", "layer"])["cluster"].to_dict()
    labels = np.array([module_of[node] for node in nodes], dtype=np.int64)
    blocks = _runs([layer for _, _, layer in nodes])

    side = 5.5  # inches, about what the labels leave
    pitch = side * POINTS_PER_INCH / len(nodes)
    figure = Figure(figsize=(TWO_COLUMNS, 6.9))
    ax = figure.subplots()
    image = ax.imshow(matrix.values[np.ix_(order, order)], cmap="cividis", interpolation="nearest")
    for start, _, _ in blocks[1:]:
        ax.axhline(start - 0.5, color="white", lw=0.8)
        ax.axvline(start - 0.5, color="white", lw=0.8)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    left, top = ax.inset_axes((-0.045, 0, 0.035, 1)), ax.inset_axes((0, 1.01, 1, 0.035))
    _module_strip(left, labels[:, None], pitch)
    _module_strip(top, labels[None, :], pitch)
    centres, names = [(start + end - 1) / 2 for start, end, _ in blocks], [name for _, _, name in blocks]
    crowded = max(map(len, names)) * 4.5 > len(nodes) / len(blocks) * pitch
    top.set_xticks(centres, names, rotation=90 if crowded else 0)
    top.xaxis.tick_top()
    if pitch >= 4.5:
        left.set_yticks(range(len(nodes)), [ticket for ticket, _, _ in nodes], fontsize=min(7, 0.95 * pitch))
        left.set_ylabel("ticket, by layer from input to output (strip: module)")
    else:
        left.set_yticks(centres, names)
        left.set_ylabel("layer, input to output; in each, the tickets (strip: module)")
    for strip in (left, top):
        strip.tick_params(length=0)
    figure.colorbar(
        image, ax=ax, location="bottom", shrink=0.6, aspect=40, label="Gromov-Wasserstein distance (scaled cost units)"
    )
    return figure


@_pinned
def module_map(modules: pd.DataFrame) -> Figure:
    """The module of every layer of every ticket, of one seed and round."""
    layers = list(modules.sort_values("depth", kind="stable")["layer"].unique())
    tickets = list(modules["ticket"].unique())
    grid = modules.pivot(index="ticket", columns="layer", values="cluster").loc[tickets, layers]
    labels = grid.to_numpy(dtype=float)
    width = ONE_COLUMN if len(layers) <= 8 else TWO_COLUMNS
    figure = Figure(figsize=(width, 1.0 + 0.17 * len(tickets)))
    ax = figure.subplots()
    crowded = max(map(len, layers)) * len(layers) > 20 * (width - 1.5)
    _draw_modules(ax, labels)
    for row, column in np.argwhere(np.isfinite(labels)):
        _write_module(ax, column, row, int(labels[row, column]), int(np.nanmax(labels)), 7)
    ax.set_xticks(range(len(layers)), layers, rotation=90 if crowded else 0)
    ax.set_yticks(range(len(tickets)), tickets)
    ax.tick_params(length=0)
    ax.set_title("module number", loc="left")
    ax.set(xlabel="layer, input to output", ylabel="ticket")
    return figure


@_pinned
def transfer_forest(claims: pd.DataFrame) -> Figure:
    """Differences of claims C1 and C3 with their intervals, grouped by control; primary filled, secondary open."""
    shown = [claims[claims["claim"] == claim] for claim in ("C1", "C3")]
    heights = [len(rows) + rows["control"].nunique() for rows in shown]
    figure = Figure(figsize=(TWO_COLUMNS, 1.0 + 0.155 * max(heights)))
    axes = figure.subplots(1, 2, sharex=True)
    for ax, claim, rows in zip(axes, ("C1", "C3"), shown, strict=True):
        _forest(ax, rows)
        ax.set_ylim(max(heights) - 0.4, -0.7)
        ax.set_title(f"{claim}: {rows['ticket'].iloc[0]} \N{MINUS SIGN} control", loc="left")
    figure.supxlabel(
        "difference in test accuracy (percentage points; right of zero: the ticket does better)", fontsize=8
    )
    handles = [Line2D([], [], label=label, **_mark(label == "primary"), ls="-") for label in ("primary", "secondary")]
    figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return figure


def _accuracy_line(ax: Axes, by_seed: pd.DataFrame, family: str, confidence: float, points: float) -> None:
    """One family's means and intervals (table by round and seed, in percent), shifted sideways by ``points``."""
    estimates = [paired_interval(rows["accuracy"].to_numpy(), confidence) for _, rows in by_seed.groupby("round")]
    density = by_seed.groupby("round")["density"].mean()
    means = np.array([estimate.mean for estimate in estimates])
    bounds = np.array([(estimate.low, estimate.high) for estimate in estimates]).T
    bounds = np.where(np.isfinite(bounds), bounds, means)
    colour, marker, line = _ticket_look(family)
    shift = ax.transData + ScaledTranslation(points / POINTS_PER_INCH, 0, ax.figure.dpi_scale_trans)
    ax.errorbar(
        density,
        means,
        yerr=np.abs(bounds - means),
        color=colour,
        marker=marker,
        ls=line,
        elinewidth=0.7,
        label=family,
        transform=shift,
    )
    for bound in bounds:
        ax.update_datalim(np.column_stack([density, bound]))
    ax.autoscale_view(scalex=False)


def _ticket_look(family: str) -> tuple[str, str, Any]:
    if family.startswith("consensus-"):
        return _SKY, ("h", "d", "*")[int(family.split("-")[1]) % 3], (0, (6, 1, 1, 1, 1, 1))
    return _TICKET_LOOKS[family.split("@")[0]]


def _over_seeds(rows: pd.DataFrame, by: str, column: str) -> pd.DataFrame:
    """Mean, min and max over seeds of each seed's mean."""
    return rows.groupby([by, "seed"])[column].mean().groupby(level=by).agg(["mean", "min", "max"])


def _face(look: dict[str, Any], column: str) -> str:
    return "white" if column.endswith("chance") else str(look["color"])


def _runs(values: Sequence[object]) -> list[tuple[int, int, str]]:
    """Start, end (exclusive) and value of each stretch of equal values."""
    found, start = [], 0
    for value, run in groupby(values):
        end = start + len(list(run))
        found.append((start, end, str(value)))
        start = end
    return found


def _module_strip(ax: Axes, labels: NDArray[np.int64], pitch: float) -> None:
    """Modules of shape (m, 1) or (1, m), ``pitch`` points each, bounded where they change, numbered where that fits."""
    _draw_modules(ax, labels)
    ax.set(xticks=[], yticks=[])
    upright = labels.shape[1] == 1
    for start, end, module in _runs(labels.ravel().tolist()):
        centre = (start + end - 1) / 2
        x, y = (0.0, centre) if upright else (centre, 0.0)
        if (fontsize := min(7, 0.95 * pitch * (end - start))) > 4:
            _write_module(ax, x, y, int(module), int(labels.max()), fontsize)
        (ax.axhline if upright else ax.axvline)(end - 0.5, color="white", lw=0.4)


def _draw_modules(ax: Axes, labels: NDArray[Any]) -> None:
    ax.imshow(labels, cmap="viridis", vmin=0, vmax=max(1, np.nanmax(labels)), aspect="auto", interpolation="nearest")
    ax.spines[:].set_visible(False)


def _write_module(ax: Axes, x: float, y: float, module: int, last: int, fontsize: float) -> None:
    red, green, blue, _ = colormaps["viridis"](module / max(1, last))
    ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.45 else "white"
    ax.text(x, y, str(module), color=ink, ha="center", va="center_baseline", fontsize=fontsize)


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
        ax.axhline(place - 0.55, color=_RULE, lw=0.4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _mark(primary: bool) -> dict[str, Any]:
    return {"color": "black", "marker": "o", "mfc": "black" if primary else "white", "ms": 4.5 if primary else 3.5}
