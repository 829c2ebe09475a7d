"""A comparison followed over the points of a sweep, as tables: of all seeds together, and seed by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.answers import scores
from dilt.answers.claim_table import read_claims
from dilt.foundations.result_paths import Answers

if TYPE_CHECKING:
    import pandas as pd

# What is told of a point beside its axes' values, from its claim table.
KEPT = ("round", "difference_points", "low_points", "high_points", "bootstrap_low_points", "bootstrap_high_points")
DECIDED = ("p_larger", "p_no_better", "seeds", "outcome", "verdict", "flag")
READ = ("claims", "terms", "ticket_scores", "transfer", "assembly")  # tables of each point
Values = Sequence[Mapping[str, str]]


def table_of(folder: Path, name: str) -> Path:
    """A table in the folder of a point's answers."""
    return folder / Answers.TABLE.format(table=name)


def sweep_table(comparison: str, values: Values, folders: Sequence[Path]) -> pd.DataFrame:
    """A row per point: its value on each axis, then what its claim table says of the comparison.

    Args:
        values: of each point, by axis.
        folders: of the points' answers, in the same order.

    Raises:
        ValueError: a claim table lacks the comparison; the message names it.
    """
    import pandas as pd

    rows = []
    for named, folder in zip(values, folders, strict=True):
        claims = read_claims(path := table_of(folder, "claims"))
        found = claims[claims["comparison"] == comparison]
        if found.empty:
            raise ValueError(f"{path}: has no comparison '{comparison}'; run the sweep again")
        told: Mapping[Any, Any] = found.to_dict("records")[0]
        rows.append(dict(named) | {column: told[column] for column in (*KEPT, *DECIDED)})
    return pd.DataFrame(rows)


def sweep_by_seed(comparison: str, values: Values, folders: Sequence[Path]) -> pd.DataFrame:
    """A row per point and seed: its value on each axis, seed, difference in points, the dense network's accuracy.

    The accuracy, a fraction, is that of all source classes' test images, at the first round that has one.
    """
    import pandas as pd

    rows = []
    for named, folder in zip(values, folders, strict=True):
        tables = {name: pd.read_csv(table_of(folder, name)) for name in READ}
        parts = scores.contributions(tables["ticket_scores"], tables["transfer"], tables["assembly"])
        terms = tables["terms"][tables["terms"]["comparison"] == comparison]
        terms = terms[terms["claim"] == terms["claim"].iloc[0]]  # another claim may make the same comparison
        read = terms[["weight", "round", "term_ticket", "term_measure"]].set_axis(["weight", *scores.SCORE], axis=1)
        scored = read.merge(scores.measures(parts), on=scores.SCORE)
        points = (100 * scored["weight"] * scored["score"]).groupby(scored["seed"]).sum()
        clean = scores.clean(tables["ticket_scores"])
        dense = clean[(clean["ticket"] == "dense") & (clean["classes"] == "all")].sort_values("round")
        accuracy = dense.groupby("seed")["accuracy"].first()
        rows += [
            dict(named) | {"seed": seed, "difference_points": difference, "dense_accuracy": accuracy[seed]}
            for seed, difference in points.items()
        ]
    return pd.DataFrame(rows)
