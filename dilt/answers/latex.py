"""The claims as a LaTeX table (package booktabs) that fits both columns of a paper."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from dilt.answers.wording import flag
from dilt.settings.answers import Claims

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Any, Any]


def claims_latex(claims: pd.DataFrame, verdicts: pd.DataFrame, settings: Claims) -> str:
    """The primary comparisons as a table* with caption and label ``tab:claims``.

    Args:
        claims: from `claim_table.claim_table`.
        verdicts: from `claim_table.verdict_table`.
    """
    import pandas as pd

    primary = claims[claims["primary"]]
    shown = pd.DataFrame([_cells(row) for row in primary.to_dict("records")])
    shown["claim"] = primary["claim"].mask(primary["claim"].duplicated(), "").to_list()
    words: list[Hashable] = ["claim", "ticket", "control", "measure", "verdict"]
    numbers = [column for column in shown if column not in words]
    headings = {column: rf"\multicolumn{{1}}{{c}}{{{column}}}" for column in numbers}
    styler = shown.rename(columns=headings).style.hide(axis="index").format(escape="latex", subset=words)
    table: str = styler.to_latex(
        hrules=True,
        column_format="llll" + "r" * len(numbers) + "l",
        environment="table*",
        position="t",
        position_float="centering",
        caption=_caption(verdicts, settings),
        label="tab:claims",
    )
    return table


def _cells(row: Row) -> dict[str, str]:
    """A comparison's cells by column heading; numbers of a column have the same decimals, so that they align."""
    return {
        "claim": row["claim"],
        "ticket": row["ticket"],
        "control": row["control"],
        "measure": row["measure"],
        r"$\Delta$": _number(row["difference_points"], "+z.1f"),
        "seeds": _interval(row["low_points"], row["high_points"]),
        "seeds and images": _interval(row["bootstrap_low_points"], row["bootstrap_high_points"]),
        "$d$": _number(row["effect"], "+z.1f"),
        r"$p_{>0}$": _p_value(row["p_larger"]),
        "$p_{<m}$": _p_value(row["p_no_better_holm"]),
        "verdict": ", ".join(filter(None, (row["verdict"], flag(row)))),
    }


def _caption(verdicts: pd.DataFrame, settings: Claims) -> str:
    found = "; ".join(
        f"{claim}: {verdict}" for claim, verdict in verdicts[["claim", "verdict"]].itertuples(index=False)
    )
    level = f"{100 * settings.confidence:g}"
    return (
        rf"Differences $\Delta$ of test accuracy of tickets and their controls (percentage points, paired by seed); "
        rf"{level}\,\% intervals over seeds, and over seeds and test images; effect $d$ ($\Delta$ over the standard "
        rf"deviation); $p$ values against no gain ($p_{{>0}}$, uncorrected) and against a gain of "
        rf"$m = {settings.margin:g}$ or more ($p_{{<m}}$, after Holm's correction over the comparisons of a claim, "
        rf"half of the level on its decisive control). {found}."
    )


def _p_value(value: float) -> str:
    return "$<0.001$" if value < 0.001 else _number(value, ".3f")


def _number(value: float, form: str) -> str:
    return "--" if math.isnan(value) else f"${value:{form}}$"


def _interval(low: float, high: float) -> str:
    return "--" if math.isnan(low) else f"$[{low:+z.1f},\\,{high:+z.1f}]$"
