"""Facts about tickets: what they are made of, and that their controls are matched to the weight."""

import numpy as np
import pytest
from builders import FakeLadder, material, random_weights

from dilt.masks import Mask, intersection, union
from dilt.pruning import prune
from dilt.tickets import Material, make_tickets, match, ticket_names

ALL = pytest.mark.parametrize(
    "made_from",
    [
        material(names, seed, scope)
        for names in (["low", "high"], ["a", "b", "c"])
        for seed in (0, 1)
        for scope in ("global", "layerwise")
    ],
    ids=lambda m: f"{len(m.partitions)} partitions, {m.scope}, seed {m.seed}",
)


def test_names_come_in_the_order_of_the_report() -> None:
    assert ticket_names(["low", "high"]) == [
        *("dense", "lth", "random", "colt", "core", "union"),
        *("specialist-low", "specialist-high", "core+specialist-low", "core+specialist-high"),
        *("null-specialist-low", "null-specialist-high"),
        *("lth@core", "random@core", "initial-magnitude@core", "lth@union", "colt@union", "random@union"),
        *("random@specialist-low", "random@specialist-high"),
    ]
    more = ticket_names(["a", "b", "c", "d"])
    assert [name for name in more if name.startswith("consensus")] == ["consensus-2", "consensus-3"]
    assert len(set(more)) == len(more)


@ALL
def test_every_ticket_is_made_under_its_name(made_from: Material) -> None:
    tickets = make_tickets(made_from)
    assert list(tickets) == ticket_names(list(made_from.partitions))
    assert {name: mask.origin for name, mask in tickets.items()} == {name: f"{name} round 2" for name in tickets}


@ALL
def test_controls_have_exactly_the_number_of_weights_of_what_they_control(made_from: Material) -> None:
    tickets = make_tickets(made_from)
    for name, mask in tickets.items():
        method, _, reference = name.partition("@")
        if reference:
            assert mask.count == tickets[reference].count, name
        if reference and method in ("random", "initial-magnitude"):
            assert mask.counts == tickets[reference].counts, name
    assert tickets["random"].counts == tickets["lth"].counts


@ALL
def test_core_lies_in_every_partition_and_each_of_them_in_the_union(made_from: Material) -> None:
    tickets = make_tickets(made_from)
    for name, mask in made_from.partitions.items():
        assert tickets["core"] <= mask <= tickets["union"]
        assert tickets[f"core+specialist-{name}"] == tickets["core"] | tickets[f"specialist-{name}"]
        assert tickets[f"specialist-{name}"].count > 0


@ALL
def test_specialists_are_disjoint_from_the_core_and_from_each_other(made_from: Material) -> None:
    tickets = make_tickets(made_from)
    parts = [tickets["core"], *(tickets[f"specialist-{name}"] for name in made_from.partitions)]
    assert sum(part.count for part in parts) == union(parts).count


@ALL
def test_the_null_specialist_is_what_the_sibling_did_not_keep(made_from: Material) -> None:
    tickets = make_tickets(made_from)
    for name, mask in made_from.partitions.items():
        assert tickets[f"null-specialist-{name}"] == mask - made_from.siblings[name]


def test_of_two_partitions_each_is_core_and_specialist() -> None:
    made_from = material(["low", "high"])
    tickets = make_tickets(made_from)
    assert tickets["core+specialist-low"] == made_from.partitions["low"]


def test_consensus_lies_between_union_and_core() -> None:
    made_from = material(["a", "b", "c"])
    tickets = make_tickets(made_from)
    a, b, c = made_from.partitions.values()
    assert tickets["consensus-2"] == (a & b) | (a & c) | (b & c)
    assert tickets["core"] == intersection([a, b, c]) <= tickets["consensus-2"] <= tickets["union"]


def test_initial_magnitude_keeps_the_largest_of_theta0_in_every_layer() -> None:
    made_from = material(["low", "high"])
    kept = make_tickets(made_from)["initial-magnitude@core"]
    for name, weights in made_from.theta0.items():
        assert np.abs(weights[kept[name]]).min() >= np.abs(weights[~kept[name]]).max()


def test_the_same_seed_draws_the_same_tickets_and_another_seed_other_random_ones() -> None:
    first, again, other = (make_tickets(material(["low", "high"], seed)) for seed in (0, 0, 1))
    assert first == again
    assert {name for name in first if first[name] != other[name]} == {n for n in first if n.startswith("random")}


def test_random_tickets_of_other_rounds_are_other_draws() -> None:
    second, third = (make_tickets(material(["low", "high"], round_=r))["random"] for r in (2, 3))
    assert not third <= second


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_a_matched_ticket_is_the_ladders_own_where_their_counts_agree(scope: str) -> None:
    ladder = material(["low", "high"], scope=scope).lth
    for mask in ladder.masks[1:]:
        assert match(ladder, mask, scope) == mask


def test_a_matched_ticket_lies_within_the_mask_of_the_round_it_is_taken_from() -> None:
    ladder = FakeLadder.of([random_weights(r) for r in range(3)], 0.4, "global")
    for count in range(ladder.masks[0].count + 1):
        reference = prune(random_weights(9), ladder.masks[0], 1 - count / ladder.masks[0].count, "global")
        matched = match(ladder, reference, "global")
        at_least_as_dense = [mask for mask in ladder.masks[:-1] if mask.count >= reference.count]
        assert matched.count == reference.count
        assert matched <= at_least_as_dense[-1]


def test_a_ladder_that_is_too_sparse_from_the_start_is_an_error() -> None:
    sparse = Mask({"layer": np.array([True, False, False])})
    ladder = FakeLadder([sparse, sparse], [{"layer": np.ones(3)}])
    with pytest.raises(ValueError, match="no mask of the ladder has 3 weights"):
        match(ladder, Mask.full({"layer": (3,)}), "global")
