"""Facts about what runs agree on: COLT's consensus of any number of weights, ties included."""

import numpy as np
import pytest
from builders import SHAPES, Weights, masks, random_weights, tied_weights
from hypothesis import given
from hypothesis import strategies as st

from dilt.tickets import agreement
from dilt.tickets.agreement import _ranks, agreed_saliencies, keep_agreed
from dilt.tickets.masks import Mask, intersection, union
from dilt.tickets.pruning import keep_largest, keep_largest_per_layer, prune, prune_to_count

SCOPES = pytest.mark.parametrize("scope", ["global", "layerwise"])
RANKS = pytest.mark.parametrize("rank", ["worst", "best"])


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few enough entries to guess from that the guess is wrong at times."""
    monkeypatch.setattr(agreement, "SAMPLE", 8)


@given(st.lists(tied_weights(), min_size=2, max_size=4), masks(1, 1), st.data())
def test_weights_are_agreed_on_as_colt_does_globally(
    weights: list[Weights], one: list[Mask], data: st.DataObject
) -> None:
    mask = one[0]
    k = data.draw(st.integers(0, mask.count))
    pruned = [prune_to_count(partition, mask, k, "global") for partition in weights]
    within = [mask] * len(weights)
    core, joined = intersection(pruned), union(pruned)
    assert keep_agreed(weights, within, core.count, "global") == core
    assert keep_agreed(weights, within, joined.count, "global", "best") == joined
    assert keep_largest(agreed_saliencies(weights, within, "global"), mask, core.count) == core


@given(st.lists(tied_weights(), min_size=2, max_size=4), masks(1, 1), st.floats(0, 1))
def test_weights_are_agreed_on_as_colt_does_layer_by_layer(
    weights: list[Weights], one: list[Mask], rate: float
) -> None:
    mask = one[0]
    core = intersection([prune(partition, mask, rate, "layerwise") for partition in weights])
    saliencies = agreed_saliencies(weights, [mask] * len(weights), "layerwise")
    assert keep_largest_per_layer(saliencies, mask, core.counts) == core


@SCOPES
@RANKS
@given(weights=st.lists(tied_weights(), min_size=3, max_size=3), had=masks(3, 3), share=st.floats(0, 1))
def test_any_number_is_agreed_on_as_by_saliencies_whatever_masks_runs_have(
    scope: str, rank: str, weights: list[Weights], had: list[Mask], share: float
) -> None:
    within = intersection(had) if rank == "worst" else union(had)
    count = round(share * within.count)
    expected = prune_to_count(agreed_saliencies(weights, had, scope, rank), within, count, scope)
    assert keep_agreed(weights, had, count, scope, rank) == expected
    assert expected <= within


@RANKS
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("alike", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("arranged", ["drawn", "sorted", "misleading", "zeros"])
@pytest.mark.usefixtures("small_sample")
def test_a_sample_never_changes_what_is_kept(rank: str, share: float, alike: float, arranged: str) -> None:
    shapes = {"first": (40, 30), "second": (30, 10)}
    one, other = random_weights(0, shapes), random_weights(1, shapes)
    weights = [one, {name: alike * one[name] + (1 - alike) * other[name] for name in shapes}]
    if arranged == "sorted":
        weights = [{name: np.sort(each[name], axis=None).reshape(shapes[name]) for name in shapes} for each in weights]
    if arranged == "misleading":  # the sample's entries are not like the others
        flat = [np.concatenate([each[name].ravel() for name in shapes]) for each in weights]
        flat[0][agreement._sample(np.ones(1500, bool), 1500)] *= 1000
        weights = [{"first": each[:1200].reshape(40, 30), "second": each[1200:].reshape(30, 10)} for each in flat]
    if arranged == "zeros":  # as weights that a run does not have, which come after them
        weights = [{name: np.where(each[name] < 0, 0, each[name]) for name in shapes} for each in weights]
    had = [prune(each, Mask.full(shapes), 0.2, "global") for each in weights]
    within = intersection(had) if rank == "worst" else union(had)
    count = round(share * within.count)
    expected = keep_largest(agreed_saliencies(weights, had, "global", rank), within, count)
    assert keep_agreed(weights, had, count, "global", rank) == expected


@SCOPES
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_named_by_layer(scope: str, value: float) -> None:
    weights = [random_weights(0), random_weights(1)]
    weights[1]["second"][0, 1, 1] = value
    full = [Mask.full(SHAPES)] * 2
    with pytest.raises(ValueError, match="'second' are not finite"):
        keep_agreed(weights, full, 3, scope)


@RANKS
def test_more_weights_than_runs_have_cannot_be_agreed_on(rank: str) -> None:
    weights = [random_weights(0), random_weights(1)]
    had = [prune(each, Mask.full(SHAPES), 0.5, "global") for each in weights]
    most = (intersection(had) if rank == "worst" else union(had)).count
    with pytest.raises(ValueError, match=f"{most + 1} weights to keep, but only {most} are live"):
        keep_agreed(weights, had, most + 1, "global", rank)


@given(st.lists(st.sampled_from([0.0, 1e-45, 1e-30, 0.5, 0.5000001, 3.4e38]), max_size=40), st.integers(0, 2**32))
def test_float32_is_ranked_as_float64_is(drawn: list[float], seed: int) -> None:
    """Whose sort is NumPy's own, stable one."""
    values = np.array([*drawn, *np.random.default_rng(seed).random(20)], np.float32)
    ranks = _ranks(values)
    assert np.array_equal(ranks, _ranks(values.astype(np.float64)))
    assert np.array_equal(ranks[np.argsort(-values, kind="stable")], np.arange(len(values)))
