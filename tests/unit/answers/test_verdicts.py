"""Facts about the rule: what each p value makes of a comparison, and all of them of a claim."""

import math

import numpy as np
import pytest

from dilt.answers.statistics import Evidence
from dilt.answers.verdicts import conclude, holm, judge, look_levels, shares

LARGER, REFUTED = Evidence(0.001, 1, 0.999, 0), Evidence(0.9, 0.001, 0.1, 0.1)
OPEN, SMALLER = Evidence(0.3, 0.7, 0.7, 0.3), Evidence(0.999, 0.0001, 0.001, 0.5)


def test_weighted_holm_by_hand() -> None:
    # p / weight: .02 / .5 = .04, .01 / .25 = .04, .06 / .25 = .24. The first two may take all of the level in turn.
    assert holm([0.02, 0.012, 0.06], [0.5, 0.25, 0.25]).tolist() == pytest.approx([0.04, 0.04, 0.06])
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == [1, 1]
    assert np.isnan(holm([0.01, math.nan])).all()


def test_a_decisive_control_has_half_of_the_level() -> None:
    assert shares([True, False, False]).tolist() == [0.5, 0.25, 0.25]
    assert shares([True, True, False]).tolist() == [0.25, 0.25, 0.5]
    assert shares([False, False]).tolist() == shares([True, True]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("p", "verdict"), [(0.012, "not supported"), (0.013, "inconclusive")])
def test_its_p_value_counts_twice_however_many_others_there_are(p: float, verdict: str) -> None:
    decisive, others = Evidence(0.9, p, 0.1, 0.1), [OPEN] * 11
    assert judge([decisive, *others], 0.025, [True, *[False] * 11]).verdict == verdict
    assert judge([decisive, *others], 0.025).verdict == "inconclusive"


def test_a_claim_is_supported_when_each_comparison_is_larger_at_its_own_level() -> None:
    barely = Evidence(0.025, 0.9, 0.975, 0)
    judged = judge([barely] * 12, 0.025)
    assert judged.verdict == "supported"
    assert judged.p_larger.tolist() == pytest.approx([0.3] * 12), "Holm's p is told, and decides nothing"
    assert judge([*[LARGER] * 11, OPEN], 0.025).verdict == "inconclusive"


def test_one_refuted_comparison_refutes_the_claim() -> None:
    judged = judge([LARGER, REFUTED, OPEN, SMALLER], 0.025)
    assert judged.verdicts == ["supported", "not supported", "inconclusive", "not supported"]
    assert judged.outcomes == ["larger", "unclear", "unclear", "smaller"]
    assert judged.verdict == "not supported"


def test_within_the_margin_on_both_sides_is_no_difference() -> None:
    assert judge([Evidence(0.3, 0.01, 0.7, 0.01)], 0.025).outcomes == ["no difference"]


def test_a_flagged_comparison_decides_nothing_and_holds_a_claim_back() -> None:
    assert judge([LARGER, LARGER], 0.025, flagged=[False, True]).verdict == "inconclusive"
    assert judge([REFUTED, LARGER], 0.025, flagged=[True, False]).verdict == "inconclusive"
    assert judge([REFUTED, LARGER], 0.025, flagged=[False, True]).verdict == "not supported"


def test_levels_of_looks_add_up() -> None:
    assert look_levels([5, 10, 15], 0.025).tolist() == pytest.approx([0.005, 0.01, 0.01])
    assert look_levels([5], 0.025).tolist() == [0.025]
    assert look_levels([4, 8, 12, 16], 0.1).sum() == pytest.approx(0.1)


def test_one_seed_decides_nothing() -> None:
    nothing = Evidence(*[math.nan] * 4)
    judged = judge([nothing, nothing], 0.025)
    assert judged.verdict == conclude(judged.verdicts) == "inconclusive"
