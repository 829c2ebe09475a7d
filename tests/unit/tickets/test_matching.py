"""Facts about matching by effective weights: the nearest number is found, and layers keep their proportion."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from builders import material
from hypothesis import given
from hypothesis import strategies as st

from dilt.tickets.making import Material, make_tickets
from dilt.tickets.masks import Mask
from dilt.tickets.matching import nearest, scaled
from dilt.tickets.selection import CORE_CONTROLS, UNION_CONTROLS


def first(count: int, size: int = 100) -> Mask:
    return Mask({"layer": np.arange(size) < count})


def jumping(*numbers: int) -> Callable[[Mask], Mask]:
    """Effective are the largest of some numbers of first weights that a mask has."""
    return lambda mask: first(max(number for number in (0, *numbers) if number <= mask.count))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (0, 0),
        (10, 10),  # reached exactly
        (13, 10),  # nearer than 20
        (15, 10),  # as near as 20, and sparser
        (16, 20),
        (50, 20),  # there is nothing above 20
    ],
)
def test_the_nearest_number_of_effective_weights_is_found(wanted: int, count: int) -> None:
    assert jumping(10, 20)(nearest(first, wanted, (0, 100), jumping(10, 20))).count == count


@given(st.lists(st.integers(1, 400), max_size=30), st.integers(0, 400), st.integers(0, 50))
def test_none_that_was_not_tried_is_nearer(numbers: list[int], wanted: int, least: int) -> None:
    tried, effective = [], jumping(*numbers)

    def at(count: int) -> Mask:
        tried.append(count)
        return first(count, 400)

    found = nearest(at, wanted, (least, 400), effective)
    distances = [abs(effective(first(count, 400)).count - wanted) for count in range(least, 401)]
    assert abs(effective(found).count - wanted) == min(distances)
    assert least <= min(tried) <= max(tried) <= 400
    assert len(tried) <= 2 * np.log2(400) + 4


def test_layers_keep_their_proportion_until_they_are_full() -> None:
    room = {"a": 10, "b": 100, "c": 5}
    assert scaled({"a": 6, "b": 3, "c": 0}, room, 9) == {"a": 6, "b": 3, "c": 0}
    assert scaled({"a": 6, "b": 3, "c": 0}, room, 4) == {"a": 3, "b": 1, "c": 0}  # 2.67 and 1.33
    assert scaled({"a": 6, "b": 3, "c": 0}, room, 30) == {"a": 10, "b": 20, "c": 0}
    assert scaled({"a": 6, "b": 3, "c": 0}, room, 112) == {"a": 10, "b": 100, "c": 2}
    assert scaled({"a": 0, "b": 0, "c": 0}, room, 23) == {"a": 2, "b": 20, "c": 1}
    with pytest.raises(ValueError, match="116 weights to keep, but there are only 115"):
        scaled({"a": 6, "b": 3, "c": 0}, room, 116)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6), st.floats(0, 1))
def test_scaled_numbers_add_up_within_their_room(layers: list[tuple[int, int]], share: float) -> None:
    counts = {str(i): min(pair) for i, pair in enumerate(layers)}
    room = {str(i): max(pair) for i, pair in enumerate(layers)}
    total = round(share * sum(room.values()))
    found = scaled(counts, room, total)
    assert sum(found.values()) == total
    assert all(0 <= found[name] <= room[name] for name in room)
    if total == sum(counts.values()):
        assert found == counts


def on_a_path(mask: Mask) -> Mask:
    """The effective weights of two linear layers, one after the other, by search."""
    one, two = mask["first"], mask["second"][:, :5]
    between = one.any(axis=1)[:6] & np.append(two.any(axis=0), False)[:6]
    kept = {"first": one.copy(), "second": mask["second"].copy()}
    kept["first"][:6] &= between[:, None]
    kept["second"] &= between[None, :5]
    return Mask(kept)


# What the core and the union are compared with, and a control that only a user asks for.
COMPARED = [
    *CORE_CONTROLS,
    *UNION_CONTROLS,
    *(f"{null}-{p}@{of}" for p in ("low", "high") for null, of in (("null-core", "core"), ("null-union", "union"))),
    "shuffled@union",
]


def matched(made_from: Material, effective: Callable[[Mask], Mask] | None) -> dict[str, Mask]:
    return make_tickets(replace(made_from, effective=effective), ["core", "union", *COMPARED])


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_controls_have_the_effective_weights_of_their_reference(scope: str) -> None:
    made_from = material(["low", "high"], scope=scope, round_=3)
    by_weights, by_paths = matched(made_from, None), matched(made_from, on_a_path)
    off = {"weights": 0, "paths": 0}
    for name in COMPARED:
        reference = by_paths[name.partition("@")[2]]
        wanted = on_a_path(reference).count
        if name.startswith(("shuffled", "reinit")):
            assert by_paths[name] == by_weights[name], name
            continue
        off["weights"] += abs(on_a_path(by_weights[name]).count - wanted)
        off["paths"] += abs(on_a_path(by_paths[name]).count - wanted)
        assert abs(on_a_path(by_paths[name]).count - wanted) <= abs(on_a_path(by_weights[name]).count - wanted), name
        if name.startswith("core+random"):
            assert by_paths["core"] <= by_paths[name]
    assert off["paths"] < off["weights"]


def test_where_all_weights_are_effective_both_ways_to_match_are_one() -> None:
    made_from = material(["low", "high"])
    assert matched(made_from, lambda mask: mask) == matched(made_from, None)
