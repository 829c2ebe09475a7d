"""Facts about null specialists: a specialist's number of weights, of what partition and sibling do not share first."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from builders import FakeLadder, material

from dilt.tickets.ladders import kept_by_one
from dilt.tickets.making import Material, make_tickets
from dilt.tickets.masks import Mask

ALL = pytest.mark.parametrize(
    "made_from",
    [
        material(names, seed, scope, round_)
        for names in (["low", "high"], ["a", "b", "c"])
        for seed, round_ in ((0, 1), (1, 2), (0, 3), (1, 4))
        for scope in ("global", "layerwise")
    ],
    ids=lambda m: f"{len(m.partitions)} partitions, {m.scope}, round {m.round}",
)


def names(partition: str) -> list[str]:
    """A partition's null specialist by itself and joined to the core, each with its reference, and the core."""
    alone, joined = f"specialist-{partition}", f"core+specialist-{partition}"
    return [f"null-{alone}@{alone}", alone, f"core+null-{alone}@{joined}", joined, "core"]


def made(partition: str, made_from: Material) -> list[Mask]:
    return list(make_tickets(made_from, names(partition)).values())


def masks(partition: str, made_from: Material) -> tuple[Mask, Mask]:
    """What the partition and its sibling kept."""
    runs = made_from.partitions[partition], made_from.siblings[partition]
    own, sibling = (run.mask(made_from.round) for run in runs)
    return own, sibling


@ALL
def test_they_have_exactly_the_number_of_weights_of_their_specialist(made_from: Material) -> None:
    for partition in made_from.partitions:
        null, specialist, joined, with_core, core = made(partition, made_from)
        assert null.count == specialist.count > 0
        assert joined.count == with_core.count == core.count + specialist.count


@ALL
def test_one_by_itself_is_what_the_partition_kept_and_its_sibling_did_not_as_far_as_it_reaches(
    made_from: Material,
) -> None:
    for partition in made_from.partitions:
        own, sibling = masks(partition, made_from)
        null, *_ = made(partition, made_from)
        unshared = own - sibling
        assert null <= own
        assert null <= unshared if null.count <= unshared.count else unshared <= null


@ALL
def test_one_joined_to_the_core_is_what_the_sibling_kept_and_the_partition_did_not_as_far_as_it_reaches(
    made_from: Material,
) -> None:
    for partition in made_from.partitions:
        own, sibling = masks(partition, made_from)
        _, specialist, joined, with_core, core = made(partition, made_from)
        added, unshared = joined - core, sibling - own
        assert core <= joined
        assert added <= sibling
        assert added <= unshared if added.count <= unshared.count else unshared <= added
        assert added != specialist
        assert joined != with_core


def test_both_reach_as_far_as_and_farther_than_what_is_not_shared() -> None:
    """So that the two facts above are not stated of one case alone."""
    cases = set()
    for partitions in (["low", "high"], ["a", "b", "c"]):
        for round_ in (1, 2, 3, 4):
            made_from = material(partitions, round_=round_)
            for partition in partitions:
                own, sibling = masks(partition, made_from)
                null, *_ = made(partition, made_from)
                cases.add(null.count <= (own - sibling).count)
    assert cases == {True, False}


def test_two_partitions_leave_nothing_but_the_specialist_outside_the_core() -> None:
    made_from = material(["low", "high"])
    own, _ = masks("low", made_from)
    _, specialist, joined, with_core, core = made("low", made_from)
    assert own - core == specialist
    assert with_core == own
    assert not joined - core <= own


def run(kept: list[bool], weights: list[float]) -> FakeLadder:
    """A run of one round on two layers, of four and of two weights."""
    cut = {"first": slice(0, 4), "second": slice(4, 6)}
    mask = Mask({name: np.array(kept)[part] for name, part in cut.items()})
    return FakeLadder(
        [Mask.full(mask.shapes), mask], [{name: np.array(weights, np.float32)[part] for name, part in cut.items()}]
    )


def ranked(first: FakeLadder, second: FakeLadder) -> list[float]:
    order = kept_by_one(first, second, 1)
    return [float(value) for name in ("first", "second") for value in order[name]]


def test_what_one_kept_comes_first_then_what_the_other_would_prune_next() -> None:
    first = run([True, True, True, True, True, False], [0.2, -0.9, 0.5, 0.3, 0.4, 0.7])
    second = run([False, False, True, True, False, True], [0.1, 0.1, -0.8, 0.05, 0.3, 0.2])
    order = ranked(first, second)
    assert list(np.argsort(order)[::-1]) == [1, 4, 0, 3, 2, 5]
    assert order[5] == 0 < min(order[:5])


def test_the_order_holds_for_weights_of_any_size() -> None:
    close = 1e-9
    first = run([True] * 6, [0.0, close, 2 * close, 1e4, 1.0, 1.0])
    second = run([False, False, False, False, True, True], [1.0, 1.0, 1.0, 1.0, 0.0, close])
    assert list(np.argsort(ranked(first, second))[::-1]) == [3, 2, 1, 0, 4, 5]


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_matched_by_effective_weights_they_end_where_their_candidates_end(scope: str) -> None:
    made_from = material(["low", "high"], scope=scope)
    own, sibling = masks("low", made_from)
    _, specialist, _, with_core, core = made("low", made_from)
    dense = Mask.full(core.shapes)

    def matched(effective: Callable[[Mask], Mask]) -> tuple[Mask, Mask]:
        null, _, joined, *_ = made("low", replace(made_from, effective=effective))
        return null, joined

    # As many effective weights are wanted as there are weights.
    assert matched(lambda mask: dense if mask in (specialist, with_core) else mask) == (own, core | sibling)
    # None is ever effective.
    null, joined = matched(lambda mask: mask if mask in (specialist, with_core) else dense - dense)
    assert null <= own
    assert core <= joined <= core | sibling
