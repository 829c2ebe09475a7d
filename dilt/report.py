"""The report: verdicts, figures, tables and configuration as one HTML page that opens offline.

The page is `report.html.jinja`; figures are drawn by `figures` and verdicts found by `claims`.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
import pandas as pd

MAX_ROWS = 200


def render(
    title: str,
    verdicts: pd.DataFrame,
    claims: pd.DataFrame,
    figures: Mapping[str, str],
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, str],
) -> str:
    """One self-contained page: nothing is fetched, no script runs.

    Args:
        title: heading of the page.
        verdicts: a row per claim, from `claims.verdict_table`.
        claims: a row per comparison, from `claims.claim_table`.
        figures: caption to SVG text.
        tables: path of the table's CSV, relative to the page, to the table; long ones are cut to `MAX_ROWS` rows.
        facts: what the results came from, heading to text: configuration, versions.
    """
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(points=_points, interval=_interval, cell=_cell, embedded=_embedded)
    environment.tests["numeric"] = pd.api.types.is_numeric_dtype
    template = resources.files("dilt").joinpath("report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        title=title,
        verdicts=verdicts.to_dict("records"),
        comparisons=claims.to_dict("records"),
        figures=figures,
        tables=tables,
        facts=facts,
        max_rows=MAX_ROWS,
    )


def _points(value: float) -> str:
    """A difference in percentage points, with its sign."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _interval(comparison: Mapping[str, Any]) -> str:
    """The interval of a comparison in percentage points, or why there is none."""
    low, high = comparison["low_points"], comparison["high_points"]
    return f"{_points(low)} to {_points(high)}" if math.isfinite(low) else "none from one seed"


def _cell(value: object) -> str:
    """A table's value in four digits; nothing where there is none."""
    if not isinstance(value, float):
        return str(value)
    return "" if math.isnan(value) else f"{value:.4g}"


def _embedded(svg: str) -> str:
    """An SVG as a data address: as an image its identifiers cannot collide with another's."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
