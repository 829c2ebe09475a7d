"""The rule that turns p values into verdicts: when a claim is supported, not supported or inconclusive.

Pure numbers in, words out. P values come from `statistics`, what is compared from `comparisons`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from dilt.answers.statistics import Evidence, Floats

Verdict = Literal["supported", "not supported", "inconclusive"]
Outcome = Literal["larger", "no difference", "smaller", "unclear"]


@dataclass(frozen=True)
class Judgement:
    """The verdict on a claim, and on each of its comparisons, with the p values after Holm's correction."""

    verdict: Verdict
    verdicts: list[Verdict]
    outcomes: list[Outcome]
    p_larger: Floats
    p_no_better: Floats


def holm(p_values: ArrayLike) -> Floats:
    """P values corrected for their number (Holm 1979), shape as given; all NaN where one is.

    Each is the smallest level at which its comparison is still significant while the chance of any false one among
    all, however they depend on each other, is at most that level.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(stepped, 1)
    return np.full_like(values, np.nan) if np.isnan(values).any() else corrected


def judge(comparisons: Sequence[Evidence], confidence: float) -> Judgement:
    """The rule: the verdict on a claim from its primary comparisons, each "the ticket does better than its control".

    All p values are corrected by Holm over the comparisons, for each of the four directions by itself, and held
    against the level of one side of the interval, (1 - confidence) / 2. For a comparison:

    - the outcome is "larger" or "smaller" when the difference is significantly above or below zero, "no difference"
      when it is significantly within the margin on both sides (two one-sided tests, Schuirmann 1987), else "unclear";
    - the verdict is ``supported`` when the outcome is "larger"; else ``not supported`` when the difference is
      significantly below the margin, the smallest difference worth having; else ``inconclusive``, one seed included.

    A claim is ``supported`` when all its comparisons are, ``not supported`` when any comparison is ``not supported``,
    ``inconclusive`` otherwise. For ``supported`` no correction would be necessary, since a claim that is false in one
    comparison has to pass that comparison's test at its level (Berger 1982, intersection-union); it is made so that
    each comparison can be believed by itself. For ``not supported`` the correction keeps the level, since each
    comparison is another chance to fail a claim that is true by the margin in all of them.
    """
    level = (1 - confidence) / 2
    larger, no_better, smaller, no_worse = (
        holm([getattr(evidence, name) for evidence in comparisons])
        for name in ("larger", "no_better", "smaller", "no_worse")
    )
    outcomes: list[Outcome] = []
    verdicts: list[Verdict] = []
    for index in range(len(comparisons)):
        if larger[index] <= level:
            outcomes.append("larger")
        elif smaller[index] <= level:
            outcomes.append("smaller")
        else:
            outcomes.append("no difference" if max(no_better[index], no_worse[index]) <= level else "unclear")
        if outcomes[-1] == "larger":
            verdicts.append("supported")
        else:
            verdicts.append("not supported" if no_better[index] <= level else "inconclusive")
    return Judgement(conclude(verdicts), verdicts, outcomes, larger, no_better)


def conclude(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim from those on its comparisons, as `judge` explains."""
    if all(verdict == "supported" for verdict in verdicts):
        return "supported"
    return "not supported" if "not supported" in verdicts else "inconclusive"
