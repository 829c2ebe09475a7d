"""Facts about assemblies: which weights live in each, and where their values come from."""

import numpy as np
import pytest
from builders import material, random_weights

from dilt.assembly import Weights, assemblies
from dilt.masks import Mask
from dilt.storage import Tensors
from dilt.tickets import specialise

MASKS = dict(material(["low", "high"]).partitions)
SHAPES = MASKS["low"].shapes
CORE = MASKS["low"] & MASKS["high"]
THETA0 = random_weights(7, SHAPES)
TRAINED = {"low": random_weights(8, SHAPES), "high": random_weights(9, SHAPES)}


def made(trained: dict[str, Weights] | None = None, partition: str = "low") -> dict[str, tuple[Tensors, Mask]]:
    return assemblies(partition, MASKS, trained or TRAINED, THETA0, seed=0)


def assert_equal(found: Weights, expected: Weights, on: Mask) -> None:
    for name in on.names:
        assert np.array_equal(found[name][on[name]], expected[name][on[name]]), name


def test_pruned_weights_are_zero_in_every_assembly() -> None:
    assert list(made()) == [
        *("intact", "intact-specialist", "intact-random", "core"),
        *("core+specialist-low", "core+specialist-high", "core+random"),
    ]
    for assembly, (weights, mask) in made().items():
        assert all(not weights[name][~mask[name]].any() for name in mask.names), assembly
        assert all(weights[name].dtype == np.float32 for name in mask.names), assembly


@pytest.mark.parametrize("partition", ["low", "high"])
def test_intact_is_the_partitions_own_network(partition: str) -> None:
    weights, mask = made(partition=partition)["intact"]
    assert mask == MASKS[partition]
    assert_equal(weights, TRAINED[partition], mask)


def test_core_and_specialist_of_two_partitions_have_exactly_the_partitions_mask() -> None:
    for partition in MASKS:
        weights, mask = made()[f"core+specialist-{partition}"]
        assert mask == MASKS[partition]
        assert_equal(weights, TRAINED[partition], specialise(partition, MASKS))
        assert_equal(weights, made()["core"][0], CORE)


def test_the_cores_weights_are_the_mean_of_the_networks() -> None:
    weights, mask = made()["core"]
    assert mask == CORE
    for name in mask.names:
        expected = (TRAINED["low"][name] + TRAINED["high"][name]) / 2
        assert weights[name][mask[name]] == pytest.approx(expected[mask[name]])


def test_the_mean_of_equal_networks_is_the_network() -> None:
    equal = dict.fromkeys(MASKS, TRAINED["low"])
    assert_equal(made(equal)["core+specialist-low"][0], TRAINED["low"], MASKS["low"])


def test_random_weights_are_as_many_as_the_specialists_and_lie_outside_the_core() -> None:
    weights, mask = made()["core+random"]
    drawn = mask - CORE
    assert (CORE - mask).count == 0
    assert drawn.counts == specialise("low", MASKS).counts
    assert_equal(weights, THETA0, drawn)
    assert_equal(weights, made()["core"][0], CORE)


def test_ablations_lose_the_specialist_or_as_many_random_weights() -> None:
    own, specialist = MASKS["low"], specialise("low", MASKS)
    (without, left), (with_random, kept) = made()["intact-specialist"], made()["intact-random"]
    assert left == own - specialist
    assert (own - kept).counts == specialist.counts
    assert kept <= own
    assert_equal(without, TRAINED["low"], left)
    assert_equal(with_random, TRAINED["low"], kept)


def test_assemblies_follow_from_the_seed() -> None:
    other = assemblies("low", MASKS, TRAINED, THETA0, seed=1)
    changed = {name for name in other if other[name][1] != made()[name][1]}
    assert changed == {"intact-random", "core+random"}
    assert all(made()[name][1] == mask for name, (_, mask) in made().items())
