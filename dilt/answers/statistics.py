"""Statistics of paired replicates: estimates, intervals, p values, and the seeds that a verdict needs.

Pure numbers in, numbers out. Which differences are taken is decided by `comparisons`, what they mean by
`verdicts`. What the choice of test images adds to their error is measured by `bootstrap`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

POWER = 0.8
MOST_SEEDS = 1000
ROUNDING = 1e-9  # of equal differences: their spread, as a share of their mean


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


@dataclass(frozen=True)
class Evidence:
    """One-sided p values of a comparison: how well the data agree with what each would refute; NaN for one seed.

    Attributes:
        larger: refutes that the true difference is zero or less.
        no_better: refutes that it is the margin or more.
        smaller: refutes that it is zero or more.
        no_worse: refutes that it is minus the margin or less.
    """

    larger: float
    no_better: float
    smaller: float
    no_worse: float


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
    spread = float(values.std(ddof=1))
    if spread <= ROUNDING * abs(mean):
        return Estimate(mean, mean, mean, len(values), math.nan)
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(values, 0).confidence_interval(confidence)
    return Estimate(mean, float(low), float(high), len(values), mean / spread)


def common_errors(image_errors: ArrayLike) -> Floats:
    """The part of the error from the choice of images that more seeds do not reduce.

    In the error of the mean over seeds, one part of the images' effect is common to all seeds, another is each seed's
    own. The second is in the spread over seeds already, so errors are scaled down to the variance of the first: with S
    seeds (S V_mean - V_one) / (S - 1), from those of the mean over seeds and of single seeds (analysis of variance of
    the crossed table; the bootstrap of Owen 2007, which resamples both, counts the second three times).

    Args:
        image_errors: shape (num_seeds, num_resamples, ...), from `bootstrap`; at least two seeds.

    Returns:
        Shape (num_resamples, ...).
    """
    errors = np.asarray(image_errors, dtype=np.float64)
    mean, num_seeds = errors.mean(axis=0), len(errors)
    of_mean, of_one = mean.var(axis=0), errors.var(axis=1).mean(axis=0)
    common = np.maximum(num_seeds * of_mean - of_one, 0) / (num_seeds - 1)
    scaled: Floats = mean * np.sqrt(np.divide(common, of_mean, out=np.zeros_like(common), where=of_mean > 0))
    return scaled


def weigh(differences: ArrayLike, image_errors: ArrayLike | None, margin: float) -> list[Evidence]:
    """The p values of comparisons, by the error of their seeds and, where it is known, that of their test images.

    The true difference is taken as the mean plus two errors: that of the seeds, Student's t with their standard error,
    and that of the images, as resampled. If both are normal this is the Behrens-Fisher distribution (Fisher 1935),
    whose tests reject too seldom rather than too often.

    Args:
        differences: shape (num_seeds, num_comparisons).
        image_errors: shape (num_resamples, num_comparisons), from `common_errors`; None for the t test alone.
        margin: smallest difference worth having, in the unit of the differences.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) == 1:
        return [Evidence(*[math.nan] * 4)] * values.shape[1]
    errors = np.zeros((1, values.shape[1])) if image_errors is None else np.asarray(image_errors)
    centres = values.mean(axis=0) + errors

    def p_at_most(bound: float, sign: int) -> Floats:
        return _share_below(sign * bound, sign * centres, _standard_errors(values), len(values) - 1)

    tails = (p_at_most(0, 1), p_at_most(margin, -1), p_at_most(0, -1), p_at_most(-margin, 1))
    return [Evidence(*map(float, row)) for row in np.stack(tails, axis=1)]


