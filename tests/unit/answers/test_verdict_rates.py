"""Facts about verdicts in simulated experiments: wrong ones are as rare as the level says, planted ones are found.

Comparisons share a ticket, its seeds and its test images. `benchmarks/verdicts.py` prints fuller tables.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.verdicts import (
    AT_MARGIN,
    FOUND,
    LEVEL,
    LOST,
    NULL,
    ONE_NULL,
    SD3,
    UNEQUAL,
    World,
    draw,
    rates,
    simulated,
)
from dilt.answers.verdicts import judge

EXPERIMENTS = 1500
# What so many experiments may show of a rate at the level by chance: it, and three standard errors.
ALLOWED = LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / EXPERIMENTS)
WITH_IMAGES = World((0.0,) * 3, 5, images=150)
EIGHT = World(NULL, 8, spread=SD3)
SETTINGS = {
    "three seeds and images": replace(WITH_IMAGES, seeds=3),
    "five seeds and images": WITH_IMAGES,
    "collapse and images": replace(WITH_IMAGES, collapse=0.1),
    "eight seeds": EIGHT,
    "unequal spreads": replace(EIGHT, spread=UNEQUAL),
    "collapse": replace(EIGHT, collapse=0.02),
    "little headroom": replace(EIGHT, accuracy=0.985, spread=0.3),
    "looks": replace(EIGHT, seeds=15, looks=(5, 10, 15)),
    "looks and unequal spreads": replace(EIGHT, seeds=15, looks=(5, 10, 15), spread=UNEQUAL),
}
ALL = pytest.mark.parametrize("world", SETTINGS.values(), ids=SETTINGS)


def of(world: World, truth: tuple[float, ...]) -> World:
    return replace(world, gains=truth[: len(world.gains)])


@ALL
def test_one_control_that_is_as_good_is_enough_to_hold_a_claim_back(world: World) -> None:
    assert rates(simulated(of(world, ONE_NULL), EXPERIMENTS), "supported")[2] <= ALLOWED


@ALL
def test_what_is_better_by_the_margin_is_not_refuted(world: World) -> None:
    comparison, any_comparison, claim = rates(simulated(of(world, AT_MARGIN), EXPERIMENTS), "not supported")
    assert comparison <= any_comparison == claim <= ALLOWED


def test_a_ceiling_and_collapsed_runs_decide_nothing() -> None:
    ceiling = replace(EIGHT, accuracy=0.995, spread=0.1)
    collapsed = replace(EIGHT, collapse=1.0)
    for world in (ceiling, collapsed, of(collapsed, FOUND), of(collapsed, LOST)):
        assert rates(simulated(world, 100), "inconclusive") == (1, 1, 1)


def test_seeds_alone_mistake_the_choice_of_images_for_a_difference() -> None:
    (some,) = draw(WITH_IMAGES, EXPERIMENTS, seed=1)
    larger = np.array([[one.larger for one in compared] for compared in some.evidence(with_images=False)])
    assert (larger <= LEVEL).mean() > 0.05
    larger = np.array([[one.larger for one in compared] for compared in some.evidence()])
    assert (larger <= LEVEL).mean() <= ALLOWED


def test_eight_seeds_find_five_points_over_seven_controls_nine_times_in_ten() -> None:
    assert rates(simulated(of(EIGHT, FOUND), EXPERIMENTS), "supported")[2] > 0.87
    assert rates(simulated(of(EIGHT, LOST), EXPERIMENTS), "not supported")[2] > 0.87


def test_half_of_the_level_on_the_decisive_control_finds_its_failure_sooner() -> None:
    some = next(draw(of(replace(EIGHT, seeds=5), LOST), EXPERIMENTS, seed=1)).evidence()
    weighted = [judge(compared, LEVEL, [True, *[False] * 6]).verdict for compared in some]
    equal = [judge(compared, LEVEL).verdict for compared in some]
    assert weighted.count("not supported") > 1.2 * equal.count("not supported")


def test_looks_find_as_much_with_fewer_seeds() -> None:
    found = simulated(of(SETTINGS["looks"], FOUND), EXPERIMENTS)
    assert rates(found, "supported")[2] > 0.97
    assert np.mean([seeds for _, seeds in found]) < 12
