"""Facts about estimates and verdicts: intervals and p values are the known ones, and the rule does what it says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, sem, t, ttest_1samp

from dilt.answers.statistics import (
    Evidence,
    common_errors,
    look_needed,
    paired_interval,
    power,
    seed_and_image_interval,
    seeds_needed,
    weigh,
)
from dilt.answers.verdicts import holm, judge


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_interval_is_that_of_the_paired_t_test(differences: list[float], confidence: float) -> None:
    found = paired_interval(np.array(differences), confidence)
    if np.std(differences) > 1e-6:
        expected = t.interval(confidence, len(differences) - 1, np.mean(differences), sem(differences))
        assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)
    assert found.low <= found.mean <= found.high
    assert found.num_seeds == len(differences)


def test_a_known_example() -> None:
    # Mean 2, standard deviation 1, n = 3; t(0.975, 2) = 4.30265.
    found = paired_interval(np.array([1.0, 2.0, 3.0]), 0.95)
    assert (found.mean, found.effect) == (2, 2)
    assert (found.low, found.high) == pytest.approx((2 - 4.30265 / math.sqrt(3), 2 + 4.30265 / math.sqrt(3)), abs=1e-4)


@pytest.mark.parametrize("differences", [[], [1.0, math.nan], [math.inf, 0.0]])
def test_differences_that_are_not_numbers_are_refused(differences: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        paired_interval(np.array(differences), 0.95)


@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_without_images_p_values_are_those_of_the_t_test(margin: float) -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, (4, 3))
    for column, found in zip(differences.T, weigh(differences, None, margin), strict=True):
        for p_value, bound, side in (
            (found.larger, 0, "greater"),
            (found.no_better, margin, "less"),
            (found.smaller, 0, "less"),
            (found.no_worse, -margin, "greater"),
        ):
            assert p_value == pytest.approx(ttest_1samp(column, bound, alternative=side).pvalue)


def test_where_seeds_do_not_vary_p_values_are_those_of_the_images() -> None:
    errors = norm.ppf((np.arange(1000) + 0.5) / 1000)[:, None]
    (found,) = weigh(np.full((3, 1), 1.5), errors, 1.0)
    assert found.larger == pytest.approx(norm.sf(1.5), abs=0.001)
    assert found.no_better == pytest.approx(norm.sf(-0.5), abs=0.001)
    assert seed_and_image_interval([1.5, 1.5, 1.5], errors[:, 0], 0.9) == pytest.approx((-0.145, 3.145), abs=0.01)


def test_no_spread_at_all_refutes_everything_but_what_is_there() -> None:
    assert weigh(np.zeros((2, 1)), None, 1.0) == [Evidence(larger=1, no_better=0, smaller=1, no_worse=0)]
    assert weigh(np.ones((2, 1)), None, 1.0) == [Evidence(larger=0, no_better=1, smaller=1, no_worse=0)]


@given(st.integers(0, 2**32), st.integers(2, 6), st.sampled_from([0.0, 0.1, 1.0, 10.0]))
def test_the_interval_over_seeds_and_images_belongs_to_the_p_values(seed: int, num_seeds: int, size: float) -> None:
    draws = np.random.default_rng(seed)
    differences, errors = draws.normal(size=num_seeds), size * draws.normal(size=200)
    low, high = seed_and_image_interval(differences, errors, 0.95)
    (at_low,), (at_high,) = (weigh(differences[:, None] - end, errors[:, None], 0) for end in (low, high))
    assert (at_low.larger, at_high.smaller) == pytest.approx((0.025, 0.025), abs=1e-6)
    if size == 0:
        by_t = paired_interval(differences, 0.95)
        assert (low, high) == pytest.approx((by_t.low, by_t.high))


def test_errors_that_seeds_make_each_for_itself_are_not_counted_again() -> None:
    draws = np.random.default_rng(0)
    common, own = draws.normal(size=(1, 4000)), 2 * draws.normal(size=(5, 4000))
    assert common_errors(np.repeat(common, 5, axis=0)) == pytest.approx(common[0])
    assert common_errors(common + own).std() == pytest.approx(1, abs=0.1)
    assert common_errors(own).std() == pytest.approx(0, abs=0.3)
    assert not common_errors(np.zeros((3, 10))).any()


def test_one_seed_has_no_p_values_and_no_verdict() -> None:
    found = weigh([[50.0, 60.0]], np.zeros((10, 2)), 1.0)
    assert all(math.isnan(one.larger) and math.isnan(one.no_worse) for one in found)
    judged = judge(found, LEVEL)
    assert (judged.verdict, judged.verdicts) == ("inconclusive", ["inconclusive"] * 2)
    assert judged.outcomes == ["unclear"] * 2
    assert math.isnan(paired_interval(np.array([50.0]), 0.95).low)
    assert all(map(math.isnan, seed_and_image_interval([50.0], np.zeros(10), 0.95)))


def test_holm_as_worked_by_hand() -> None:
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1, none below the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]).tolist() == [1, 1]
    assert np.isnan(holm([0.01, math.nan])).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_no_correction_and_bonferronis(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert (corrected >= p_values).all()
    assert (corrected <= np.minimum(np.multiply(p_values, len(p_values)), 1) + 1e-12).all()
    assert corrected.min() == pytest.approx(min(1, min(p_values) * len(p_values)))


LEVEL = 0.025
LARGER = Evidence(larger=0.001, no_better=0.9, smaller=0.999, no_worse=0.0001)
SAME = Evidence(larger=0.3, no_better=0.001, smaller=0.7, no_worse=0.001)
SLIGHTLY_LARGER = Evidence(larger=0.001, no_better=0.001, smaller=0.999, no_worse=0.0001)
SMALLER = Evidence(larger=0.999, no_better=0.0001, smaller=0.001, no_worse=0.9)
NO_BETTER = Evidence(larger=0.9, no_better=0.001, smaller=0.1, no_worse=0.5)
OPEN = Evidence(larger=0.1, no_better=0.2, smaller=0.9, no_worse=0.01)


@pytest.mark.parametrize(
    ("evidence", "outcome", "verdict"),
    [
        (LARGER, "larger", "supported"),
        (SLIGHTLY_LARGER, "larger", "supported"),
        (SAME, "no difference", "not supported"),
        (SMALLER, "smaller", "not supported"),
        (NO_BETTER, "unclear", "not supported"),
        (OPEN, "unclear", "inconclusive"),
    ],
)
def test_a_comparison_is_judged_by_what_is_refuted(evidence: Evidence, outcome: str, verdict: str) -> None:
    judged = judge([evidence], LEVEL)
    assert (judged.outcomes, judged.verdicts, judged.verdict) == ([outcome], [verdict], verdict)


def test_a_claim_is_as_strong_as_its_weakest_comparison() -> None:
    assert judge([LARGER, LARGER], LEVEL).verdict == "supported"
    assert judge([LARGER, OPEN], LEVEL).verdict == "inconclusive"
    assert judge([LARGER, OPEN, SMALLER], LEVEL).verdict == "not supported"


def test_more_comparisons_ask_for_more_evidence_against_a_claim_and_not_for_it() -> None:
    nearly = Evidence(larger=0.98, no_better=0.02, smaller=0.02, no_worse=0.9)
    assert judge([nearly], LEVEL).verdicts == ["not supported"]
    assert judge([nearly, OPEN], LEVEL).verdicts == ["inconclusive"] * 2
    assert judge([SMALLER, nearly], LEVEL).verdicts == ["not supported"] * 2, "the second step is at the level itself"
    barely = Evidence(larger=0.02, no_better=0.9, smaller=0.98, no_worse=0.001)
    assert judge([barely] * 9, LEVEL).verdict == "supported"


def test_seeds_needed_as_in_the_tables_of_power() -> None:
    # One-sided .025 and 80 %: 10, 34 and 199 pairs for d = 1, .5 and .2 (Cohen 1988; G*Power).
    assert [seeds_needed(effect, 1, 0, 0, (LEVEL, LEVEL)) for effect in (1, 0.5, 0.2)] == [10, 34, 199]
    assert power(0.5, 1, 0, 0, (LEVEL, LEVEL), 34) == pytest.approx(0.8078, abs=1e-3)
    assert power(0.5, 1, 0, 0, (LEVEL, LEVEL), 33) < 0.8
    assert seeds_needed(1, 1, 0, 0, (LEVEL / 8, LEVEL)) > 10


def test_the_nearer_verdict_has_the_level_of_its_own_test() -> None:
    above, below = 0.025, 0.0125
    refuted = seeds_needed(-1, 1, 0, 1, (above, below))
    assert refuted == seeds_needed(2, 1, 0, 0, (below, above)) > seeds_needed(2, 1, 0, 0, (above, below))
    assert power(-1, 1, 0, 1, (above, below), 5) == power(2, 1, 0, 0, (below, above), 5)


def test_the_look_that_is_needed_is_the_first_with_enough_power_at_its_own_level() -> None:
    looks = {5: (0.005, 0.001), 10: (0.01, 0.002), 15: (0.01, 0.002)}
    powers = [power(1, 1, 0, 0, levels, seeds) for seeds, levels in looks.items()]
    assert [found >= 0.8 for found in powers] == [False, False, True]
    assert look_needed(1, 1, 0, 0, looks) == 15
    assert look_needed(3, 1, 0, 0, looks) == 5
    assert look_needed(1, 1, 0, 0, {15: (0.0001, 0.025)}) != 15
    assert all(math.isnan(look_needed(mean, spread, 0, 0, looks)) for mean, spread in ((0.1, 1), (1, math.nan)))
    assert math.isnan(look_needed(3, 1, 0, 0, {}))


def test_seeds_cannot_make_up_for_too_few_images() -> None:
    levels = (LEVEL, LEVEL)
    assert 10 < seeds_needed(1, 1, 0.3, 0, levels) < 40
    assert math.isnan(seeds_needed(1, 1, 0.4, 0, levels)), "1 / 0.4 is less than 1.96 + 0.84"
    assert math.isnan(seeds_needed(0, 1, 0, 0, levels)), "nothing to be found, nothing to be refuted"
    assert math.isnan(seeds_needed(1, math.nan, 0, 0, levels))
    assert seeds_needed(1, 0, 0, 0, levels) == 2
