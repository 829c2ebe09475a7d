"""Facts about pruning: exact counts, nested masks, ties included."""

import numpy as np
import pytest
from builders import DENSE, SHAPES, Weights, masks, random_weights, tied_weights
from hypothesis import given
from hypothesis import strategies as st

from dilt.tickets.masks import Mask
from dilt.tickets.pruning import (
    prune,
    prune_to_count,
    random_like,
)

RATES = st.floats(0, 1)
SCOPES = pytest.mark.parametrize("scope", ["global", "layerwise"])


def assert_largest_kept(weights: Weights, before: Mask, after: Mask, layers: list[str]) -> None:
    kept = np.concatenate([np.abs(weights[name][after[name]]) for name in layers])
    removed = np.concatenate([np.abs(weights[name][(before - after)[name]]) for name in layers])
    assert not len(kept) or not len(removed) or kept.min() >= removed.max()


@given(tied_weights(), masks(1, 1), RATES)
def test_global_pruning_removes_exactly_the_rate_and_the_smallest(
    weights: Weights, one: list[Mask], rate: float
) -> None:
    mask = one[0]
    pruned = prune(weights, mask, rate, "global")
    assert mask.count - pruned.count == round(mask.count * rate)
    assert pruned <= mask
    assert_largest_kept(weights, mask, pruned, mask.names)


@given(tied_weights(), masks(1, 1), RATES)
def test_layerwise_pruning_removes_exactly_the_rate_of_every_layer(
    weights: Weights, one: list[Mask], rate: float
) -> None:
    mask = one[0]
    pruned = prune(weights, mask, rate, "layerwise")
    assert pruned.counts == {name: count - round(count * rate) for name, count in mask.counts.items()}
    assert pruned <= mask
    for name in mask.names:
        assert_largest_kept(weights, mask, pruned, [name])


@SCOPES
@given(weights=tied_weights(), one=masks(1, 1), share=RATES)
def test_pruning_to_a_count_is_exact(scope: str, weights: Weights, one: list[Mask], share: float) -> None:
    mask = one[0]
    count = round(share * mask.count)
    pruned = prune_to_count(weights, mask, count, scope)
    assert pruned.count == count
    assert pruned <= mask
    if scope == "layerwise" and mask.count:
        assert all(abs(pruned.counts[n] - c * count / mask.count) < 1 for n, c in mask.counts.items())


@SCOPES
def test_density_after_r_rounds_is_the_kept_share_to_the_r(scope: str) -> None:
    mask = Mask.full({"a": (40, 40), "b": (60, 40)})
    for round_ in range(1, 11):
        mask = prune(random_weights(round_, mask.shapes), mask, 0.2, scope)
        assert mask.density == pytest.approx(0.8**round_, abs=10 / 4000)


@SCOPES
def test_equal_magnitudes_leave_the_same_weights_each_time(scope: str) -> None:
    ones = {name: np.ones(shape) for name, shape in SHAPES.items()}
    first = prune(ones, DENSE, 0.5, scope)
    assert first == prune(ones, DENSE, 0.5, scope)
    assert first["first"].ravel()[0]


def test_signs_do_not_matter() -> None:
    weights = random_weights(0)
    negated = {name: -array for name, array in weights.items()}
    assert prune(weights, DENSE, 0.5, "global") == prune(negated, DENSE, 0.5, "global")


@SCOPES
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_not_finite_names_its_layer(scope: str, value: float) -> None:
    weights = random_weights(0)
    weights["second"][0, 1, 1] = value
    for attempt in (lambda: prune(weights, DENSE, 0.5, scope), lambda: prune_to_count(weights, DENSE, 3, scope)):
        with pytest.raises(ValueError, match="'second' are not finite"):
            attempt()


@SCOPES
def test_more_weights_than_live_cannot_be_kept(scope: str) -> None:
    with pytest.raises(ValueError, match=f"{DENSE.size + 1} weights to keep, but only {DENSE.size} are live"):
        prune_to_count(random_weights(0), DENSE, DENSE.size + 1, scope)


@given(masks(2, 2), st.integers(0, 99))
def test_random_controls_have_the_references_count_in_every_layer(pair: list[Mask], seed: int) -> None:
    reference, field = pair[0], pair[0] | pair[1]
    drawn = random_like(reference, np.random.default_rng(seed), within=field)
    assert drawn.counts == reference.counts
    assert drawn <= field
    assert random_like(reference, np.random.default_rng(seed)).counts == reference.counts


def test_random_controls_are_drawn_evenly() -> None:
    reference = Mask({"layer": np.arange(10) < 3})
    draws = np.random.default_rng(0)
    times = np.sum([random_like(reference, draws)["layer"] for _ in range(2000)], axis=0)
    assert np.all(np.abs(times - 600) < 5 * np.sqrt(2000 * 0.3 * 0.7))


def test_random_controls_need_room() -> None:
    empty = DENSE - DENSE
    with pytest.raises(ValueError, match="12 weights to keep, but only 0 are live"):
        random_like(DENSE, np.random.default_rng(0), within=empty)
