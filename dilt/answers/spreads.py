"""How much the differences of a claim's comparisons vary over seeds, as an earlier experiment's claim table tells."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dilt.answers.comparisons import Comparison

if TYPE_CHECKING:
    import pandas as pd

KEY = ("claim", "comparison", "ticket", "control", "measure")


def seen(claims: pd.DataFrame, compared: Sequence[Comparison]) -> list[float]:
    """Standard deviation over seeds of each comparison's differences, in points.

    Comparisons that the table lacks have the median of those that it has.

    Args:
        claims: a ``claims.csv``, as `claim_table.read_claims` gives it.

    Returns:
        One for each comparison; an empty list where the table tells none of them.
    """
    found = {tuple(row[name] for name in KEY): spread(row) for row in claims.to_dict("records")}
    told = [found.get(tuple(getattr(comparison, name) for name in KEY), math.nan) for comparison in compared]
    known = [each for each in told if math.isfinite(each)]
    if not known:
        return []
    typical = statistics.median(known)
    return [each if math.isfinite(each) else typical for each in told]


def spread(row: dict[Any, Any]) -> float:
    """The standard deviation behind a row of a claim table, NaN for one seed: difference over effect (Cohen's d)."""
    difference, effect = float(row["difference_points"]), float(row["effect"])
    if int(row["seeds"]) > 1 and math.isnan(effect):
        return 0.0  # all differences are equal
    return difference / effect if effect else math.nan
