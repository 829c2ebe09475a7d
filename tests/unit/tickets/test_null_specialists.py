"""Facts about null specialists: a specialist's number of weights, of what partition and sibling do not share."""

from dataclasses import replace

import pytest
from builders import material

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
def test_by_itself_it_is_of_what_only_the_partition_kept_as_far_as_there_is_any(made_from: Material) -> None:
    for partition in made_from.partitions:
        own, sibling = masks(partition, made_from)
        null, *_ = made(partition, made_from)
        alone = own - sibling
        assert made_from.scope == "layerwise" or null <= alone or alone <= null
        assert (null & sibling).count == 0


@ALL
def test_joined_to_the_core_it_has_only_the_core_of_what_the_partition_kept(made_from: Material) -> None:
    for partition in made_from.partitions:
        own, sibling = masks(partition, made_from)
        _, _, joined, _, core = made(partition, made_from)
        added, alone = joined - core, sibling - own
        assert joined & own == core
        assert made_from.scope == "layerwise" or added <= alone or alone <= added


def test_they_reach_as_far_as_and_farther_than_what_one_alone_kept() -> None:
    """So that the facts above are not stated of one case alone."""
    cases = set()
    for partitions in (["low", "high"], ["a", "b", "c"]):
        for round_ in (1, 2, 3, 4):
            made_from = material(partitions, round_=round_)
            for partition in partitions:
                own, sibling = masks(partition, made_from)
                null, *_ = made(partition, made_from)
                cases.add(null.count <= (own - sibling).count)
    assert cases == {True, False}


@ALL
def test_where_siblings_agree_on_all_they_have_nothing_of_the_specialist(made_from: Material) -> None:
    agreed = replace(made_from, siblings=made_from.partitions)
    for partition in agreed.partitions:
        null, specialist, joined, *_ = made(partition, agreed)
        assert null.count == specialist.count > 0
        assert (null & specialist).count == (joined & specialist).count == 0


def test_two_partitions_leave_nothing_but_the_specialist_outside_the_core() -> None:
    made_from = material(["low", "high"])
    own, _ = masks("low", made_from)
    _, specialist, joined, with_core, core = made("low", made_from)
    assert own - core == specialist
    assert with_core == own
    assert not joined - core <= own


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_matched_by_effective_weights_they_end_where_their_candidates_end(scope: str) -> None:
    made_from = material(["low", "high"], scope=scope)
    own, sibling = masks("low", made_from)
    _, specialist, _, with_core, core = made("low", made_from)
    dense = Mask.full(core.shapes)
    # As many effective weights are wanted as there are weights.
    wanted = replace(made_from, effective=lambda mask: dense if mask in (specialist, with_core) else mask)
    null, _, joined, *_ = made("low", wanted)
    assert null == dense - sibling
    assert joined == core | (dense - own)
