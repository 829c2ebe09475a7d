"""Tickets' calibration, and their accuracy under corruptions of the test images: means over seeds with intervals.

The scores of each seed are `evaluate`'s. No claim is about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dilt.answers.scores import clean
from dilt.answers.statistics import paired_interval
from dilt.settings.evaluation import CLEAN

if TYPE_CHECKING:
    import pandas as pd

CALIBRATION = ["ece", "ece_low", "ece_high", "nll", "nll_low", "nll_high"]
ROBUSTNESS = ["accuracy", "accuracy_low", "accuracy_high", "drop_points", "drop_low_points", "drop_high_points"]


def calibration(ticket_scores: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Calibration on the images of all source classes as they are: a row per round and ticket.

    Returns:
        round, ticket, expected calibration error (fraction) and negative log-likelihood (nats) with t intervals, seeds.
    """
    import pandas as pd

    on_all = clean(ticket_scores[ticket_scores["classes"] == "all"])
    rows = []
    for (round_, ticket), found in on_all.groupby(["round", "ticket"], sort=False):
        ece, nll = (interval(found[column].to_numpy(), confidence) for column in ("ece", "nll"))
        numbers = dict(zip(CALIBRATION, (*ece, *nll), strict=True))
        rows.append({"round": round_, "ticket": ticket, **numbers, "seeds": len(found)})
    return pd.DataFrame(rows, columns=["round", "ticket", *CALIBRATION, "seeds"])


def robustness(ticket_scores: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Accuracy on all source classes under each corruption: a row per round, ticket and corruption.

    Returns:
        round, ticket, corruption; accuracy (fraction) under it, and what it takes from the accuracy on the same images
        as they are (percentage points, paired by seed), with t intervals; seeds. No rows without corruptions.
    """
    import pandas as pd

    drops = accuracy_drops(ticket_scores)
    rows = []
    for address, found in drops.groupby(["round", "ticket", "corruption"], sort=False):
        estimates = (interval(found[column].to_numpy(), confidence) for column in ("accuracy", "drop_points"))
        numbers = dict(zip(ROBUSTNESS, (number for estimate in estimates for number in estimate), strict=True))
        rows.append(
            dict(zip(("round", "ticket", "corruption"), address, strict=True)) | numbers | {"seeds": len(found)}
        )
    return pd.DataFrame(rows, columns=["round", "ticket", "corruption", *ROBUSTNESS, "seeds"])


def accuracy_drops(ticket_scores: pd.DataFrame) -> pd.DataFrame:
    """What each corruption takes from a ticket's accuracy on all source classes, by seed.

    Returns:
        seed, round, ticket, corruption, accuracy (fraction) under it, drop_points (percentage points).
    """
    on_all = ticket_scores[ticket_scores["classes"] == "all"]
    network = ["seed", "round", "ticket"]
    before = clean(on_all)[[*network, "accuracy"]].rename(columns={"accuracy": "before"})
    after = on_all.loc[on_all["corruption"] != CLEAN, [*network, "corruption", "accuracy"]]
    both = after.merge(before, on=network)
    return both.assign(drop_points=100 * (both["before"] - both["accuracy"])).drop(columns="before")


def interval(values: NDArray[np.floating], confidence: float) -> tuple[float, float, float]:
    """Mean over seeds of values (num_seeds,), and the ends of its t interval."""
    found = paired_interval(values, confidence)
    return found.mean, found.low, found.high
