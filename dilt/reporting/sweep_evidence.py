"""A finished sweep's evidence, small enough for a repository: its tables, its figure, and a page in plain words.

Every number and the figure follow from the tables beside the page, which a test makes sure of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.answers import sweep_tables, wording
from dilt.foundations import storage
from dilt.reporting.evidence_page import template
from dilt.reporting.sweep_figure import sweep_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

RECORD, FIGURE = "sweep.json", "sweep"
TABLES = ("sweep", "sweep_by_seed")


@dataclass(frozen=True)
class SweepEvidence:
    """What is known of a finished sweep.

    Attributes:
        record: what stands in no table: comparison, axes, settings that all points have, files, machine, cost.
        tables: those of `answers.sweep_tables`, by name.
    """

    record: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]

    def figure(self) -> Figure:
        """The comparison along the first axis."""
        return sweep_figure(self.tables["sweep"], self.record["axes"])


def write(folder: Path, evidence: SweepEvidence) -> None:
    """Write record and tables into a folder."""
    storage.write_json(folder / RECORD, evidence.record)
    for name, table in evidence.tables.items():
        with storage.replacing(sweep_tables.table_of(folder, name)) as partial:
            table.to_csv(partial, index=False, lineterminator="\n")


def read(folder: Path) -> SweepEvidence:
    """The evidence in a folder that `write` wrote; raises FileNotFoundError where a file is missing."""
    tables = {name: read_table(sweep_tables.table_of(folder, name)) for name in TABLES}
    return SweepEvidence(storage.read_json(folder / RECORD), tables)


def read_table(path: Path) -> pd.DataFrame:
    """A table, the axes' values as they are written; raises FileNotFoundError, which names it, where there is none."""
    import pandas as pd

    storage.require_file(path, "evidence that `dilt evidence --sweep` wrote")
    known = (*sweep_tables.KEPT, *sweep_tables.DECIDED, "seed", "dense_accuracy")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = [name for name in known if name in table and name not in ("outcome", "verdict", "flag")]
    return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})


def render(evidence: SweepEvidence) -> str:
    """The page as Markdown, to lie beside the folders ``tables`` and ``figures``."""
    axes = evidence.record["axes"]
    dense = evidence.tables["sweep_by_seed"].groupby(axes)["dense_accuracy"].mean()
    rows = [
        {
            **row,
            "values": [row[axis] for axis in axes],
            "widest": wording.widest(row)[:2],
            "dense": float(dense[tuple(row[axis] for axis in axes) if len(axes) > 1 else row[axes[0]]]),
        }
        for row in evidence.tables["sweep"].to_dict("records")
    ]
    told = [row for row in rows if math.isfinite(row["widest"][0])]
    return template("sweep_evidence.md.jinja").render(
        record=evidence.record,
        rows=rows,
        above=[row for row in told if row["widest"][0] > 0],
        below=[row for row in told if row["widest"][1] < 0],
        largest=max(rows, key=lambda row: row["difference_points"]),
        smallest=min(rows, key=lambda row: row["difference_points"]),
        by_line=_means(evidence.tables["sweep"], axes),
    )


def _means(table: pd.DataFrame, axes: Sequence[str]) -> dict[str, dict[str, float]]:
    """For each axis, the mean difference of its values' points."""
    return {
        axis: {str(value): float(rows["difference_points"].mean()) for value, rows in table.groupby(axis, sort=False)}
        for axis in axes
    }
