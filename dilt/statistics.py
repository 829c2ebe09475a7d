"""Statistics of paired replicates: intervals, and the rule that turns an interval into a verdict.

Pure numbers in, numbers and words out. Which differences are taken is decided by `claims`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["supported", "not supported", "inconclusive"]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its confidence interval; NaN bounds where one seed gives none.

    Attributes:
        effect: mean over standard deviation of the differences (Cohen's d for paired samples); NaN for one seed or
            no spread.
    """

    mean: float
    low: float
    high: float
    num_seeds: int
    effect: float


def paired_interval(differences: NDArray[np.floating], confidence: float) -> Estimate:
    """Mean of paired differences, shape (num_seeds,), with the t interval of that confidence (Student 1908).

    Raises:
        ValueError: there are no differences, or one is not a number.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) == 0 or not np.isfinite(values).all():
        raise ValueError(f"differences must be finite numbers, one per seed; got {values.tolist()}")
    mean = float(values.mean())
    if len(values) == 1:
        return Estimate(mean, math.nan, math.nan, 1, math.nan)
    from scipy.stats import t

    spread = float(values.std(ddof=1))
    reach = float(t.ppf((1 + confidence) / 2, len(values) - 1)) * spread / math.sqrt(len(values))
    return Estimate(mean, mean - reach, mean + reach, len(values), mean / spread if spread else math.nan)


def judge(estimate: Estimate, margin: float) -> Verdict:
    """The verdict on "larger than": does the ticket do better than its control?

    ``supported`` when the whole interval lies above zero; ``not supported`` when it does not and the whole interval
    lies below ``margin``, the smallest difference worth having; ``inconclusive`` otherwise, one seed included.
    """
    if estimate.low > 0:
        return "supported"
    if estimate.high < margin:
        return "not supported"
    return "inconclusive"


def judge_claim(verdicts: Sequence[Verdict]) -> Verdict:
    """A claim of several comparisons: supported when all are, not supported when any is not, else inconclusive."""
    if all(verdict == "supported" for verdict in verdicts):
        return "supported"
    return "not supported" if "not supported" in verdicts else "inconclusive"
