"""Facts about the N:M pattern: at most N of every M weights along inputs, in trajectories, tickets and controls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import DENSE, material, random_weights
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dilt.tickets.making import Material, make_tickets
from dilt.tickets.masks import Mask
from dilt.tickets.overlap import density_rows, overlap_rows
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import (
    count_on_the_way,
    draw,
    keep_largest,
    prune,
    prune_to_count,
    random_like,
    shuffle_units,
)
from dilt.tickets.selection import possible_names

PATTERNS = ["1:4", "2:4", "3:4", "4:8"]
SHAPES = {"linear": (6, 16), "conv": (4, 8, 3, 2)}
FULL = Mask.full(SHAPES)
ALL = pytest.mark.parametrize(
    "made_from",
    [
        material(names, seed, scope, round_, Pattern.of(text), SHAPES)
        for text in PATTERNS
        for names in (["low", "high"], ["a", "b", "c"])
        for seed, round_ in ((0, 1), (1, 2), (0, 4))
        for scope in ("global", "layerwise")
    ],
    ids=lambda m: f"{m.pattern}, {len(m.partitions)} partitions, {m.scope}, round {m.round}",
)


def beyond(kept: np.ndarray, pattern: Pattern) -> int:
    """How many weights of a layer would have to go for it to keep the pattern."""
    return int(np.maximum(np.moveaxis(kept, 1, -1).reshape(-1, pattern.group).sum(axis=1) - pattern.most, 0).sum())


def fullest(mask: Mask, group: int) -> int:
    """The number of live weights in the fullest group, counted position by position."""
    most = 0
    for kept in mask.layers.values():
        for index in np.ndindex(kept.shape[0], *kept.shape[2:]):
            inputs = kept[(index[0], slice(None), *index[1:])]
            most = max(most, *(int(inputs[i : i + group].sum()) for i in range(0, len(inputs), group)))
    return most


@pytest.mark.parametrize("text", ["2", "2:", "4:2", "4:4", "0:4", "2:4:8", " 2:4", "2:4\n", "-1:4", "02:4", ""])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='should be null, or N:M in quotes, with N from 1 and below M, such as "2:4"'):
        Pattern.of(text)


def test_it_is_read_and_written() -> None:
    assert Pattern.of("2:4") == Pattern(2, 4)
    assert str(Pattern.of("4:8")) == "4:8"
    assert Pattern.of(None) == ANY


@given(arrays(np.int8, (2, 4, 3), elements=st.integers(-2, 2)), arrays(np.bool_, (2, 4, 3)), st.integers(1, 3))
def test_the_largest_live_weights_of_every_group_are_left_and_of_equal_ones_the_first(
    values: np.ndarray, live: np.ndarray, most: int
) -> None:
    saliencies = {"conv": np.abs(values).astype(np.float32)}
    found = Pattern(most, 4).narrowed(saliencies, Mask({"conv": live}))["conv"]
    for output, place in np.ndindex(2, 3):
        members = [i for i in range(4) if live[output, i, place]]
        ranked = sorted(members, key=lambda i: (-saliencies["conv"][output, i, place], i))
        assert sorted(np.flatnonzero(found[output, :, place])) == sorted(ranked[:most])


@pytest.mark.parametrize("text", PATTERNS)
@pytest.mark.parametrize("scope", ["global", "layerwise"])
def test_the_first_round_brings_to_the_pattern_and_later_ones_remove_the_rate_within_it(text: str, scope: str) -> None:
    pattern = Pattern.of(text)
    first = prune(random_weights(0, SHAPES), FULL, 0.2, scope, "one", pattern)
    assert first.origin == "one"
    for kept in first.layers.values():
        grouped = np.moveaxis(kept, 1, -1).reshape(-1, pattern.group)
        assert (grouped.sum(axis=1) == pattern.most).all()
    before = first
    for round_ in range(2, 5):
        after = prune(random_weights(round_, SHAPES), before, 0.2, scope, pattern=pattern)
        assert after <= before
        counts = [before.count] if scope == "global" else before.counts.values()
        assert after.count == sum(count - round(0.2 * count) for count in counts)
        assert after == prune(random_weights(round_, SHAPES), before, 0.2, scope)
        before = after


def test_the_way_to_a_core_begins_with_the_pattern_and_goes_on_by_one_rate() -> None:
    pattern = Pattern.of("2:4")
    assert [count_on_the_way(1024, 128, r, 3, pattern) for r in (1, 2, 3)] == [512, 256, 128]
    assert count_on_the_way(1024, 300, 1, 1, pattern) == 300
    assert [count_on_the_way(1024, 128, r, 3) for r in (1, 2, 3)] == [512, 256, 128]
    assert [count_on_the_way(1024, 0, r, 2, pattern) for r in (1, 2)] == [512, 0]


@ALL
def test_trajectories_and_all_that_lies_within_one_keep_the_pattern(made_from: Material) -> None:
    pattern = made_from.pattern
    tickets = make_tickets(made_from, possible_names(list(made_from.partitions)))
    within = ["lth", "colt", "random", "core"]
    for name in made_from.partitions:
        within += [f"specialist-{name}", f"core+specialist-{name}", f"null-specialist-{name}"]
    for name in within:
        assert fullest(tickets[name], pattern.group) <= pattern.most, name
        assert pattern.kept_by(tickets[name])


@ALL
def test_controls_have_their_reference_s_count_and_its_pattern_or_go_no_further_beyond_it(
    made_from: Material,
) -> None:
    pattern = made_from.pattern
    tickets = make_tickets(made_from, possible_names(list(made_from.partitions)))
    for name, mask in tickets.items():
        method, _, of = name.partition("@")
        if not of:
            continue
        reference = tickets[of]
        bound = max(pattern.most, fullest(reference, pattern.group))
        assert fullest(mask, pattern.group) <= bound, name
        for layer, kept in mask.layers.items():
            assert beyond(kept, pattern) <= beyond(reference[layer], pattern), (name, layer)
        short = "null-specialist" in method and 2 * pattern.most > pattern.group  # there need not be so many
        assert mask.count == reference.count or (short and mask.count < reference.count), name
        if method in ("random", "shuffled", "reinit", "initial-magnitude", "core+random"):
            assert mask.counts == reference.counts, name
        if method.startswith("core+"):
            assert tickets["core"] <= mask, name


def test_a_union_that_breaks_the_pattern_is_among_these_cases() -> None:
    """So that controls held to what their reference keeps are tried, looser than the pattern and tighter than none."""
    bounds = set()
    for text in PATTERNS:
        pattern = Pattern.of(text)
        union = make_tickets(material(["low", "high"], 0, "global", 1, pattern, SHAPES), ["union"])["union"]
        bounds.add((text, pattern.loosened(union).fullest))
        assert 0 < sum(pattern.loosened(union).beyond.values()) < union.count
    assert {("1:4", 2), ("2:4", 4)} <= bounds


@ALL
def test_controls_matched_by_effective_weights_keep_it_too(made_from: Material) -> None:
    names = [f"{x}@core" for x in ("lth", "random", "initial-magnitude", "snip")]
    names += [f"core+random@core+specialist-{next(iter(made_from.partitions))}"]
    fewer = replace(
        made_from,
        effective=lambda mask: mask & Mask({n: k & (np.indices(k.shape)[0] > 0) for n, k in mask.layers.items()}),
    )
    for name, mask in make_tickets(fewer, names).items():
        assert fullest(mask, made_from.pattern.group) <= made_from.pattern.most, name


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_pruning_to_a_count_keeps_the_most_salient_mask_of_the_pattern(seed: int, share: float) -> None:
    """Against all masks of one small layer."""
    pattern, weights = Pattern.of("1:2"), {"linear": np.random.default_rng(seed).random((1, 6)).astype(np.float32)}
    dense = Mask.full({"linear": (1, 6)})
    count = round(3 * share)
    found = prune_to_count(weights, dense, count, "global", pattern=pattern)
    rivals = [np.array([[bool(number >> i & 1) for i in range(6)]]) for number in range(64)]
    rivals = [kept for kept in rivals if kept.sum() == count and kept.reshape(3, 2).sum(axis=1).max() <= 1]
    best = max(float(weights["linear"][kept].sum()) for kept in rivals)
    assert found.count == count
    assert float(weights["linear"][found["linear"]].sum()) == pytest.approx(best)


@given(st.integers(0, 10**6), st.integers(0, 4))
def test_so_does_a_pattern_that_some_weights_may_go_beyond(seed: int, count: int) -> None:
    pattern = Pattern(1, 3, fullest=2, beyond={"linear": 1})
    weights = {"linear": np.random.default_rng(seed).random((1, 9)).astype(np.float32)}
    found = prune_to_count(weights, Mask.full({"linear": (1, 9)}), count, "global", pattern=pattern)
    rivals = [np.array([[bool(number >> i & 1) for i in range(9)]]) for number in range(512)]
    rivals = [kept for kept in rivals if kept.sum() == count]
    rivals = [kept for kept in rivals if beyond(kept, pattern) <= 1 and kept.reshape(3, 3).sum(axis=1).max() <= 2]
    best = max(float(weights["linear"][kept].sum()) for kept in rivals)
    assert found.count == count == sum(pattern.room(found).values())
    assert float(weights["linear"][found["linear"]].sum()) == pytest.approx(best)


def test_more_weights_than_the_pattern_lets_live_are_refused() -> None:
    with pytest.raises(ValueError, match="73 weights to keep, but only 72 are live"):
        prune_to_count(random_weights(0, SHAPES), FULL, 73, "global", pattern=Pattern.of("1:4"))


def test_what_is_drawn_beside_a_mask_takes_only_the_places_that_it_leaves() -> None:
    pattern, draws = Pattern.of("2:4"), np.random.default_rng(0)
    core = random_like(Mask.full(SHAPES), draws, pattern=ANY)
    core = draw({name: size // 3 for name, size in core.counts.items()}, FULL, draws, pattern=pattern)
    beside = pattern.beside(core)
    room = beside.room(FULL - core)
    added = draw(room, FULL - core, draws, pattern=beside)
    assert (added & core).count == 0
    assert added.counts == room
    for kept in (core | added).layers.values():
        assert (np.moveaxis(kept, 1, -1).reshape(-1, 4).sum(axis=1) == 2).all()


@pytest.mark.parametrize("share", [1.0, 0.6, 0.2])
def test_of_random_masks_every_weight_is_equally_likely_so_that_overlap_by_chance_is_as_without(share: float) -> None:
    pattern, shape, number = Pattern.of("2:4"), (4, 8), 4000
    count = round(share * 16)
    draws = np.random.default_rng(1)
    drawn = [draw({"linear": count}, Mask.full({"linear": shape}), draws, pattern=pattern) for _ in range(number)]
    frequencies = np.mean([mask["linear"] for mask in drawn], axis=0)
    error = np.sqrt(count / 32 * (1 - count / 32) / number)
    assert np.abs(frequencies - count / 32).max() < 5 * error
    rows = [overlap_rows("pairs", {"a": a, "b": b})[0] for a, b in zip(drawn[::2], drawn[1::2], strict=True)]
    shared = np.array([row["shared"] for row in rows], float)
    assert shared.mean() == pytest.approx(rows[0]["shared_by_chance"], abs=5 * shared.std() / np.sqrt(len(rows)))


def test_smaller_draws_are_nested_in_larger_ones() -> None:
    drawn = [
        draw({"linear": n, "conv": 2 * n}, FULL, np.random.default_rng(3), pattern=Pattern.of("2:4"))
        for n in (9, 20, 48)
    ]
    assert drawn[0] <= drawn[1] <= drawn[2]


def test_shuffled_inputs_stay_with_their_group() -> None:
    draws, pattern = np.random.default_rng(0), Pattern.of("2:4")
    mask = draw({"linear": 30, "conv": 60}, FULL, draws, pattern=pattern)
    shuffled = shuffle_units(mask, draws, pattern=pattern)
    assert shuffled != mask
    for name in mask.names:
        for axis in (0, 1):
            assert sorted(shuffled[name].sum(axis=axis).ravel()) == sorted(mask[name].sum(axis=axis).ravel())
        fullness = [np.moveaxis(m[name], 1, -1).reshape(-1, 4).sum(axis=1) for m in (mask, shuffled)]
        assert sorted(fullness[0]) == sorted(fullness[1])


def test_densities_tell_the_share_of_groups_that_keep_the_pattern() -> None:
    mask = Mask(
        {"linear": np.array([[1, 1, 1, 0, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]], bool), "other": np.ones((1, 4), bool)}
    )
    rows = density_rows({"x": mask}, lambda mask: mask, Pattern.of("2:4"))
    assert [row["in_pattern"] for row in rows] == [3 / 5, 3 / 4, 0.0]
    assert "in_pattern" not in density_rows({"x": mask}, lambda mask: mask)[0]


def test_without_a_pattern_masks_of_any_shape_are_as_they_are() -> None:
    assert ANY.kept_by(DENSE)
    assert ANY.narrowed({}, DENSE) is DENSE
    assert ANY.room(DENSE) == DENSE.counts
    assert ANY.loosened(DENSE) == ANY


@pytest.mark.parametrize(("text", "dtype"), [("2:4", torch.float16), ("2:4", torch.bfloat16), ("1:4", torch.bfloat16)])
def test_torch_packs_and_unpacks_the_weights_without_loss(text: str, dtype: torch.dtype) -> None:
    """By the conversion of torch's CUTLASS backend, which runs on a CPU too."""
    from torch.sparse._semi_structured_conversions import (
        sparse_semi_structured_from_dense_cutlass,
        sparse_semi_structured_to_dense_cutlass,
    )

    shapes = {"linear": (32, 64), "conv": (32, 16, 2, 2)}
    weights = random_weights(0, shapes)
    pattern = Pattern.of(text)
    mask = prune(weights, Mask.full(shapes), 0.2, "global", pattern=pattern)
    broken = keep_largest(weights, Mask.full(shapes), mask.count)
    for kept, lossless in ((mask, True), (broken, False)):
        for name in shapes:
            live = torch.from_numpy(np.where(kept[name], weights[name], 0)).to(dtype)
            matrix = live.movedim(1, -1).reshape(len(live), -1)  # a convolution as (out, kernel x in), inputs innermost
            packed, meta = sparse_semi_structured_from_dense_cutlass(matrix)
            assert packed.shape == (32, 32)
            assert torch.equal(sparse_semi_structured_to_dense_cutlass(packed, meta), matrix) == lossless
