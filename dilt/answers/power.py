"""How often a claim comes to each verdict, in simulated experiments whose truth is known.

An experiment has a difference in points for each of its seeds and primary comparisons, all with the same ticket. The
rule is that of `verdicts`, for many experiments at once; test images add no error here. Pure numbers in, numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dilt.answers.statistics import Floats
from dilt.answers.verdicts import holm, shares

EXPERIMENTS = 10_000
SHARED_ARM = 0.5  # correlation of differences from one ticket, where ticket and controls vary alike
DRAWN = 5_000_000  # numbers at a time


@dataclass(frozen=True)
class Design:
    """A claim's primary comparisons in an experiment that is planned.

    Attributes:
        seeds: number of seeds, two or more.
        spreads: standard deviation over seeds of each comparison's differences, in points.
        decisive: which comparisons share half of the level of "not supported".
        margin: smallest difference worth having, in points.
        confidence: of the intervals; tests are one-sided at (1 - confidence) / 2.
        correlation: of the differences of two comparisons.
    """

    seeds: int
    spreads: Sequence[float]
    decisive: Sequence[bool]
    margin: float = 1.0
    confidence: float = 0.95
    correlation: float = SHARED_ARM

    @property
    def level(self) -> float:
        """Of each one-sided test."""
        return (1 - self.confidence) / 2


@dataclass(frozen=True)
class Rates:
    """Shares of the experiments with each verdict on the claim."""

    supported: float
    not_supported: float

    @property
    def inconclusive(self) -> float:
        """The other experiments."""
        return 1 - self.supported - self.not_supported


def rates(design: Design, effects: ArrayLike, experiments: int = EXPERIMENTS, seed: int = 0) -> Rates:
    """How often the claim is supported and not supported.

    Args:
        effects: the true difference of each comparison in points, shape (num_comparisons,), or one for all.
        seed: of the draws; the same gives the same rates.

    Raises:
        ValueError: fewer than two seeds, of which no verdict comes.
    """
    if design.seeds < 2:
        raise ValueError("one seed has no verdict; plan with two or more")
    draws = np.random.default_rng(seed)
    size = max(1, DRAWN // (design.seeds * len(design.spreads)))
    supported = refuted = 0
    for start in range(0, experiments, size):
        differences = draw(design, effects, min(size, experiments - start), draws)
        larger, no_better = p_values(differences, design.margin)
        above = larger <= design.level
        below = holm(no_better, shares(design.decisive)) <= design.level
        holds = above.all(axis=1)
        supported += int(holds.sum())
        refuted += int((~holds & (below & ~above).any(axis=1)).sum())
    return Rates(supported / experiments, refuted / experiments)


def draw(design: Design, effects: ArrayLike, experiments: int, draws: np.random.Generator) -> Floats:
    """Differences in points, shape (num_experiments, num_seeds, num_comparisons): normal, equally correlated."""
    number = len(design.spreads)
    common = draws.standard_normal((experiments, design.seeds, 1))
    own = draws.standard_normal((experiments, design.seeds, number))
    mixed = math.sqrt(design.correlation) * common + math.sqrt(1 - design.correlation) * own
    found: Floats = np.asarray(effects, dtype=np.float64) + mixed * np.asarray(design.spreads, dtype=np.float64)
    return found


def p_values(differences: Floats, margin: float) -> tuple[Floats, Floats]:
    """One-sided p values of t tests over seeds: that a difference is zero or less, that it is the margin or more.

    Args:
        differences: shape (num_experiments, num_seeds, num_comparisons).

    Returns:
        Two arrays of shape (num_experiments, num_comparisons).
    """
    from scipy.special import stdtr

    seeds = differences.shape[1]
    means = differences.mean(axis=1)
    errors = differences.std(axis=1, ddof=1) / math.sqrt(seeds)
    return stdtr(seeds - 1, -means / errors), stdtr(seeds - 1, (means - margin) / errors)
