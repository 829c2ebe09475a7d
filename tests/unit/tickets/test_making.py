"""Facts about tickets: what they are made of, and that their controls are matched to the weight."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from builders import FakeLadder, material, random_weights
from hypothesis import given
from hypothesis import strategies as st

from dilt.foundations.randomness import generator
from dilt.tickets.ladders import ConsensusLadder, Ladder, match
from dilt.tickets.making import Material, make_tickets
from dilt.tickets.masks import Mask, intersection, union
from dilt.tickets.names import CRITERIA, TicketName
from dilt.tickets.pruning import count_on_the_way, prune, prune_to_count, random_like, shuffle_units
from dilt.tickets.selection import is_possible, possible_names

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


def tickets_of(made_from: Material, *more: str) -> dict[str, Mask]:
    return make_tickets(made_from, [*possible_names(list(made_from.partitions)), *more])


def masks_of(ladders: Mapping[str, Ladder], made_from: Material) -> dict[str, Mask]:
    return {name: ladder.mask(made_from.round) for name, ladder in ladders.items()}


@ALL
def test_every_ticket_is_made_under_its_name(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    assert list(tickets) == possible_names(list(made_from.partitions))
    assert {name: mask.origin for name, mask in tickets.items()} == {name: f"{name} round 2" for name in tickets}


@ALL
def test_controls_have_exactly_the_number_of_weights_of_what_they_control(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    for name, mask in tickets.items():
        method, _, reference = name.partition("@")
        if reference:
            assert mask.count == tickets[reference].count, name
        if reference and method in ("random", "shuffled", "reinit", "initial-magnitude", "core+random"):
            assert mask.counts == tickets[reference].counts, name
    assert tickets["random"].counts == tickets["lth"].counts


@ALL
def test_a_shuffled_mask_keeps_how_many_weights_outputs_and_inputs_have_but_not_which(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    core, shuffled = tickets["core"], tickets["shuffled@core"]
    for name in core.names:
        for axis in (0, 1):
            assert sorted(shuffled[name].sum(axis=axis)) == sorted(core[name].sum(axis=axis))
    assert shuffled != core


def test_shuffling_moves_whole_kernels() -> None:
    draws = np.random.default_rng(0)
    mask = Mask({"conv": draws.random((6, 5, 3, 3)) < 0.3})
    kernels = [{kept.tobytes(): None for kept in m["conv"].reshape(-1, 9)} for m in (mask, shuffle_units(mask, draws))]
    assert kernels[0].keys() == kernels[1].keys()
    assert list(kernels[0]) != list(kernels[1])


@ALL
def test_another_initialisation_has_the_same_mask(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    for reference in ("core", "union", "lth", *(f"specialist-{name}" for name in made_from.partitions)):
        assert tickets[f"reinit@{reference}"] == tickets[reference]


@ALL
def test_core_and_random_weights_contain_the_core(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    names = list(made_from.partitions)
    around = ["union", *(f"core+specialist-{name}" for name in names), *(["consensus-2"] if len(names) == 3 else [])]
    assert {name for name in tickets if name.startswith("core+random@")} == {f"core+random@{y}" for y in around}
    for name in (f"core+random@{y}" for y in around):
        assert tickets["core"] <= tickets[name]
        assert tickets[name] != tickets[name.partition("@")[2]]


@ALL
def test_nulls_are_what_a_partition_and_its_sibling_agree_on_or_either_keeps_where_counts_agree(
    made_from: Material,
) -> None:
    for name, own in made_from.partitions.items():
        sibling = made_from.siblings[name]
        for round_ in (1, 2, 3):
            masks = own.mask(round_), sibling.mask(round_)
            for agree, expected in ((True, masks[0] & masks[1]), (False, masks[0] | masks[1])):
                assert match(ConsensusLadder([own, sibling], agree), expected.count, made_from.scope) == expected


@ALL
def test_a_null_is_nested_between_the_rounds_that_it_lies_between(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    for name, own in made_from.partitions.items():
        for null, agree in ((f"null-core-{name}@core", True), (f"null-union-{name}@union", False)):
            ladder = ConsensusLadder([own, made_from.siblings[name]], agree)
            denser = [ladder.mask(r) for r in range(ladder.rounds) if ladder.mask(r).count >= tickets[null].count]
            assert tickets[null] <= denser[-1]


@ALL
def test_what_splits_agree_on_is_brought_to_the_core_s_count_and_what_any_keeps_to_the_union_s(
    made_from: Material,
) -> None:
    tickets = tickets_of(made_from)
    for ticket, reference, agree in (("split-core@core", "core", True), ("split-union@union", "union", False)):
        assert tickets[ticket].count == tickets[reference].count
        ladder = ConsensusLadder(made_from.splits, agree)
        denser = [ladder.mask(r) for r in range(ladder.rounds) if ladder.mask(r).count >= tickets[ticket].count]
        assert tickets[ticket] <= denser[-1]


@ALL
def test_a_consensus_of_runs_is_their_intersection_or_union_where_counts_agree(made_from: Material) -> None:
    for round_ in (1, 2, 3):
        masks = [run.mask(round_) for run in made_from.splits]
        for agree, expected in ((True, intersection(masks)), (False, union(masks))):
            ladder = ConsensusLadder(made_from.splits, agree)
            assert ladder.mask(round_) == expected
            assert match(ladder, expected.count, made_from.scope) == expected


@ALL
@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_criterion_keeps_its_largest_saliencies_at_the_count_of_core_and_union(
    made_from: Material, criterion: str
) -> None:
    saliencies = {name: np.abs(found) for name, found in made_from.saliencies[criterion].items()}
    tickets = tickets_of(replace(made_from, saliencies={**made_from.saliencies, criterion: saliencies}))
    for reference in ("core", "union"):
        kept = tickets[f"{criterion}@{reference}"]
        assert kept.count == tickets[reference].count
        groups = [kept.names] if made_from.scope == "global" else [[name] for name in kept.names]
        for names in groups:
            inside, outside = (
                np.concatenate([saliencies[n][side[n]] for n in names])
                for side in (kept, Mask.full(kept.shapes) - kept)
            )
            assert inside.min() > outside.max()


def test_agreement_and_union_of_siblings_of_one_round_follow_from_their_ranks() -> None:
    """Pruned from dense to the count of round 1, each is the intersection or union of the runs' own masks."""
    made_from = material(["low", "high"])
    own, sibling = made_from.partitions["low"], made_from.siblings["low"]
    masks = own.mask(1), sibling.mask(1)
    for agree, expected in ((True, masks[0] & masks[1]), (False, masks[0] | masks[1])):
        assert ConsensusLadder([own, sibling], agree).pruned(1, expected.count, "global") == expected


