"""Facts about simulated power: the tests are the textbook's, false verdicts keep the level, and known values return."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from dilt.answers import power
from dilt.answers.power import Design, Rates, rates
from dilt.answers.verdicts import holm

LEVEL = 0.025
ALLOWED = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / power.EXPERIMENTS)


def test_p_values_are_those_of_t_tests_over_seeds() -> None:
    differences = np.random.default_rng(0).normal(1, 2, (4, 6, 3))
    larger, no_better = power.p_values(differences, 1.5)
    np.testing.assert_allclose(larger, stats.ttest_1samp(differences, 0, axis=1, alternative="greater").pvalue)
    np.testing.assert_allclose(no_better, stats.ttest_1samp(differences, 1.5, axis=1, alternative="less").pvalue)


def equal(seeds: int, spreads: Sequence[float]) -> Design:
    """A claim without a decisive comparison."""
    return Design(seeds, spreads, [False] * len(spreads))


@given(arrays(np.float64, (3, 5), elements=st.floats(0, 1)))
def test_holms_correction_of_many_experiments_is_that_of_each(p_values: np.ndarray) -> None:
    parts = [0.5, *[0.125] * 4]
    np.testing.assert_array_equal(holm(p_values, parts), [holm(row, parts) for row in p_values])


def test_differences_have_the_spread_and_correlation_asked_for() -> None:
    drawn = power.draw(
        Design(4, [1, 3], [False] * 2, correlation=0.5), [0, 5], 20_000, np.random.default_rng(0)
    ).reshape(-1, 2)
    np.testing.assert_allclose(drawn.mean(axis=0), [0, 5], atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), [1, 3], rtol=0.02)
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("comparisons", "seeds", "expected"), [(7, 5, 0.38), (12, 5, 0.27), (3, 5, 0.58), (7, 8, 0.90), (7, 10, 0.98)]
)
def test_power_for_five_points_at_a_spread_of_three_is_what_other_simulations_gave(
    comparisons: int, seeds: int, expected: float
) -> None:
    assert rates(equal(seeds, [3] * comparisons), 5).supported == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("comparisons", [7, 12])
def test_a_decisive_control_that_is_better_is_found_however_many_others_there_are(comparisons: int) -> None:
    false = [5.0] * (comparisons - 1) + [-5.0]
    found = rates(Design(5, [3] * comparisons, [effect < 0 for effect in false]), false)
    assert found.not_supported == pytest.approx(0.78, abs=0.015)
    assert found.supported == 0


def test_one_comparison_has_the_power_of_its_t_test() -> None:
    expected = stats.nct.sf(stats.t.isf(LEVEL, 4), 4, 3 / 3 * np.sqrt(5))
    assert rates(equal(5, [3]), 3).supported == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("spreads", [[3, 3, 3, 3], [1, 2, 8, 15]], ids=str)
def test_false_verdicts_keep_the_level(spreads: list[float]) -> None:
    one_null = [0, *[40] * (len(spreads) - 1)]
    assert 0.01 < rates(equal(5, spreads), one_null).supported <= ALLOWED
    assert 0.01 < rates(equal(5, spreads), 1.0).not_supported <= ALLOWED


def test_the_same_seed_gives_the_same_rates_which_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    design = equal(5, [3, 3])
    assert rates(design, 2, seed=1) == rates(design, 2, seed=1) != rates(design, 2, seed=2)
    assert Rates(0.5, 0.2).inconclusive == pytest.approx(0.3)
    monkeypatch.setattr(power, "DRAWN", 777)  # many small batches instead of one
    assert rates(design, 2).supported == pytest.approx(0.2, abs=0.2)


def test_one_seed_has_no_power() -> None:
    with pytest.raises(ValueError, match="one seed has no verdict"):
        rates(equal(1, [3]), 5)
