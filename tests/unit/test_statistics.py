"""Facts about verdicts: intervals are Student's, and nothing is supported more often than its level allows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from dilt.statistics import Estimate, judge, judge_claim, paired_interval


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_the_paired_t_test(differences: list[float], confidence: float) -> None:
    found = paired_interval(np.array(differences), confidence)
    if np.std(differences) > 1e-6:
        expected = ttest_1samp(differences, 0).confidence_interval(confidence)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert found.low <= found.mean <= found.high
    assert found.num_seeds == len(differences)


def test_a_known_example() -> None:
    # Mean 2, standard deviation 1, n = 3; t(0.975, 2) = 4.30265.
    found = paired_interval(np.array([1.0, 2.0, 3.0]), 0.95)
    assert (found.mean, found.effect) == (2, 2)
    assert (found.low, found.high) == pytest.approx((2 - 4.30265 / math.sqrt(3), 2 + 4.30265 / math.sqrt(3)), abs=1e-4)


def test_one_seed_gives_no_interval_and_no_verdict() -> None:
    found = paired_interval(np.array([50.0]), 0.95)
    assert found.mean == 50
    assert math.isnan(found.low)
    assert judge(found, 1.0) == "inconclusive"


@pytest.mark.parametrize("differences", [[], [1.0, math.nan], [math.inf, 0.0]])
def test_differences_that_are_not_numbers_are_refused(differences: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        paired_interval(np.array(differences), 0.95)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.2, "supported"),
        (0.1, 9.0, "supported"),
        (-0.1, 0.9, "not supported"),
        (-9.0, -5.0, "not supported"),
        (-0.1, 1.1, "inconclusive"),
        (0.0, 5.0, "inconclusive"),
        (math.nan, math.nan, "inconclusive"),
    ],
)
def test_a_verdict_follows_from_the_interval_and_the_margin(low: float, high: float, verdict: str) -> None:
    assert judge(Estimate((low + high) / 2, low, high, 4, 1.0), margin=1.0) == verdict


@pytest.mark.parametrize(("truth", "wrong"), [(0.0, "supported"), (1.0, "not supported")])
@pytest.mark.parametrize("num_seeds", [2, 4])
def test_wrong_verdicts_are_as_rare_as_the_level_says(truth: float, wrong: str, num_seeds: int) -> None:
    draws, trials = np.random.default_rng(0), 2000
    verdicts = [judge(paired_interval(draws.normal(truth, 1, num_seeds), 0.95), 1.0) for _ in range(trials)]
    rate, allowed = verdicts.count(wrong) / trials, 0.025
    assert rate < allowed + 4 * math.sqrt(allowed * (1 - allowed) / trials)
    if wrong == "supported":
        assert rate > allowed - 4 * math.sqrt(allowed * (1 - allowed) / trials)


def test_a_claim_is_as_strong_as_its_weakest_comparison() -> None:
    assert judge_claim(["supported", "supported"]) == "supported"
    assert judge_claim(["supported", "inconclusive"]) == "inconclusive"
    assert judge_claim(["supported", "inconclusive", "not supported"]) == "not supported"
