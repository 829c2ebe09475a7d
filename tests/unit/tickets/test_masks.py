"""Facts about masks: they are sets of weights, and core, specialists and the rest partition the union."""

import numpy as np
import pytest
from builders import DENSE, SHAPES, masks
from hypothesis import given

from dilt.tickets.making import consensus
from dilt.tickets.masks import Mask, intersection, jaccard, specialise, union


def as_set(mask: Mask) -> set[tuple[str, int]]:
    return {(name, int(index)) for name in mask.names for index in np.flatnonzero(mask[name])}


@given(masks(2))
def test_core_specialists_and_the_rest_partition_the_union(trajectories: list[Mask]) -> None:
    named = {f"p{index}": mask for index, mask in enumerate(trajectories)}
    core = intersection(named.values())
    parts = [core, *(specialise(name, named) for name in named), consensus(named, 2) - core]
    times_covered = sum(part.flatten().astype(int) for part in parts)
    assert np.array_equal(times_covered, union(named.values()).flatten().astype(int))
    if len(named) == 2:
        assert parts[-1].count == 0


@given(masks(2, 2))
def test_masks_behave_like_sets_of_weights(pair: list[Mask]) -> None:
    first, second = pair
    assert as_set(first & second) == as_set(first) & as_set(second)
    assert as_set(first | second) == as_set(first) | as_set(second)
    assert as_set(first - second) == as_set(first) - as_set(second)
    assert (first <= second) == (as_set(first) <= as_set(second))
    assert (first == second) == (as_set(first) == as_set(second))
    assert first & second <= first <= first | second


@given(masks(1))
def test_intersection_and_union_of_many_are_those_of_sets(many: list[Mask]) -> None:
    sets = [as_set(mask) for mask in many]
    assert as_set(intersection(many)) == set.intersection(*sets)
    assert as_set(union(many)) == set.union(*sets)


@given(masks(2, 2))
def test_jaccard_is_intersection_over_union_and_one_only_for_equal_masks(pair: list[Mask]) -> None:
    first, second = (as_set(mask) for mask in pair)
    expected = len(first & second) / len(first | second) if first | second else 1.0
    assert jaccard(*pair) == jaccard(*pair[::-1]) == expected
    assert (jaccard(*pair) == 1) == (pair[0] == pair[1])


@given(masks(1, 1))
def test_unflatten_is_the_inverse_of_flatten(one: list[Mask]) -> None:
    assert DENSE.unflatten(one[0].flatten(), "again") == one[0]


def test_densities_are_shares_of_each_layer_and_of_the_whole() -> None:
    mask = Mask({"wide": np.array([[True, False, False, False]] * 3), "narrow": np.array([True, True])})
    assert mask.densities == {"wide": 0.25, "narrow": 1.0}
    assert mask.density == 5 / 14
    assert (mask.count, mask.size, mask.counts) == (5, 14, {"wide": 3, "narrow": 2})
    assert Mask.full(SHAPES).density == 1


def test_equality_ignores_where_a_mask_comes_from() -> None:
    assert DENSE.with_origin("elsewhere") == DENSE
    assert DENSE != "a mask"
    with pytest.raises(TypeError, match="unhashable"):
        hash(DENSE)


def test_set_algebra_keeps_the_provenance() -> None:
    a, b = DENSE.with_origin("a"), DENSE.with_origin("b")
    assert ((a & b) - (a | b)).origin == "((a & b) - (a | b))"


@pytest.mark.parametrize(
    "other",
    [
        Mask.full({"first": (4, 3)}, "one layer"),
        Mask.full(SHAPES | {"third": (1, 5)}, "one layer"),
        Mask.full({"1st" if name == "first" else name: shape for name, shape in SHAPES.items()}, "one layer"),
    ],
    ids=["fewer layers", "another shape", "another name"],
)
def test_masks_of_different_layers_do_not_combine(other: Mask) -> None:
    assert other != DENSE
    for combine in (Mask.__and__, Mask.__or__, Mask.__sub__, Mask.__le__, jaccard):
        with pytest.raises(ValueError, match="'dense' and 'one layer' cover different layers"):
            combine(DENSE, other)


def test_a_mask_cannot_be_changed() -> None:
    given_array = np.zeros((2, 2), dtype=bool)
    mask = Mask({"layer": given_array})
    given_array[:] = True
    assert mask.count == 0
    with pytest.raises(ValueError, match="read-only"):
        mask["layer"][0, 0] = True
    with pytest.raises(TypeError):
        mask.layers["layer"] = given_array  # type: ignore[index]


def test_a_mask_is_boolean_and_has_a_layer() -> None:
    with pytest.raises(ValueError, match="'layer' is float64"):
        Mask({"layer": np.ones(3)})
    with pytest.raises(ValueError, match="at least one layer"):
        Mask({})
