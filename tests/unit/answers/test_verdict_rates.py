"""Facts about verdicts in simulated experiments: wrong ones are as rare as the level says, planted ones are found.

Three comparisons share a ticket, its seeds and its test images; each image is right or wrong. `benchmarks/verdicts.py`
prints fuller tables.
"""

import math

import pytest

from benchmarks.verdicts import LEVEL, MARGIN, World, draw, judgements, rates
from dilt.answers.statistics import Evidence

EXPERIMENTS = 2000
# What 2,000 experiments may show of a rate at the level by chance: it, and three standard errors.
ALLOWED = LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / EXPERIMENTS)


def evidence(
    gains: tuple[float, ...], seeds: int, number: int = EXPERIMENTS, own: float = 0.3, with_images: bool = True
) -> list[list[Evidence]]:
    world = World(gains, seeds, images=150, spread=1.0, own=own)
    return [each for some in draw(world, number, seed=1) for each in some.evidence(with_images)]


@pytest.mark.parametrize("seeds", [3, 5])
def test_where_nothing_is_better_nothing_is_supported(seeds: int) -> None:
    comparison, any_comparison, claim = rates(judgements(evidence((0, 0, 0), seeds)), "supported")
    assert claim <= comparison <= any_comparison <= ALLOWED < 0.05
    assert comparison > 0


@pytest.mark.parametrize("seeds", [3, 5])
def test_one_control_that_is_as_good_is_enough_to_hold_a_claim_back(seeds: int) -> None:
    found = rates(judgements(evidence((0, 30, 30), seeds)), "supported")
    assert found[2] <= ALLOWED
    assert found[1] > 0.8, "the other controls are beaten"


@pytest.mark.parametrize("seeds", [3, 5])
def test_what_is_better_by_the_margin_is_not_refuted(seeds: int) -> None:
    comparison, any_comparison, claim = rates(judgements(evidence((MARGIN,) * 3, seeds)), "not supported")
    assert comparison <= any_comparison == claim <= ALLOWED


def test_seeds_alone_mistake_the_choice_of_images_for_a_difference() -> None:
    by_seeds = rates(judgements(evidence((0, 0, 0), 5, with_images=False)), "supported")[1]
    assert by_seeds > 0.05


def test_a_planted_difference_is_found_and_its_absence_too() -> None:
    assert rates(judgements(evidence((15, 15, 15), 5, 400, own=0.05)), "supported")[2] > 0.8
    assert rates(judgements(evidence((-10, 0, 0), 5, 400, own=0.05)), "not supported")[2] > 0.8
