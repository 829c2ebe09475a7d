"""The figures of learning curves: a small panel for each kind of trajectory or ticket, its rounds by lightness.

Tables in, `matplotlib.figure.Figure` out, as in `figures`. The table is made by `answers.learning_curves`.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dilt.reporting.style import CHARACTER, GREY, PAGE, TWO_COLUMNS, pinned

_PALETTE = "viridis"
_DARKEST, _LIGHTEST = 0.0, 0.85  # of the palette: what is lighter cannot be seen on white
_MOST_COLUMNS = 6
_PANEL, _LEGEND = 1.35, 0.75  # inches: the height of a panel with its title, and of what stands below all


@pinned
def learning_curves(curves: pd.DataFrame, of: str) -> Figure:
    """Median validation accuracy over epochs, by kind, with the range over seeds; the dotted line is chance.

    Args:
        curves: from `answers.learning_curves`.
        of: trajectory or ticket, whichever is to be drawn.
    """
    shown = curves[curves["of"] == of]
    kinds = list(dict.fromkeys(shown["kind"]))
    columns = _columns(len(kinds))
    rows = math.ceil(len(kinds) / columns)
    figure = Figure(figsize=(TWO_COLUMNS, min(_LEGEND + _PANEL * rows, PAGE)))
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    rounds = sorted(set(shown["round"]))
    colours = ListedColormap(colormaps[_PALETTE](np.linspace(_DARKEST, _LIGHTEST, len(rounds))))
    for ax, kind in zip(axes.flat, kinds, strict=False):
        rows_of_kind = shown[shown["kind"] == kind]
        ax.set_title(_in_lines(kind, TWO_COLUMNS / columns - 0.15), loc="left", fontsize=7)
        ax.axhline(100 * rows_of_kind["chance"].max(), color=GREY, lw=0.8, ls=":")
        for round_, curve in rows_of_kind.groupby("round"):
            _curve(ax, curve, colours(rounds.index(round_)))
    for ax in axes.flat[len(kinds) :]:
        ax.set_visible(False)
    for place in range(len(kinds) - columns, len(kinds)):  # the lowest of each column
        if place >= 0:
            axes.flat[place].tick_params(labelbottom=True)
    axes[0, 0].set_ylim(0, 101)
    axes[0, 0].set_xlim(shown["epoch"].min() - 0.5, shown["epoch"].max() + 0.5)
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(3, integer=True))
    figure.supxlabel("epoch (number)", fontsize=8)
    figure.supylabel("validation accuracy (%)", fontsize=8)
    _scale(figure, axes, colours, rounds)
    return figure


def _columns(panels: int) -> int:
    """One row if that is possible; else the widest panels of which all fit on a page."""
    if panels <= _MOST_COLUMNS:
        return max(panels, 3)
    fits = math.ceil(panels / (_MOST_COLUMNS - 1)) * _PANEL <= PAGE - _LEGEND
    return _MOST_COLUMNS - 1 if fits else _MOST_COLUMNS


def _curve(ax: Axes, curve: pd.DataFrame, colour: tuple[float, float, float, float]) -> None:
    """The median of a kind in a round, and the range of its networks."""
    epochs = curve["epoch"].to_numpy()
    low, median, high = (100 * curve[column].to_numpy() for column in ("lowest", "median", "highest"))
    if len(epochs) == 1:  # a line of one point is not seen
        ax.errorbar(epochs, median, yerr=[median - low, high - median], color=colour, marker=".", elinewidth=0.7)
        return
    ax.fill_between(epochs, low, high, color=colour, alpha=0.15, lw=0)
    ax.plot(epochs, median, color=colour, lw=1)


def _scale(figure: Figure, axes: np.ndarray, colours: ListedColormap, rounds: list[int]) -> None:
    """Which lightness is which round."""
    norm = BoundaryNorm(np.arange(len(rounds) + 1) - 0.5, len(rounds))
    bar = figure.colorbar(
        ScalarMappable(norm, colours),
        ax=axes,
        location="top",
        shrink=0.4,
        aspect=30,
        pad=0.12 / len(axes),
        anchor=(1, 0),
    )
    bar.set_ticks(range(len(rounds)), labels=list(map(str, rounds)))
    bar.ax.tick_params(length=0)
    bar.set_label("round (number)", fontsize=7)


def _in_lines(kind: str, width: float) -> str:
    """A kind's name in lines of a width in inches: broken before its @, then before its +."""
    most = int(width / CHARACTER)
    if len(kind) <= most:
        return kind
    lines: list[str] = []
    for half in kind.replace("@", "\n@").split("\n"):
        lines.append("")
        for part in half.replace("+", "\n+").split("\n"):
            if lines[-1] and len(lines[-1] + part) > most:
                lines.append(part)
            else:
                lines[-1] += part
    return "\n".join(lines)
