"""Facts about overlaps over seeds: means of pairs, paired differences, intervals."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.overlap_intervals import overlap_intervals
from dilt.tickets.masks import Mask
from dilt.tickets.overlap import WHOLE, overlaps_of_trajectories


def drawn(draws: np.random.Generator, near: Mask | None = None, share: float = 0.5) -> Mask:
    """A random mask of two layers; of weights of another with the share given."""
    layers = {}
    for name, size in (("first", 40), ("second", 60)):
        fresh = draws.permutation(size) < size // 2
        layers[name] = fresh if near is None else np.where(draws.random(size) < share, near[name], fresh)
    return Mask(layers)


def overlaps(number: int, seeds: int = 4) -> pd.DataFrame:
    """Of partitions that agree by chance and siblings that agree more, at two rounds."""
    rows = []
    for seed in range(seeds):
        draws = np.random.default_rng(seed)
        for round_ in (1, 2):
            masks = {f"p{i}": drawn(draws) for i in range(number)}
            found = overlaps_of_trajectories(masks, {name: drawn(draws, mask, 0.8) for name, mask in masks.items()})
            rows += [{"seed": seed, "round": round_} | row for row in found]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("number", [2, 3])
def test_siblings_that_agree_more_are_told_from_partitions_that_agree_by_chance(number: int) -> None:
    found = overlap_intervals(overlaps(number), 0.95).set_index(["round", "layer", "overlap"])
    assert len(found) == 2 * 3 * 7
    assert set(found["seeds"]) == {4}
    assert (found["low"] <= found["jaccard"]).all()
    for round_ in (1, 2):
        rows = found.loc[round_, WHOLE]
        assert rows.loc["partitions - siblings", "high"] < 0
        assert rows.loc["siblings - chance", "low"] > 0
        assert rows.loc["partitions - chance", "low"] < 0 < rows.loc["partitions - chance", "high"]
        assert rows.loc["partitions by chance", "jaccard"] == pytest.approx(1 / 3), "of two, however many there are"


def test_a_seed_s_overlap_is_the_mean_of_its_pairs_and_differences_are_paired() -> None:
    table = overlaps(2, seeds=2)
    found = overlap_intervals(table, 0.9).set_index(["round", "layer", "overlap"]).loc[1, "first"]
    chosen = table[(table["round"] == 1) & (table["layer"] == "first")]
    by_seed = {kind: rows.groupby("seed")["jaccard"].mean() for kind, rows in chosen.groupby("kind")}
    difference = by_seed["partitions"] - by_seed["siblings"]
    row = found.loc["partitions - siblings"]
    assert row["jaccard"] == pytest.approx(difference.mean())
    assert row["high"] - row["jaccard"] == pytest.approx(6.313752 * difference.std() / np.sqrt(2))


def test_one_seed_has_no_interval() -> None:
    found = overlap_intervals(overlaps(2, seeds=1), 0.95)
    assert found["jaccard"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
