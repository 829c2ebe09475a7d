"""Why a claim has its verdict, in plain words, and the claim table as text for a terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from dilt.settings.answers import Claims

Row = Mapping[Any, Any]


def reason(comparisons: Sequence[Row], settings: Claims) -> str:
    """Why a claim has its verdict, with the numbers of the comparison that decides it or comes nearest to that.

    Args:
        comparisons: rows of `claim_table.claim_table`, the primary ones of one claim.
    """
    total, seeds = len(comparisons), comparisons[0]["seeds"]
    if seeds == 1:
        differences = [row["difference_points"] for row in comparisons]
        return (
            f"A verdict needs two or more seeds, since one tells nothing of the spread between seeds. The differences "
            f"of {_many(total)} are {_points(min(differences))} to {_points(max(differences))} points."
        )
    against, unsure = ([row for row in comparisons if row["verdict"] == v] for v in ("not supported", "inconclusive"))
    if against:
        row = min(against, key=lambda row: row["p_no_better_holm"])
        return (
            f"Over {seeds} seeds {_speak(len(against), total)} against it. The surest is {_described(row, settings)}. "
            f"The smallest difference worth having, {settings.margin:g}, is above that "
            f"({_p_value(row['p_no_better_holm'])} after Holm's correction)."
        )
    if unsure:
        row = max(unsure, key=lambda row: row["p_larger_holm"])
        return (
            f"Over {seeds} seeds {_speak(total - len(unsure), total)} for it and none against it. The least sure is "
            f"{_described(row, settings)}. {_outlook(row)}"
        )
    row = max(comparisons, key=lambda row: row["p_larger_holm"])
    return (
        f"Over {seeds} seeds {_speak(total, total)} for it. The least sure is {_described(row, settings)} "
        f"({_p_value(row['p_larger_holm'])} after Holm's correction)."
    )


def as_text(comparisons: Sequence[Row], verdicts: Sequence[Row]) -> str:
    """The verdicts with the primary comparisons that they rest on, for a terminal."""
    lines = []
    for verdict in verdicts:
        rows = [row for row in comparisons if row["claim"] == verdict["claim"] and row["primary"]]
        names = [f"{row['ticket']} - {row['control']} ({row['measure']})" for row in rows]
        width = max(map(len, names))
        lines += ["", f"{verdict['claim']} {verdict['verdict'].upper()}: {verdict['statement']}"]
        lines += textwrap.wrap(verdict["words"], 118, break_on_hyphens=False)
        lines.append(
            f"  {'points':>{width + 7}}  {'over seeds':^14}  {'and test images':^15}  p above 0  p below margin  "
            f"seeds needed  verdict"
        )
        for name, row in zip(names, rows, strict=True):
            needed = row["seeds_needed"] if row["verdict"] == "inconclusive" else math.nan
            lines.append(
                f"  {name:<{width}} {_points(row['difference_points']):>6}  {_interval(row, ''):^14}  "
                f"{_interval(row, 'bootstrap_'):^15}  {_or_dash(row['p_larger_holm'], '.3f'):>9}  "
                f"{_or_dash(row['p_no_better_holm'], '.3f'):>14}  {_or_dash(needed, '.0f'):>12}  {row['verdict']}"
            )
    return "\n".join(lines[1:])


def _described(row: Row, settings: Claims) -> str:
    """A comparison with its difference and its widest interval."""
    images = math.isfinite(row["bootstrap_low_points"])
    low, high = (row[f"{'bootstrap_' * images}{end}_points"] for end in ("low", "high"))
    over = "seeds and test images" if images else "seeds"
    return (
        f"{row['ticket']} against {row['control']} ({row['measure']}): {_points(row['difference_points'])} points, "
        f"{100 * settings.confidence:g} % interval over {over} {_points(low)} to {_points(high)}"
    )


def _outlook(row: Row) -> str:
    """How many seeds a verdict on the comparison would take."""
    needed = row["seeds_needed"]
    if math.isnan(needed):
        return "If difference and spread are as seen, no number of seeds would give it a verdict."
    return f"If difference and spread are as seen, {needed:.0f} seeds would give it a verdict four times in five."


def _speak(number: int, total: int) -> str:
    counted = "all" if number == total > 1 else f"{number or 'none'} of"
    return f"{counted} {_many(total)} {'speaks' if 1 in (number, total) else 'speak'}"


def _many(total: int) -> str:
    return f"{total} primary comparison{'s' * (total > 1)}"


def _points(value: float) -> str:
    return f"{value:+z.1f}"


def _p_value(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _interval(row: Row, kind: str) -> str:
    """The interval of a comparison, or why there is none."""
    low, high = row[f"{kind}low_points"], row[f"{kind}high_points"]
    if math.isfinite(low):
        return f"{_points(low)} to {_points(high)}"
    return "one seed" if row["seeds"] == 1 else "-"


def _or_dash(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
