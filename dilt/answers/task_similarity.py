"""How alike the partitions are as tasks: a matrix over partitions for each measure, with intervals over seeds.

The masks' overlaps are `combine`'s, accuracies of linear heads `evaluate_assemblies`', CKA `compare`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from dilt.answers.statistics import paired_interval
from dilt.assemblies.names import LINEAR
from dilt.geometry.reference_networks import TRAINED
from dilt.tickets.overlap import WHOLE
from dilt.tickets.trajectories import sibling

if TYPE_CHECKING:
    import pandas as pd

OVERLAP, CHANCE, ACCURACY, CKA = "mask overlap", "mask overlap by chance", "transfer", "CKA"
MEASURES = (OVERLAP, CHANCE, ACCURACY, CKA)
COLUMNS = ["partition_a", "partition_b", "measure", "value", "low", "high", "seeds"]


def task_similarity(
    overlaps: pd.DataFrame,
    assembly: pd.DataFrame,
    distances: pd.DataFrame,
    partitions: Sequence[str],
    round_: int,
    confidence: float,
) -> pd.DataFrame:
    """A row per measure and pair of partitions, in both orders: mean over seeds, t interval, number of seeds.

    - Mask overlap: Jaccard index of the partitions' masks at the round; on the diagonal, of a partition's and its
      sibling's, which is what the same task gives. By chance: of random masks of the same densities.
    - Transfer: accuracy (fraction) on the classes of ``partition_b`` of a linear head on the features of the network
      that was trained on ``partition_a`` under its mask of the round.
    - CKA: debiased, between the dense networks trained on the two, mean over layers, each with the same one. Without
      these networks among the distances there are no such rows. There is no diagonal: siblings are not compared.

    Args:
        overlaps, assembly, distances: tables of all seeds, as their stages write them.
    """
    import pandas as pd

    overlaps, assembly, distances = (table[table["round"] == round_] for table in (overlaps, assembly, distances))
    rows = []
    for measure, a, b, by_seed in _values(overlaps, assembly, distances, partitions):
        if not by_seed.empty:
            found = paired_interval(by_seed.to_numpy(), confidence)
            numbers = (found.mean, found.low, found.high, found.num_seeds)
            rows.append(dict(zip(COLUMNS, (a, b, measure, *numbers), strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _values(
    overlaps: pd.DataFrame, assembly: pd.DataFrame, distances: pd.DataFrame, partitions: Sequence[str]
) -> Iterator[tuple[str, str, str, pd.Series[float]]]:
    """Measure, first and second partition, and a value for each seed."""
    whole = overlaps[overlaps["layer"] == WHOLE].set_index("trajectories")
    whole = whole[(whole["kind"] != "partitions") | (len(partitions) == 2)]
    for measure, column in ((OVERLAP, "jaccard"), (CHANCE, "jaccard_by_chance")):
        for a, b in product(partitions, repeat=2):
            other = sibling(a) if a == b else b
            yield measure, a, b, whole.loc[whole.index.isin([f"{a} & {other}", f"{other} & {a}"]), column]
    intact = assembly[(assembly["assembly"] == "intact") & (assembly["readout"] == LINEAR)]
    for a, b in product(partitions, repeat=2):
        yield ACCURACY, a, b, intact.loc[(intact["core_from"] == a) & (intact["partition"] == b), "accuracy"]
    same = distances[distances["layer_a"] == distances["layer_b"]]
    for a, b in product(partitions, repeat=2):
        ends = {f"{TRAINED}{a}", f"{TRAINED}{b}"}
        between = same[
            same["ticket_a"].isin(ends) & same["ticket_b"].isin(ends) & (same["ticket_a"] != same["ticket_b"])
        ]
        yield CKA, a, b, between.groupby("seed")["debiased_cka"].mean()
