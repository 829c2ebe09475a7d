"""The three claims of DESIGN section 1 as comparisons of scores, and the table that answers them.

`comparisons` says what is compared; `statistics` turns the replicates of a comparison into a verdict. Scores are test
accuracies; evidence from the geometry of layers stands beside them and decides nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.comparisons import Comparison
from dilt.settings import Claims
from dilt.statistics import Estimate, Verdict, judge, judge_claim, paired_interval

if TYPE_CHECKING:
    import pandas as pd

STATEMENTS = {
    "C1": "The core ticket transfers better than standard tickets of exactly its density.",
    "C2": "Specialists serve their own partition, and assemble with the core.",
    "C3": "The union outperforms COLT's consensus and tickets of exactly its density.",
}


def claim_table(scores: pd.DataFrame, compared: Sequence[Comparison], settings: Claims) -> pd.DataFrame:
    """A row per comparison: mean difference in percentage points, interval, number of seeds, effect, verdict.

    Args:
        scores: results of `scores.measures` and `scores.nearness`.

    Raises:
        ValueError: a score is missing for a seed.
    """
    import pandas as pd

    by_seed = scores.pivot(index=["ticket", "measure"], columns="seed", values="score")
    replicates = dict(zip(by_seed.index, by_seed.to_numpy(dtype=float), strict=True))
    rows = []
    for comparison in compared:
        estimate = _estimate(replicates, comparison, settings.confidence)
        rows.append(
            {
                "claim": comparison.claim,
                "comparison": comparison.comparison,
                "ticket": comparison.ticket,
                "control": comparison.control,
                "measure": comparison.measure,
                "primary": comparison.primary,
                "difference_points": estimate.mean,
                "low_points": estimate.low,
                "high_points": estimate.high,
                "effect": estimate.effect,
                "seeds": estimate.num_seeds,
                "verdict": judge(estimate, settings.margin),
            }
        )
    return pd.DataFrame(rows)


def verdict_table(claims: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each claim asked: claim, statement, verdict."""
    import pandas as pd

    primary = claims[claims["primary"]]
    rows = []
    for claim, statement in STATEMENTS.items():
        found: list[Verdict] = list(primary.loc[primary["claim"] == claim, "verdict"])
        if found:
            rows.append({"claim": claim, "statement": statement, "verdict": judge_claim(found)})
    return pd.DataFrame(rows)


def read_claims(path: Path | str) -> pd.DataFrame:
    """A ``claims.csv`` as a table, for notebooks."""
    import pandas as pd

    table: pd.DataFrame = pd.read_csv(path)
    return table


def as_text(claims: pd.DataFrame, verdicts: pd.DataFrame) -> str:
    """The verdicts with the primary comparisons that they rest on, for a terminal."""
    lines = []
    for verdict in verdicts.to_dict("records"):
        lines += [f"{verdict['claim']} {verdict['verdict'].upper()}: {verdict['statement']}"]
        rows = claims[(claims["claim"] == verdict["claim"]) & claims["primary"]]
        for row in rows.to_dict("records"):
            what = f"{row['ticket']} - {row['control']} ({row['measure']})"
            interval = f"{row['difference_points']:+6.1f} [{row['low_points']:+6.1f}, {row['high_points']:+6.1f}]"
            lines.append(f"   {what:<66} {interval} points, {row['seeds']} seeds  {row['verdict']}")
    return "\n".join(lines)


def main() -> None:
    """Print the claim table of an experiment, and where its figures and report are."""
    parser = argparse.ArgumentParser(prog="python -m dilt.claims", description=main.__doc__)
    parser.add_argument("tables", type=Path, help="folder of claims.csv, such as results/digits/tables")
    folder = parser.parse_args().tables
    try:
        table, verdicts = read_claims(folder / "claims.csv"), read_claims(folder / "verdicts.csv")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename}: no such table; run `snakemake claims --cores 2` first")
    print(as_text(table, verdicts))
    print(f"tables: {folder}   figures: {folder.parent / 'figures'}   report: {folder.parent / 'report.html'}")


def _estimate(replicates: Mapping[Any, NDArray[np.float64]], comparison: Comparison, confidence: float) -> Estimate:
    """The comparison's terms added up seed by seed; replicates by (ticket, measure), each (num_seeds,)."""
    for term in comparison.terms:
        if not np.isfinite(replicates.get((term.ticket, term.measure), np.nan)).all():
            raise ValueError(
                f"claim {comparison.claim}: no score of '{term.ticket}' by '{term.measure}' for every seed"
            )
    total = sum(term.weight * replicates[term.ticket, term.measure] for term in comparison.terms)
    return paired_interval(100 * np.asarray(total), confidence)


if __name__ == "__main__":
    main()
