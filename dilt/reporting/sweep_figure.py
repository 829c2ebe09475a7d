"""The figure of a sweep: a comparison's difference at each point, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dilt.answers.wording import widest
from dilt.reporting.style import BLUE, GREEN, ORANGE, PURPLE, SKY, TWO_COLUMNS, VERMILLION, pinned

if TYPE_CHECKING:
    import pandas as pd

LOOKS = tuple(
    zip((BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY), "osD^vp", ("-", "--", "-.", ":", "-", "--"), strict=True)
)
APART = 0.12  # of the distance between two values, between lines at one value


@pinned
def sweep_figure(table: pd.DataFrame, axes: Sequence[str]) -> Figure:
    """The comparison's difference along the first axis, a line for each value of the second, a panel for the third.

    Args:
        table: from `answers.sweep_tables.sweep_table`.
        axes: the names of its axes, at most three.
    """
    along, *others = axes
    lines = list(dict.fromkeys(table[others[0]])) if others else [""]
    panels = list(dict.fromkeys(table[others[1]])) if len(others) > 1 else [""]
    figure = Figure(figsize=(TWO_COLUMNS if len(panels) > 1 else TWO_COLUMNS * 0.7, 2.6))
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, panel in zip(row, panels, strict=True):
        of_panel = table[table[others[1]] == panel] if panel else table
        for place, line in enumerate(lines):
            rows = of_panel[of_panel[others[0]] == line] if line else of_panel
            _draw(ax, rows, along, place - (len(lines) - 1) / 2, line, LOOKS[place % len(LOOKS)])
        ax.axhline(0, color="black", lw=0.6, zorder=0)
        ticks = list(dict.fromkeys(of_panel[along]))
        ax.set_xticks(range(len(ticks)), ticks)
        ax.set(xlabel=along)
        ax.set_title(f"{others[1]}: {panel}" if panel else "", loc="left")
    row[0].set_ylabel("difference in test accuracy\n(percentage points)")
    if others:
        figure.legend(*row[0].get_legend_handles_labels(), loc="outside upper right", title=others[0], ncols=len(lines))
    return figure


def _draw(ax: Axes, rows: pd.DataFrame, along: str, shift: float, label: str, look: tuple[str, str, str]) -> None:
    """One line: differences with their widest intervals."""
    colour, marker, line = look
    order = {value: place for place, value in enumerate(dict.fromkeys(rows[along]))}
    records = rows.to_dict("records")
    ends = [widest(record)[:2] for record in records]
    middle = [record["difference_points"] for record in records]
    around = [[point - low for point, (low, _) in zip(middle, ends, strict=True)]]
    around.append([high - point for point, (_, high) in zip(middle, ends, strict=True)])
    at = [order[record[along]] + APART * shift for record in records]
    ax.errorbar(at, middle, yerr=around, color=colour, marker=marker, ls=line, label=label, capsize=2)
