"""The report as one HTML page that opens offline: verdicts on one screen, then what they rest on, folded.

Its templates are in `templates/`; `report` gathers what is on it. Tables are sorted and filtered by DataTables
(https://datatables.net), which the package itables carries as one module; nothing is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

MAX_ROWS = 500
# Columns of the claim table that stand beside a verdict, as far as it has them, and their headings.
COMPARED = {
    "ticket": "ticket",
    "control": "control",
    "measure": "measure",
    "verdict": "verdict",
    "difference_points": "points",
    "low_points": "over seeds",
    "bootstrap_low_points": "and test images",
    "flag": "flag",
    "p_larger": "p above 0",
    "p_no_better_holm": "p below margin",
    "seeds_needed": "seeds needed",
}


@dataclass(frozen=True)
class PageFigure:
    """A figure: its name (of its files below figures/), caption, SVG text and the tables that it is drawn from.

    Attributes:
        see: what to see in it, in a sentence; it begins the caption, and is read out in place of the picture.
        group: the heading that it stands under, with others.
    """

    name: str
    caption: str
    svg: str
    tables: Sequence[str]
    see: str = ""
    group: str = ""


@dataclass(frozen=True)
class PageTable:
    """A table, tables/<name>.csv, and what a row of it is.

    Attributes:
        sources: for every row, links to where it comes from: the link's words to an address on this page or relative
            to it.
    """

    name: str
    about: str
    rows: pd.DataFrame
    sources: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class Glance:
    """A line below the verdicts: a question, its answer, and the table with more of it."""

    question: str
    answer: str
    table: str


def render(
    title: str,
    verdicts: pd.DataFrame,
    claims: pd.DataFrame,
    figures: Sequence[PageFigure],
    tables: Sequence[PageTable],
    run: Sequence[PageTable],
    facts: Mapping[str, str],
    provenance: PageTable,
    connection: Sequence[str] = (),
    glances: Sequence[Glance] = (),
    tickets: pd.DataFrame | None = None,
    open_groups: Container[str] = (),
) -> str:
    """One self-contained page, to lie beside the folders tables and figures.

    Args:
        title: heading of the page.
        verdicts: a row per claim, from `claim_table.verdict_table`.
        claims: a row per comparison, from `claim_table.claim_table`.
        figures, tables: in their order; of long tables the first `MAX_ROWS` rows are shown.
        run: tables about the run itself: what it cost, what it ran on.
        facts: what the results came from, heading to text: configuration, versions, machine.
        provenance: the files that the tables were put together from.
        connection: a paragraph on tickets with weights on no path, and its lines; empty if there are none.
        glances: what is told below the verdicts.
        tickets: from `ticket_table.ticket_table`, shown as a glossary.
        open_groups: of the figures, those that are not folded.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dilt.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(compared=_compared, cell=_cell, embedded=_embedded, percent=_percent)
    environment.tests["numeric"] = pd.api.types.is_numeric_dtype
    shared = {"title": title, "max_rows": MAX_ROWS, "columns": {c: h for c, h in COMPARED.items() if c in claims}}
    scripts = {"datatables": _module(_of_itables("js"))}
    script = environment.get_template("tables.js").render(scripts)
    return environment.get_template("page.html.jinja").render(
        **shared,
        verdicts=verdicts.to_dict("records"),
        comparisons=claims.to_dict("records"),
        groups=_groups(figures),
        open_groups=open_groups,
        glances=glances,
        tickets=[]
        if tickets is None
        else [rows.to_dict("records") for _, rows in tickets.groupby("ticket", sort=False)],
        tables=tables,
        run=run,
        facts=facts,
        provenance=provenance,
        connection=connection,
        styles=[_of_itables("css"), environment.get_template("page.css").render()],
        script=script,
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _groups(figures: Sequence[PageFigure]) -> dict[str, list[tuple[int, PageFigure]]]:
    """Figures with their numbers, by the heading that they stand under."""
    found: dict[str, list[tuple[int, PageFigure]]] = {figure.group: [] for figure in figures}
    in_order = [figure for group in found for figure in figures if figure.group == group]
    for number, figure in enumerate(in_order, 1):
        found[figure.group].append((number, figure))
    return found


def _compared(comparison: Mapping[str, Any], column: str) -> str:
    """A comparison's value beside a verdict: differences with their sign, intervals with both ends."""
    value = comparison[column]
    if column.endswith("low_points"):
        high = comparison[column.replace("low", "high")]
        return f"{_signed(value)} to {_signed(high)}" if math.isfinite(value) else "none"
    if column == "difference_points":
        return _signed(value) if math.isfinite(value) else ""
    return _cell(value)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _cell(value: object) -> str:
    """A table's value in four digits, or all that are before the point; nothing where there is none."""
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ""
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"


def _percent(share: float) -> str:
    """A share in percent: three digits, so that sparse tickets are told apart."""
    return f"{100 * share:.3g} %"


def _embedded(svg: str) -> str:
    """An SVG as a data address: in an image its identifiers cannot collide with those of another."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _module(source: str) -> str:
    """A module of JavaScript as a data address."""
    return "data:text/javascript;base64," + base64.b64encode(source.encode()).decode()


def _of_itables(kind: str) -> str:
    """DataTables as itables bundles it for pages without a network, its option ``dt_bundle``: its code or its style."""
    from itables import options

    return Path(options.dt_bundle).with_suffix(f".{kind}").read_text(encoding="utf-8")
