"""The scores that tickets are compared by, in one tidy table: test accuracies, and nearness to trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dilt.references import TRAINED

if TYPE_CHECKING:
    import pandas as pd

SOURCE, TRANSFER, ASSEMBLY, NEARNESS = "source", "transfer", "assembly", "nearness"
_TABLES = {SOURCE: "ticket_scores", TRANSFER: "transfer", ASSEMBLY: "assembly", NEARNESS: "distances"}


def measured_in(measure: str) -> str:
    """The table that scores of a measure are taken from."""
    return _TABLES[measure.partition(",")[0].partition(" to ")[0]]


def measures(ticket_scores: pd.DataFrame, transfer: pd.DataFrame, assembly: pd.DataFrame) -> pd.DataFrame:
    """All test accuracies (fractions) in one tidy table: seed, ticket, measure, score."""
    import pandas as pd

    source = ticket_scores.assign(
        measure=np.where(ticket_scores["classes"] == "all", SOURCE, SOURCE + ", " + ticket_scores["classes"])
    )
    each = transfer.assign(measure=TRANSFER + " to " + transfer["target"] + ", " + transfer["protocol"])
    mean = transfer.groupby(["seed", "ticket"], as_index=False)["accuracy"].mean().assign(measure=TRANSFER)
    parts = assembly.rename(columns={"assembly": "ticket"}).assign(measure=ASSEMBLY + ", " + assembly["partition"])
    columns = ["seed", "ticket", "measure", "accuracy"]
    together: pd.DataFrame = pd.concat([table[columns] for table in (source, mean, each, parts)], ignore_index=True)
    return together.rename(columns={"accuracy": "score"})


def nearness(distances: pd.DataFrame, partitions: Sequence[str]) -> pd.DataFrame:
    """Scores of tickets by their nearness to each partition's trained network: seed, ticket, measure, score.

    The score is minus the ticket's distance, averaged over layers and each to the same layer, as a fraction of the
    core's: the core has -1, a network that is no different from the trained one 0. No rows without trained networks.

    Args:
        distances: of all seeds, a row per pair of layers, as `compare` writes it.
    """
    import pandas as pd

    same = distances[distances["layer_a"] == distances["layer_b"]]
    directed = pd.concat(
        same.assign(ticket=same[f"ticket_{near}"], network=same[f"ticket_{far}"]) for near, far in ("ab", "ba")
    )
    mean = directed.groupby(["network", "seed", "ticket"])["gw_distance"].mean()
    parts = [pd.DataFrame(columns=["seed", "ticket", "measure", "score"])]
    for partition in partitions:
        if (network := f"{TRAINED}{partition}") in mean.index:
            relative = -mean[network] / mean[network].xs("core", level="ticket")
            parts.append(relative.rename("score").reset_index().assign(measure=f"{NEARNESS}, {partition}"))
    together: pd.DataFrame = pd.concat(parts[1:] or parts, ignore_index=True)
    return together
