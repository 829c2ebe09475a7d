"""The three claims on tickets (arXiv 2508.16915) as comparisons of scores, and the table that answers them.

`comparisons` says what is compared; `statistics` turns the replicates of a comparison into a verdict, `wording` puts
verdicts into sentences. Scores are test accuracies; evidence from the geometry of layers decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.answers import statistics, wording
from dilt.answers.comparisons import Comparison
from dilt.answers.statistics import Evidence
from dilt.answers.verdicts import Verdict, conclude, judge
from dilt.foundations import storage
from dilt.settings.answers import Claims

if TYPE_CHECKING:
    import pandas as pd

Score = tuple[str, str]
Floats = NDArray[np.float64]

STATEMENTS: dict[Any, str] = {
    "C1": "The core transfers better than other tickets of exactly its density.",
    "C2": "Specialists serve their own partition's classes, by themselves and joined to the core.",
    "C3": "The union performs better than COLT's consensus and than other tickets of exactly its density.",
}


DESCRIBED = ["claim", "comparison", "ticket", "control", "measure", "primary"]
COLUMNS = [
    *DESCRIBED,
    *("difference_points", "low_points", "high_points", "bootstrap_low_points", "bootstrap_high_points", "effect"),
    *("p_larger", "p_larger_holm", "p_no_better", "p_no_better_holm", "outcome", "seeds", "seeds_needed", "verdict"),
]
VERDICT_COLUMNS = ["claim", "statement", "verdict", "words"]


@dataclass(frozen=True)
class Replicates:
    """A comparison's differences in percentage points, shape (num_seeds,), and what is known of their error.

    Attributes:
        image_errors: from the choice of test images, (num_resamples,); None where single images are not known.
    """

    differences: Floats
    image_errors: Floats | None

    def evidence(self, margin: float) -> Evidence:
        """Their p values."""
        errors = None if self.image_errors is None else self.image_errors[:, None]
        return statistics.weigh(self.differences[:, None], errors, margin)[0]

    def numbers(self, settings: Claims, comparisons: int) -> dict[str, float]:
        """Estimate, intervals, effect and seeds needed; ``comparisons`` is how many comparisons share the level."""
        estimate = statistics.paired_interval(self.differences, settings.confidence)
        low, high, image_error = math.nan, math.nan, 0.0
        if self.image_errors is not None:
            low, high = statistics.seed_and_image_interval(self.differences, self.image_errors, settings.confidence)
            image_error = float(self.image_errors.std())
        spread = float(self.differences.std(ddof=1)) if estimate.num_seeds > 1 else math.nan
        level = (1 - settings.confidence) / 2 / comparisons
        return {
            "difference_points": estimate.mean,
            "low_points": estimate.low,
            "high_points": estimate.high,
            "bootstrap_low_points": low,
            "bootstrap_high_points": high,
            "effect": estimate.effect,
            "seeds": estimate.num_seeds,
            "seeds_needed": statistics.seeds_needed(estimate.mean, spread, image_error, settings.margin, level),
        }


def claim_table(
    scores: pd.DataFrame,
    compared: Sequence[Comparison],
    settings: Claims,
    image_errors: Mapping[Score, Floats] | None = None,
) -> pd.DataFrame:
    """A row per comparison: what it is, its difference with intervals, p values, outcome and verdict (`COLUMNS`).

    Holm's correction is over the primary comparisons of each claim; the others, which decide nothing, are judged by
    their p values as they are, and have no corrected ones.

    Args:
        scores: results of `scores.measures` and `scores.nearness`.
        image_errors: of scores by ticket and measure, from `scores.image_errors`; comparisons of scores without them
            are judged by their seeds alone.

    Raises:
        ValueError: a score is missing for a seed.
    """
    import pandas as pd

    by_seed = scores.pivot(index=["ticket", "measure"], columns="seed", values="score")
    values = dict(zip(by_seed.index, by_seed.to_numpy(dtype=float), strict=True))
    replicates = [_replicates(comparison, values, image_errors or {}) for comparison in compared]
    rows: dict[int, dict[str, Any]] = {}
    for members in _families(compared):
        weighed = [replicates[index].evidence(settings.margin) for index in members]
        judged = judge(weighed, settings.confidence)
        for place, index in enumerate(members):
            comparison, numbers = compared[index], replicates[index].numbers(settings, len(members))
            rows[index] = {column: getattr(comparison, column) for column in DESCRIBED} | numbers
            rows[index] |= {
                "p_larger": weighed[place].larger,
                "p_larger_holm": judged.p_larger[place] if comparison.primary else math.nan,
                "p_no_better": weighed[place].no_better,
                "p_no_better_holm": judged.p_no_better[place] if comparison.primary else math.nan,
                "outcome": judged.outcomes[place],
                "verdict": judged.verdicts[place],
            }
    return pd.DataFrame([rows[index] for index in range(len(compared))], columns=COLUMNS)


def verdict_table(claims: pd.DataFrame, settings: Claims) -> pd.DataFrame:
    """The verdict on each claim that has comparisons: claim, statement, verdict, and why in plain words."""
    import pandas as pd

    primary = claims[claims["primary"]]
    rows = []
    for claim, found in primary.groupby("claim"):
        verdicts: list[Verdict] = list(found["verdict"])
        words = wording.reason(found.to_dict("records"), settings)
        verdict = conclude(verdicts)
        rows.append({"claim": claim, "statement": STATEMENTS[claim], "verdict": verdict, "words": words})
    return pd.DataFrame(rows)


def read_claims(path: Path | str) -> pd.DataFrame:
    """A ``claims.csv`` as a table for notebooks: a row per comparison, with the columns `COLUMNS`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or another table; the message names it.
    """
    return _read_table(Path(path), COLUMNS, "claims.csv")


def read_verdicts(path: Path | str) -> pd.DataFrame:
    """A ``verdicts.csv`` as a table, with the columns `VERDICT_COLUMNS`; raises as `read_claims`."""
    return _read_table(Path(path), VERDICT_COLUMNS, "verdicts.csv")


def _read_table(path: Path, columns: Sequence[str], name: str) -> pd.DataFrame:
    import pandas as pd

    try:
        table: pd.DataFrame = pd.read_csv(StringIO(storage.read_text(path, f"the {name} of an experiment's tables")))
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path}: not a readable table ({' '.join(str(error).split())}); run again") from error
    if missing := [column for column in columns if column not in table]:
        raise ValueError(f"{path}: no column '{missing[0]}'; give the {name} of an experiment's tables")
    return table


def _families(compared: Sequence[Comparison]) -> list[list[int]]:
    """Places of comparisons that are corrected together: the primary ones of a claim; any other one by itself."""
    families: dict[str | int, list[int]] = {}
    for index, comparison in enumerate(compared):
        families.setdefault(comparison.claim if comparison.primary else index, []).append(index)
    return list(families.values())


def _replicates(
    comparison: Comparison, values: Mapping[Score, Floats], image_errors: Mapping[Score, Floats]
) -> Replicates:
    """The comparison's terms added up seed by seed, and resample by resample.

    Args:
        values: scores, each (num_seeds,).
        image_errors: each (num_seeds, num_resamples).
    """
    terms = [((term.ticket, term.measure), 100 * term.weight) for term in comparison.terms]
    for (ticket, measure), _ in terms:
        if not np.isfinite(values.get((ticket, measure), np.nan)).all():
            raise ValueError(f"claim {comparison.claim}: no score of '{ticket}' by '{measure}' for every seed")
    differences = np.asarray(sum(weight * values[score] for score, weight in terms))
    if len(differences) == 1 or any(score not in image_errors for score, _ in terms):
        return Replicates(differences, None)
    errors = np.asarray(sum(weight * image_errors[score] for score, weight in terms))
    return Replicates(differences, statistics.common_errors(errors))
