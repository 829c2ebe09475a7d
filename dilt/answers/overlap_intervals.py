"""Overlap of masks over seeds, by round and layer: of partitions, of siblings, by chance, and their differences.

`tickets.overlap` makes the overlaps of each seed; they are summarised here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dilt.answers.statistics import paired_interval

if TYPE_CHECKING:
    import pandas as pd


def overlap_intervals(overlaps: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row per round, layer and kind of overlap: mean Jaccard index over seeds, t interval, number of seeds.

    Overlap is that of two masks, averaged over the pairs of partitions, or over each partition and its sibling; ``by
    chance`` that of random masks of their densities in the layer. Differences are paired by seed.

    Args:
        overlaps: of all seeds, as `combine` writes it.

    Returns:
        round, layer, overlap (of what, such as ``partitions - siblings``), jaccard, low, high, seeds.
    """
    import pandas as pd

    pairs = "pairs" if "pairs" in set(overlaps["kind"]) else "partitions"
    mean = overlaps.groupby(["round", "layer", "seed", "kind"], sort=False)[["jaccard", "jaccard_by_chance"]].mean()
    rows = []
    for (round_, layer), by_seed in mean.groupby(["round", "layer"], sort=False):
        found = by_seed.droplevel(["round", "layer"]).unstack("kind")
        partitions, siblings = found["jaccard", pairs], found["jaccard", "siblings"]
        chance, siblings_chance = found["jaccard_by_chance", pairs], found["jaccard_by_chance", "siblings"]
        for overlap, values in {
            "partitions": partitions,
            "siblings": siblings,
            "partitions by chance": chance,
            "siblings by chance": siblings_chance,
            "partitions - chance": partitions - chance,
            "siblings - chance": siblings - siblings_chance,
            "partitions - siblings": partitions - siblings,
        }.items():
            estimate = paired_interval(values.to_numpy(), confidence)
            interval = {"jaccard": estimate.mean, "low": estimate.low, "high": estimate.high}
            rows.append({"round": round_, "layer": layer, "overlap": overlap, **interval, "seeds": estimate.num_seeds})
    return pd.DataFrame(rows)
