"""Why a claim has its verdict, in plain words, and the claim table as text for a terminal.

What would change a verdict is said by `outlook`.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from dilt.answers.flags import CEILING, COLLAPSE
from dilt.settings.answers import Claims

FLAGS = (CEILING, COLLAPSE)
LONG = 44  # characters of a comparison that has its numbers beside it
OWN_MASK = (
    "With two partitions, core and specialist together are the partition's own mask: joining them assembles nothing "
    "that was not there."
)
Row = Mapping[Any, Any]


def reason(comparisons: Sequence[Row], settings: Claims, seeds: int) -> str:
    """Why a claim has its verdict, with the numbers of the comparison that decides it or comes nearest to that.

    Args:
        comparisons: rows of `claim_table.claim_table`, the primary ones of one claim.
        seeds: that there are; where looks are declared, the comparisons may rest on fewer.
    """
    total, used = len(comparisons), comparisons[0]["seeds"]
    if used == 1:
        differences = [row["difference_points"] for row in comparisons]
        return (
            f"A verdict needs two or more seeds, since one tells nothing of the spread between seeds. The differences "
            f"of {_many(total)} are {_points(min(differences))} to {_points(max(differences))} points."
        )
    against = [row for row in comparisons if row["verdict"] == "not supported"]
    flagged = [row for row in comparisons if flag(row)]
    unsure = [row for row in comparisons if row["verdict"] == "inconclusive" and not flag(row)]
    sentences = [_look(comparisons[0], settings, seeds)]
    if against:
        row = min(against, key=lambda row: row["p_no_better_holm"])
        sentences += [
            f"Over {used} seeds {_speak(len(against), total)} against it.",
            f"The surest is {_described(row, settings)}.",
            f"The smallest difference worth having, {settings.margin:g}, is above that "
            f"({_p_value(row['p_no_better_holm'])} after Holm's correction{_share(row)}).",
        ]
    elif unsure or flagged:
        least_sure = max(unsure, key=lambda row: row["p_larger"], default=None)
        speaking = total - len(unsure) - len(flagged)
        sentences.append(f"Over {used} seeds {_speak(speaking, total)} for it and none against it.")
        if least_sure:
            sentences.append(f"The least sure is {_described(least_sure, settings)}.")
    else:
        row = max(comparisons, key=lambda row: row["p_larger"])
        sentences += [
            f"Over {used} seeds {_speak(total, total)} for it.",
            f"The least sure is {_described(row, settings)} ({_p_value(row['p_larger'])}).",
        ]
    sentences += [_undecided(name, [row for row in flagged if flag(row) == name], settings) for name in FLAGS]
    return " ".join(filter(None, sentences))


def flag(row: Row) -> str:
    """What keeps a comparison from deciding, in a word, or the empty text."""
    return row["flag"] if isinstance(row["flag"], str) else ""


def widest(row: Row) -> tuple[float, float, str]:
    """The ends of the interval that belongs to a comparison's p values, and what it is over."""
    images = math.isfinite(row["bootstrap_low_points"])
    low, high = (row[f"{'bootstrap_' * images}{end}_points"] for end in ("low", "high"))
    return low, high, "seeds and test images" if images else "seeds"


def as_text(comparisons: Sequence[Row], verdicts: Sequence[Row], brief: bool = False) -> str:
    """The verdicts for a terminal, with the primary comparisons that they rest on unless it is to be brief."""
    lines = []
    for verdict in verdicts:
        rows = [row for row in comparisons if row["claim"] == verdict["claim"] and row["primary"]]
        names = [f"{row['ticket']} - {row['control']} ({row['measure']})" for row in rows]
        width = min(LONG, max(map(len, names)))
        lines += ["", f"{verdict['claim']} {verdict['verdict'].upper()}: {verdict['statement']}"]
        lines += textwrap.wrap(verdict["words"], 118, break_on_hyphens=False)
        lines += textwrap.wrap(f"What would change it: {verdict['change']}", 118, break_on_hyphens=False)
        if brief:
            continue
        lines.append(
            f"  {'points':>{width + 7}}  {'over seeds':^14}  {'and test images':^15}  p above 0  p below margin  "
            f"seeds needed  verdict"
        )
        for name, row in zip(names, rows, strict=True):
            needed = row["seeds_needed"] if row["verdict"] == "inconclusive" and not flag(row) else math.nan
            if len(name) > width:  # on a line of its own
                lines.append(f"  {name}")
                name = ""
            lines.append(
                f"  {name:<{width}} {_points(row['difference_points']):>6}  {_interval(row, ''):^14}  "
                f"{_interval(row, 'bootstrap_'):^15}  {_or_dash(row['p_larger'], '.3f'):>9}  "
                f"{_or_dash(row['p_no_better_holm'], '.3f'):>14}  {_or_dash(needed, '.0f'):>12}  "
                f"{', '.join(filter(None, (row['verdict'], flag(row))))}"
            )
    return "\n".join(lines[1:])


def _described(row: Row, settings: Claims) -> str:
    """A comparison with its difference and its widest interval."""
    low, high, over = widest(row)
    return (
        f"{row['ticket']} against {row['control']} ({row['measure']}): {_points(row['difference_points'])} points, "
        f"{100 * settings.confidence:g} % interval over {over} {_points(low)} to {_points(high)}"
    )


def _look(row: Row, settings: Claims, seeds: int) -> str:
    """At which of the looks a claim was judged, where looks are declared."""
    if not settings.looks:
        return ""
    used, level = row["seeds"], row["level"]
    if used < settings.looks[0]:
        return f"The first look is at {settings.looks[0]} seeds, and there are {used}: nothing is decided before it."
    later = f", which {seeds - used} later seeds do not change" if seeds > used else ""
    return f"Judged at the look at {used} seeds, at level {level:.3g}{later}."


def _share(row: Row) -> str:
    return ", with half of the level on this control" if row["decisive"] else ""


def _undecided(name: str, rows: Sequence[Row], settings: Claims) -> str:
    """Which comparisons decide nothing for a reason."""
    if not rows:
        return ""
    controls = ", ".join(dict.fromkeys(f"{row['control']} ({row['measure']})" for row in rows))
    decide = "decides" if len(rows) == 1 else "decide"
    many = f"{len(rows)} comparison{'s' * (len(rows) > 1)} {decide} nothing, against {controls}"
    if name == CEILING:
        least = min(row["headroom_points"] for row in rows)
        return (
            f"{many}: the control leaves {least:.2f} points of headroom, less than the margin of {settings.margin:g}."
        )
    seeds = max(row["collapsed_seeds"] for row in rows)
    return (
        f"{many}: in up to {seeds} seed{'s' * (seeds > 1)} a run collapsed (at chance, or not better than after its "
        "first epoch)."
    )


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