def test_ranks_are_those_within_each_run_s_own_mask() -> None:
    """So the second round's agreement is the top of what both runs had, whatever only one of them had."""
    made_from = material(["low", "high"])
    own, sibling = made_from.partitions["low"], made_from.siblings["low"]
    for agree in (True, False):
        ladder = ConsensusLadder([own, sibling], agree)
        expected = own.mask(2) & sibling.mask(2) if agree else own.mask(2) | sibling.mask(2)
        assert ladder.pruned(2, expected.count, "global") == expected


@ALL
def test_lth_in_as_many_rounds_is_taken_from_the_run_on_its_way_to_the_core(made_from: Material) -> None:
    core = tickets_of(made_from)["core"]
    weights = [random_weights(50 + r, core.shapes) for r in range(made_from.round)]
    ladder = FakeLadder([Mask.full(core.shapes)], weights)
    for r, found in enumerate(weights, start=1):
        count = count_on_the_way(core.size, core.count, r, made_from.round)
        ladder.masks.append(prune_to_count(found, ladder.masks[-1], count, made_from.scope))
    ways = {made_from.round: ladder, made_from.round + 1: made_from.lth}
    tickets = make_tickets(replace(made_from, same_rounds=ways), ["core", "lth-same-rounds@core"])
    assert tickets["lth-same-rounds@core"] == ladder.masks[-1]
    assert ladder.masks[-1].count == core.count


@given(st.integers(1, 10**9), st.floats(0, 1), st.integers(1, 30))
def test_the_way_to_a_count_loses_the_same_share_in_every_round_and_ends_at_it(
    size: int, share: float, rounds: int
) -> None:
    last = round(share * size)
    counts = [count_on_the_way(size, last, r, rounds) for r in range(rounds + 1)]
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (size, last)
    if last > 1000 * rounds:
        np.testing.assert_allclose(np.divide(counts[1:], counts[:-1]), (last / size) ** (1 / rounds), rtol=0.01)


