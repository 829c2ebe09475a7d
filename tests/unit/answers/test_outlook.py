"""Facts about what would change a verdict: it is told in numbers, and never asks to go on where answers were seen."""

import math
import re

import pytest

from dilt.answers.outlook import change
from dilt.answers.wording import reason
from dilt.settings.answers import Claims
from tests.unit.answers.test_wording import HIGH, LESS, LOOKS, LOST, OPEN, SURE, WORSE, at


def test_an_open_claim_tells_how_many_seeds_a_new_experiment_takes() -> None:
    assert change([SURE, LESS, OPEN], Claims()) == (
        "If difference and spread are as seen, a new experiment of 23 seeds would give the least sure comparison a "
        "verdict four times in five."
    )
    none = change([OPEN | {"seeds_needed": math.nan}], Claims())
    assert "no number of seeds would" in none
    assert "nan" not in none


def test_an_open_claim_points_to_a_look_to_come_and_after_the_last_to_a_new_experiment() -> None:
    before = at([SURE, OPEN], 5, 0.005, seeds_needed=15.0)
    assert "the look at 15 seeds would probably give" in change(before, LOOKS)
    none = at([SURE, OPEN], 10, 0.01, seeds_needed=math.nan)
    assert "none of the looks to come would probably give" in change(none, LOOKS)
    last = at([SURE, OPEN], 15, 0.01, seeds_needed=40.0)
    assert "a new experiment of 40 seeds would give" in change(last, LOOKS)
    first = at([SURE | {"verdict": "inconclusive"}], 3, 0.0, seeds_needed=5.0)
    assert "the look at 5 seeds would probably give" in change(first, LOOKS)


def test_one_seed_needs_another() -> None:
    assert change(at([OPEN], 1, 0.025), Claims()).startswith("A new experiment of two or more seeds")


def test_a_flag_is_not_lifted_by_seeds_and_its_cure_is_told() -> None:
    flagged = "No number of seeds makes it supported while {} nothing: that takes {}."
    assert change([SURE, HIGH], Claims()) == flagged.format("1 comparison decides", "a sparser round or harder data")
    both = change([SURE, OPEN, HIGH, LOST], Claims())
    assert both.startswith("If difference and spread are as seen, a new experiment of 23 seeds")
    cures = "a sparser round or harder data and a training in which all runs learn: longer, or gentler"
    assert both.endswith(flagged.format("2 comparisons decide", cures))


def test_a_supported_claim_tells_how_much_its_weakest_comparison_could_lose() -> None:
    told = change([SURE | {"low_points": 1.5}, LESS | {"low_points": 0.4}], Claims())
    assert told.startswith("Not more seeds of this experiment: its verdict stands. A new experiment at another round")
    assert "the least sure difference would have to come out smaller by about 0.4 points" in told


def test_a_refuted_claim_tells_what_its_comparisons_lack_and_what_margin_would_have_left_it_open() -> None:
    below = WORSE | {"low_points": -5.0, "high_points": -1.0}
    told = change([SURE, OPEN, below], Claims())
    assert "the comparison against it would have to come out better, the surest by about 2.0 points" in told
    assert told.endswith("No smaller margin would have left the claim open.")
    small = {"low_points": -0.5, "p_no_better_holm": 0.02}
    two = [WORSE | small | {"high_points": 0.3}, WORSE | small | {"high_points": 0.6, "p_no_better_holm": 0.024}]
    told = change([SURE, *two, LOST], Claims())
    assert "both comparisons against it would have to come out better, the surest by about 0.7 points" in told
    assert "all 3 comparisons against it" in change([*two, below], Claims())
    assert told.endswith("A margin below about 0.3 points, fixed beforehand, would have left the claim open.")


def test_the_interval_over_images_counts_where_there_is_one() -> None:
    told = change([SURE | {"bootstrap_low_points": 0.2, "bootstrap_high_points": 3.5}], Claims())
    assert "smaller by about 0.2 points" in told


@pytest.mark.parametrize("settings", [Claims(), LOOKS], ids=["once", "looks"])
@pytest.mark.parametrize("needed", [10.0, math.nan])
@pytest.mark.parametrize("seeds", [3, 5, 15])
def test_nobody_is_told_to_add_seeds_and_look_again(settings: Claims, needed: float, seeds: int) -> None:
    rows = at([SURE, OPEN, LOST], seeds, 0.01, seeds_needed=needed)
    for words in (reason(rows, settings, seeds), change(rows, settings)):
        assert not re.search(r"\b(add|again|(more|further|additional) seeds)\b", words, re.IGNORECASE)
