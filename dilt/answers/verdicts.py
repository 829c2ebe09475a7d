"""The rule that turns p values into verdicts: when a claim is supported, not supported or inconclusive.

Pure numbers in, words out. P values come from `statistics`, what is compared from `comparisons`, what keeps a
comparison from deciding from `flags`.
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


def holm(p_values: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """P values corrected for their number (Holm 1979), shape as given; NaN for all of a row where one is.

    Each is the smallest level at which its comparison is still significant while the chance of any false one among
    all, however they depend on each other, is at most that level.

    Args:
        p_values: shape (..., num_comparisons); each row is corrected by itself.
        weights: shares of the level, positive; equal ones by default (weighted: Holm 1979, section 4).
    """
    values = np.asarray(p_values, dtype=np.float64)
    parts = np.ones(values.shape[-1]) if weights is None else np.asarray(weights, dtype=np.float64)
    scaled = values / parts
    order = np.argsort(scaled, axis=-1)
    left = np.cumsum(parts[order][..., ::-1], axis=-1)[..., ::-1]  # of the level, when the comparison's turn comes
    stepped = np.maximum.accumulate(np.take_along_axis(scaled, order, axis=-1) * left, axis=-1)
    corrected = np.empty_like(values)
    np.put_along_axis(corrected, order, np.minimum(stepped, 1), axis=-1)
    return np.where(np.isnan(values).any(axis=-1, keepdims=True), np.nan, corrected)


def shares(decisive: Sequence[bool]) -> Floats:
    """Shares of the level of "not supported": half for the decisive comparisons, half for the others, equal within.

    All are equal where none or all are decisive.
    """
    chosen = np.asarray(decisive, dtype=bool)
    number = int(chosen.sum())
    if number in (0, len(chosen)):
        return np.full(len(chosen), 1 / len(chosen))
    return np.where(chosen, 0.5 / number, 0.5 / (len(chosen) - number))


def look_levels(looks: Sequence[int], level: float) -> Floats:
    """The level of each look; they add up to ``level``, so that looking several times costs no honesty.

    The first look has half of what each later one has: with three looks a fifth, two fifths and two fifths. Any
    division that is fixed beforehand keeps the level (Bonferroni); an early verdict takes a large difference.
    """
    parts = np.array([1.0, *[2.0] * (len(looks) - 1)])
    levels: Floats = level * parts / parts.sum()
    return levels


def judge(
    comparisons: Sequence[Evidence],
    level: float,
    decisive: Sequence[bool] | None = None,
    flagged: Sequence[bool] | None = None,
) -> Judgement:
    """The rule: the verdict on a claim from its primary comparisons, each "the ticket does better than its control".

    P values are held against the level of one side of the interval. For a comparison:

    - the outcome is "larger" or "smaller" when the difference is significantly above or below zero, "no difference"
      when it is significantly within the margin on both sides (two one-sided tests, Schuirmann 1987), else "unclear";
    - the verdict is ``supported`` when the outcome is "larger"; else ``not supported`` when the difference is below the
      margin, the smallest difference worth having, significantly after Holm's correction with `shares`; else
      ``inconclusive``, one seed included. A flagged comparison (`flags`) is ``inconclusive`` whatever its p values.

    A claim is ``supported`` when all its comparisons are, ``not supported`` when any comparison is ``not supported``,
    ``inconclusive`` otherwise. For ``supported`` no correction is needed, since a claim that is false in one comparison
    has to pass that comparison's own test (Berger 1982, intersection-union). For ``not supported`` each comparison is
    another chance to fail a claim that is true by the margin in all of them; one control that matters most, named
    beforehand, gets half of the level, so that the number of the others costs it little.

    Args:
        decisive: which comparisons share half of the level of ``not supported``; None: all have equal shares.
        flagged: which comparisons decide nothing.
    """
    number = len(comparisons)
    kept_out = np.zeros(number, dtype=bool) if flagged is None else np.asarray(flagged, dtype=bool)
    larger, no_better, smaller, no_worse = (
        np.array([getattr(evidence, name) for evidence in comparisons])
        for name in ("larger", "no_better", "smaller", "no_worse")
    )
    refuted = holm(np.where(kept_out, 1, no_better), shares(decisive or [False] * number))
    outcomes: list[Outcome] = []
    verdicts: list[Verdict] = []
    for index in range(number):
        if larger[index] <= level:
            outcomes.append("larger")
        elif smaller[index] <= level:
            outcomes.append("smaller")
        else:
            outcomes.append("no difference" if max(no_better[index], no_worse[index]) <= level else "unclear")
        if kept_out[index]:
            verdicts.append("inconclusive")
        elif outcomes[-1] == "larger":
            verdicts.append("supported")
        else:
            verdicts.append("not supported" if refuted[index] <= level else "inconclusive")
    return Judgement(conclude(verdicts), verdicts, outcomes, holm(larger), refuted)


def conclude(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict on a claim from those on its comparisons, as `judge` explains."""
    if all(verdict == "supported" for verdict in verdicts):
        return "supported"
    return "not supported" if "not supported" in verdicts else "inconclusive"