@ALL
def test_core_lies_in_every_partition_and_each_of_them_in_the_union(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    for name, mask in masks_of(made_from.partitions, made_from).items():
        assert tickets["core"] <= mask <= tickets["union"]
        assert tickets[f"core+specialist-{name}"] == tickets["core"] | tickets[f"specialist-{name}"]
        assert tickets[f"specialist-{name}"].count > 0


@ALL
def test_specialists_are_disjoint_from_the_core_and_from_each_other(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    parts = [tickets["core"], *(tickets[f"specialist-{name}"] for name in made_from.partitions)]
    assert sum(part.count for part in parts) == union(parts).count


@ALL
def test_the_null_specialist_is_what_the_sibling_did_not_keep(made_from: Material) -> None:
    tickets = tickets_of(made_from)
    siblings = masks_of(made_from.siblings, made_from)
    for name, mask in masks_of(made_from.partitions, made_from).items():
        assert tickets[f"null-specialist-{name}"] == mask - siblings[name]


def test_of_two_partitions_each_is_core_and_specialist() -> None:
    made_from = material(["low", "high"])
    tickets = tickets_of(made_from)
    assert tickets["core+specialist-low"] == made_from.partitions["low"].mask(made_from.round)


def test_specialists_of_more_than_two_partitions_join_in_any_subset() -> None:
    made_from = material(["a", "b", "c"])
    tickets = tickets_of(made_from, "core+specialist-a+specialist-c", "random@core+specialist-a+specialist-c")
    joined = tickets["core+specialist-a+specialist-c"]
    assert joined == tickets["core"] | tickets["specialist-a"] | tickets["specialist-c"]
    assert tickets["random@core+specialist-a+specialist-c"].counts == joined.counts
    assert is_possible("core+specialist-a+specialist-c", ["a", "b", "c"])


def test_consensus_lies_between_union_and_core() -> None:
    made_from = material(["a", "b", "c"])
    tickets = tickets_of(made_from)
    a, b, c = masks_of(made_from.partitions, made_from).values()
    assert tickets["consensus-2"] == (a & b) | (a & c) | (b & c)
    assert tickets["core"] == intersection([a, b, c]) <= tickets["consensus-2"] <= tickets["union"]


def test_initial_magnitude_keeps_the_largest_of_theta0_in_every_layer() -> None:
    made_from = material(["low", "high"])
    kept = tickets_of(made_from)["initial-magnitude@core"]
    for name, weights in made_from.theta0.items():
        assert np.abs(weights[kept[name]]).min() >= np.abs(weights[~kept[name]]).max()


def test_the_same_seed_draws_the_same_tickets_and_another_seed_other_random_ones() -> None:
    first, again, other = (tickets_of(material(["low", "high"], seed)) for seed in (0, 0, 1))
    assert first == again
    drawn = {name for name in first if name.partition("@")[0] in ("random", "shuffled", "core+random")}
    assert {name for name in first if first[name] != other[name]} == drawn


def test_draws_are_other_tickets_of_the_same_size_and_the_first_is_the_one_without_a_number() -> None:
    made_from = material(["low", "high"])
    for name in ("random", "random@core", "shuffled@core", "core+random@union", "shuffled@lth"):
        draws = [str(draw) for draw in TicketName.parse(name).draws(3)]
        made = make_tickets(made_from, draws)
        assert made[name] == make_tickets(made_from, [name])[name]
        assert made[draws[0]] != made[draws[1]] != made[draws[2]] != made[draws[0]]
        assert made[draws[0]].counts == made[draws[1]].counts == made[draws[2]].counts


def test_the_first_draw_is_the_stream_of_its_name() -> None:
    """Draws follow from the whole name, so those of names that there were before draws stay the same bits."""
    made_from = material(["low", "high"])
    tickets = make_tickets(made_from, ["core", "random@core"])
    stream = generator(made_from.seed, "ticket", "random@core", made_from.round)
    assert tickets["random@core"] == random_like(tickets["core"], stream)


def test_random_tickets_of_other_rounds_are_other_draws() -> None:
    second, third = (tickets_of(material(["low", "high"], round_=r))["random"] for r in (2, 3))
    assert not third <= second


@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_a_matched_ticket_is_the_ladders_own_where_their_counts_agree(scope: str) -> None:
    ladder = material(["low", "high"], scope=scope).lth
    for mask in ladder.masks[1:]:
        assert match(ladder, mask.count, scope) == mask


def test_a_matched_ticket_lies_within_the_mask_of_the_round_it_is_taken_from() -> None:
    ladder = FakeLadder.of([random_weights(r) for r in range(3)], 0.4, "global")
    for count in range(ladder.masks[0].count + 1):
        reference = prune(random_weights(9), ladder.masks[0], 1 - count / ladder.masks[0].count, "global")
        matched = match(ladder, reference.count, "global")
        at_least_as_dense = [mask for mask in ladder.masks[:-1] if mask.count >= reference.count]
        assert matched.count == reference.count
        assert matched <= at_least_as_dense[-1]


def test_a_ladder_that_is_too_sparse_from_the_start_is_an_error() -> None:
    sparse = Mask({"layer": np.array([True, False, False])})
    ladder = FakeLadder([sparse, sparse], [{"layer": np.ones(3)}])
    with pytest.raises(ValueError, match="no mask of the ladder has 3 weights"):
        match(ladder, 3, "global")