def seed_and_image_interval(
    differences: ArrayLike, image_errors: NDArray[np.floating], confidence: float
) -> tuple[float, float]:
    """The interval that belongs to the p values of `weigh`, of one comparison; NaN for one seed.

    Args:
        differences: shape (num_seeds,).
        image_errors: shape (num_resamples,), from `common_errors`.
    """
    from scipy.optimize import brentq
    from scipy.stats import t

    values = np.asarray(differences, dtype=np.float64)[:, None]
    if len(values) == 1:
        return math.nan, math.nan
    centres = values.mean() + np.asarray(image_errors, dtype=np.float64)[:, None]
    errors, freedom = _standard_errors(values), len(values) - 1
    levels = ((1 - confidence) / 2, (1 + confidence) / 2)
    if errors.item() == 0:
        low, high = np.quantile(centres, levels)
        return float(low), float(high)

    def bound(level: float) -> float:
        # Every image resample's own t quantile lies in between, so the mixture's does.
        quantile = t.ppf(level, freedom) * errors.item()
        ends = centres.min() + quantile - errors.item(), centres.max() + quantile + errors.item()
        return float(brentq(lambda x: _share_below(x, centres, errors, freedom).item() - level, *ends))

    return bound(levels[0]), bound(levels[1])


def power(
    mean: float, spread: float, image_error: float, margin: float, levels: tuple[float, float], seeds: int
) -> float:
    """The chance that a new experiment of so many seeds comes to a verdict, if all estimates are true.

    The verdict is the one that is nearer: above zero, or below the margin. Power is that of the t test (noncentral t),
    with the degrees of freedom of Welch and Satterthwaite where images add an error.

    Args:
        mean: the difference.
        spread: standard deviation of the differences over seeds.
        image_error: standard error from the choice of images, in the same unit.
        levels: of the one-sided tests of "above zero" and of "below the margin", after correction.
        seeds: two or more.
    """
    from scipy.stats import nct, t

    distance, level = max((mean, levels[0]), (margin - mean, levels[1]))
    error = math.hypot(spread / math.sqrt(seeds), image_error)
    if error == 0:
        return float(distance > 0)
    freedom = (seeds - 1) * min(error**2 * seeds / spread**2, 1e3) ** 2 if spread else 1e6
    return float(nct.sf(t.isf(level, freedom), freedom, min(distance / error, 1e3)))


def seeds_needed(mean: float, spread: float, image_error: float, margin: float, levels: tuple[float, float]) -> float:
    """Seeds with which a new experiment comes to a verdict with probability `POWER`; arguments as of `power`.

    More seeds do not reduce the error from images, so it may be that no number suffices.

    Returns:
        A number from 2 to `MOST_SEEDS`; NaN where none of them suffices, or where the spread is not known.
    """
    if max(mean, margin - mean) <= 0 or math.isnan(spread):
        return math.nan
    seeds = range(2, MOST_SEEDS + 1)
    place = bisect_left(seeds, POWER, key=lambda number: power(mean, spread, image_error, margin, levels, number))
    return float(seeds[place]) if place < len(seeds) else math.nan


def look_needed(
    mean: float, spread: float, image_error: float, margin: float, looks: Mapping[int, tuple[float, float]]
) -> float:
    """The first of the looks, by their numbers of seeds, that comes to a verdict with probability `POWER`.

    Args:
        looks: the levels of each, as of `power`.

    Returns:
        NaN where none does, or where the spread is not known.
    """
    if math.isnan(spread):
        return math.nan
    enough = (
        seeds for seeds, levels in looks.items() if power(mean, spread, image_error, margin, levels, seeds) >= POWER
    )
    return float(next(enough, math.nan))


def _standard_errors(values: Floats) -> Floats:
    """Standard errors (num_comparisons,) of the means over seeds of values (num_seeds, num_comparisons)."""
    errors: Floats = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return errors


def _share_below(bound: float, centres: Floats, errors: Floats, freedom: int) -> Floats:
    """Of mixtures of t distributions at centres (num_resamples, num_comparisons), the share at or below the bound."""
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = (bound - centres) / errors
    # Zero over zero: no spread, exactly at the bound.
    share: Floats = stdtr(freedom, np.where(np.isnan(scaled), np.inf, scaled)).mean(axis=0)
    return share
