"""The claims on tickets as comparisons of scores, and the table that answers them.

`comparisons` says what is compared; `statistics` turns the replicates of a comparison into p values, `flags` and
`verdicts` these into a verdict, `wording` puts verdicts into sentences. Scores are test accuracies; evidence from the
geometry of layers decides nothing.
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

from dilt.answers import outlook, statistics, wording
from dilt.answers.comparisons import Comparison
from dilt.answers.flags import CEILING, COLLAPSE
from dilt.answers.scores import COLLAPSED, SCORE, Floats, Score
from dilt.answers.statistics import Evidence
from dilt.answers.verdicts import Judgement, Verdict, conclude, judge, look_levels, shares
from dilt.foundations import storage
from dilt.settings.answers import Claims, OwnClaim
from dilt.tickets.names import WITH_SPECIALIST

if TYPE_CHECKING:
    import pandas as pd

DESCRIBED = ["claim", "round", "comparison", "ticket", "control", "measure", "primary", "decisive"]
COLUMNS = [
    *DESCRIBED,
    *("difference_points", "low_points", "high_points", "bootstrap_low_points", "bootstrap_high_points", "effect"),
    *("p_larger", "p_larger_holm", "p_no_better", "p_no_better_holm", "level", "outcome", "flag", "collapsed_seeds"),
    *("headroom_points", "seeds", "seeds_needed", "verdict"),
]
VERDICT_COLUMNS = ["claim", "statement", "round", "seeds", "verdict", "words", "change"]


@dataclass(frozen=True)
class Replicates:
    """A comparison's differences in percentage points, shape (num_seeds,), and what is known of them.

    Attributes:
        image_errors: from the choice of test images, (num_seeds, num_resamples); None where single images are not
            known.
        headroom: how much better the ticket could be at most than its control is, in points, (num_seeds,).
        collapsed: whether any run that is compared collapsed, (num_seeds,).
    """

    differences: Floats
    image_errors: Floats | None
    headroom: Floats
    collapsed: NDArray[np.bool_]

    def first(self, seeds: int) -> Replicates:
        """Those of the first seeds."""
        errors = None if self.image_errors is None else self.image_errors[:seeds]
        return Replicates(self.differences[:seeds], errors, self.headroom[:seeds], self.collapsed[:seeds])

    def evidence(self, margin: float) -> Evidence:
        """Their p values."""
        errors = self._common_errors()
        return statistics.weigh(self.differences[:, None], None if errors is None else errors[:, None], margin)[0]

    def flag(self, margin: float) -> str:
        """What keeps the comparison from deciding, in a word; empty if nothing does."""
        if self.collapsed.any():
            return COLLAPSE
        return CEILING if self.headroom.mean() < margin else ""

    def numbers(self, settings: Claims, share: float, looks: Mapping[int, float]) -> dict[str, float]:
        """Estimate, intervals, effect and seeds needed.

        Args:
            share: of the level, of the test that the difference is below the margin.
            looks: those to come, and their levels. The seeds needed are those of the first that would probably decide;
                without any, those of a new experiment.
        """
        estimate = statistics.paired_interval(self.differences, settings.confidence)
        low, high, image_error = math.nan, math.nan, 0.0
        errors = self._common_errors()
        if errors is not None:
            low, high = statistics.seed_and_image_interval(self.differences, errors, settings.confidence)
            image_error = float(errors.std())
        spread = float(self.differences.std(ddof=1)) if estimate.num_seeds > 1 else math.nan
        seen = (estimate.mean, spread, image_error, settings.margin)
        if self.flag(settings.margin):
            needed = math.nan  # no number of seeds decides it
        elif looks:
            needed = statistics.look_needed(*seen, {look: (level, level * share) for look, level in looks.items()})
        else:
            needed = statistics.seeds_needed(*seen, (settings.level, settings.level * share))
        return {
            "difference_points": estimate.mean,
            "low_points": estimate.low,
            "high_points": estimate.high,
            "bootstrap_low_points": low,
            "bootstrap_high_points": high,
            "effect": estimate.effect,
            "collapsed_seeds": int(self.collapsed.sum()),
            "headroom_points": float(self.headroom.mean()),
            "seeds": estimate.num_seeds,
            "seeds_needed": needed,
        }

    def _common_errors(self) -> Floats | None:
        if self.image_errors is None or len(self.differences) == 1:
            return None
        return statistics.common_errors(self.image_errors)


def claim_table(
    scores: pd.DataFrame,
    compared: Sequence[Comparison],
    settings: Claims,
    seeds: Sequence[int],
    image_errors: Mapping[Score, Mapping[int, Floats]] | None = None,
) -> pd.DataFrame:
    """A row per comparison: what it is, its difference with intervals, p values, flag, outcome, verdict (`COLUMNS`).

    Corrections are over the primary comparisons of each claim; the others, which decide nothing, are judged by their p
    values as they are, and have no corrected ones. Where looks are declared, a claim is judged by the seeds of the
    first look that decides it, or of the last that there are seeds for: later seeds change no verdict.

    Args:
        scores: results of `scores.measures` and `scores.nearness`.
        seeds: in the order in which looks take them.
        image_errors: of scores by round, ticket and measure, from `scores.image_errors`; comparisons of scores without
            them are judged by their seeds alone.

    Raises:
        ValueError: a score is missing for a seed.
    """
    import pandas as pd

    by_seed = scores.pivot(index=SCORE, columns="seed", values="score").reindex(columns=list(seeds))
    values = dict(zip(by_seed.index, by_seed.to_numpy(dtype=float), strict=True))
    if COLLAPSED in scores:
        of_runs = scores.pivot(index=SCORE, columns="seed", values=COLLAPSED).reindex(columns=list(seeds)).eq(True)
        collapsed = dict(zip(of_runs.index, of_runs.to_numpy(dtype=bool), strict=True))
    else:
        collapsed = {}
    stacked = {score: np.stack([found[seed] for seed in seeds]) for score, found in (image_errors or {}).items()}
    replicates = [_replicates(comparison, values, collapsed, stacked) for comparison in compared]
    rows: dict[int, dict[str, Any]] = {}
    for members in _families(compared):
        family = Family([compared[index] for index in members], [replicates[index] for index in members], settings)
        rows |= dict(zip(members, family.rows(), strict=True))
    return pd.DataFrame([rows[index] for index in range(len(compared))], columns=COLUMNS)


@dataclass(frozen=True)
class Family:
    """Comparisons that are judged together: the primary ones of a claim, or any other one by itself."""

    compared: Sequence[Comparison]
    replicates: Sequence[Replicates]
    settings: Claims

    def rows(self) -> list[dict[str, Any]]:
        """Their rows of the claim table, as judged at the look that counts."""
        levels = self._levels()
        judged, seen, seeds = self._judged(levels)
        to_come = {look: level for look, level in levels.items() if self._looks and look > seeds}
        parts = shares([comparison.decisive for comparison in self.compared])
        return [
            {column: getattr(comparison, column) for column in DESCRIBED}
            | seen[place].numbers(self.settings, parts[place], to_come)
            | self._verdict(place, seen[place], judged)
            | {"level": levels.get(seeds, 0.0)}
            for place, comparison in enumerate(self.compared)
        ]

    @property
    def _primary(self) -> bool:
        return self.compared[0].primary

    @property
    def _looks(self) -> list[int]:
        """The looks declared, in turn; only primary comparisons have any."""
        return self.settings.looks if self._primary else []

    def _levels(self) -> dict[int, float]:
        """The level at each number of seeds at which verdicts are read: at the looks, or at all seeds."""
        if not self._looks:
            return {len(self.replicates[0].differences): self.settings.level}
        return dict(zip(self._looks, look_levels(self._looks, self.settings.level).tolist(), strict=True))

    def _judged(self, levels: Mapping[int, float]) -> tuple[Judgement, list[Replicates], int]:
        """The judgement that counts, the replicates that it rests on, and their number of seeds."""
        number = len(self.replicates[0].differences)
        decisive = [comparison.decisive for comparison in self.compared]
        for seeds in [look for look in levels if look <= number] or [number]:
            seen = [each.first(seeds) for each in self.replicates]
            weighed = [each.evidence(self.settings.margin) for each in seen]
            flagged = [bool(each.flag(self.settings.margin)) for each in seen]
            judged = judge(weighed, levels.get(seeds, 0.0), decisive, flagged)
            if judged.verdict != "inconclusive":
                break
        return judged, seen, seeds

    def _verdict(self, place: int, seen: Replicates, judged: Judgement) -> dict[str, Any]:
        weighed = seen.evidence(self.settings.margin)
        return {
            "p_larger": weighed.larger,
            "p_larger_holm": judged.p_larger[place] if self._primary else math.nan,
            "p_no_better": weighed.no_better,
            "p_no_better_holm": judged.p_no_better[place] if self._primary else math.nan,
            "outcome": judged.outcomes[place],
            "flag": seen.flag(self.settings.margin),
            "verdict": judged.verdicts[place],
        }


def verdict_table(
    claims: pd.DataFrame, stated: Mapping[str, OwnClaim], settings: Claims, seeds: int, partitions: int
) -> pd.DataFrame:
    """The verdict on each claim that has comparisons, why, and what would change it, in words (`VERDICT_COLUMNS`).

    Args:
        claims: from `claim_table`.
        stated: the claims by name.
        seeds: that there are; verdicts at looks may rest on fewer.
        partitions: that there are; with two, no assembly is more than a partition's own mask, and the words say so.
    """
    import pandas as pd

    primary = claims[claims["primary"]]
    rows = []
    for claim, found in primary.groupby("claim", sort=False):
        verdicts: list[Verdict] = list(found["verdict"])
        comparisons, name = found.to_dict("records"), str(claim)
        known = {"claim": name, "statement": stated[name].statement, "round": stated[name].round}
        words = wording.reason(comparisons, settings, seeds)
        if partitions == 2 and any(row["ticket"].startswith(WITH_SPECIALIST) for row in comparisons):
            words += f" {wording.OWN_MASK}"
        told = {"words": words, "change": outlook.change(comparisons, settings)}
        rows.append(known | {"seeds": comparisons[0]["seeds"], "verdict": conclude(verdicts)} | told)
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)


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
    """Places of comparisons that are judged together: the primary ones of a claim; any other one by itself."""
    families: dict[str | int, list[int]] = {}
    for index, comparison in enumerate(compared):
        families.setdefault(comparison.claim if comparison.primary else index, []).append(index)
    return list(families.values())


def _replicates(
    comparison: Comparison,
    values: Mapping[Score, Floats],
    collapsed: Mapping[Score, NDArray[np.bool_]],
    image_errors: Mapping[Score, Floats],
) -> Replicates:
    """The comparison's terms added up seed by seed, and resample by resample.

    Args:
        values, collapsed: by score, each (num_seeds,).
        image_errors: by score, each (num_seeds, num_resamples).
    """
    terms = [((comparison.round, term.ticket, term.measure), term) for term in comparison.terms]
    for (_, ticket, measure), _ in terms:
        if not np.isfinite(values.get((comparison.round, ticket, measure), np.nan)).all():
            raise ValueError(
                f"claim {comparison.claim}: no score of '{ticket}' by '{measure}' at round {comparison.round} for "
                "every seed"
            )
    differences = np.asarray(sum(100 * term.weight * values[score] for score, term in terms))
    # The ticket's arm at its best: everything right that counts for it, nothing that counts against it.
    best = sum(100 * term.weight for _, term in terms if not term.of_control and term.weight > 0)
    control = sum(100 * term.weight * values[score] for score, term in terms if term.of_control)
    headroom = np.broadcast_to(best + np.asarray(control), differences.shape)
    ran = [collapsed.get(score, np.zeros(len(differences), dtype=bool)) for score, _ in terms]
    errors = None
    if all(score in image_errors for score, _ in terms):
        errors = np.asarray(sum(100 * term.weight * image_errors[score] for score, term in terms))
    return Replicates(differences, errors, headroom, np.any(ran, axis=0))
