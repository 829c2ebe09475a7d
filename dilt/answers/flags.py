"""Flags that keep a comparison from deciding: a ceiling, or runs that collapsed.

A control that leaves less headroom than the margin cannot be beaten by it, whatever the truth. A run at chance, or one
that training did not improve, tells of its training, not of its ticket; t tests fail with a few such runs among others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dilt.settings.evaluation import CLEAN

if TYPE_CHECKING:
    import pandas as pd

CEILING, COLLAPSE = "ceiling", "collapse"
# A run is at chance unless its accuracy is above the share of the commonest class at this level (one-sided binomial).
CHANCE_LEVEL = 0.01


def at_chance(accuracy: ArrayLike, images: ArrayLike, chance: ArrayLike) -> NDArray[np.bool_]:
    """Whether accuracies (fractions) on so many images could be those of a network that always names one class.

    Args:
        chance: share of the commonest class among the images.
    """
    from scipy.stats import binom

    right = np.rint(np.asarray(accuracy) * np.asarray(images))
    found: NDArray[np.bool_] = binom.sf(right - 1, images, chance) > CHANCE_LEVEL
    return found


def with_collapse(table: pd.DataFrame) -> pd.DataFrame:
    """A table of test scores of trained runs with the columns ``at_chance``, ``unimproved`` and ``collapsed``.

    A run scored on several sets of classes, or under corruptions, collapsed if it did on ``all`` images as they are.
    Whether training improved a run is unknown for linear heads, which are not trained in epochs.
    """
    chance = at_chance(table["accuracy"], table["images"], table["chance"])
    unimproved = table["improved"].map({False: True, "False": True}).eq(True)
    found = table.assign(at_chance=chance, unimproved=unimproved)
    if "classes" in table:
        run = ["seed", "round", "ticket"]
        whole = found[_of_runs(found)].set_index(run)["at_chance"]
        found["at_chance"] = whole.loc[list(table[run].itertuples(index=False, name=None))].to_numpy()
    return found.assign(collapsed=found["at_chance"] | found["unimproved"])


def _of_runs(ticket_scores: pd.DataFrame) -> pd.Series[bool]:
    """The rows of whole runs: on all classes, on images as they are."""
    return (ticket_scores["classes"] == "all") & (ticket_scores["corruption"] == CLEAN)


def collapsed_runs(ticket_scores: pd.DataFrame, transfer: pd.DataFrame) -> pd.DataFrame:
    """Collapsed runs counted per ticket, over seeds; only tickets of which one collapsed.

    Args:
        ticket_scores, transfer: from `with_collapse`.

    Returns:
        round, ticket, trained_on (source, or a target and protocol), runs, at_chance, unimproved, collapsed.
    """
    import pandas as pd

    on_source = ticket_scores[_of_runs(ticket_scores)].assign(trained_on="source")
    on_target = transfer.assign(trained_on=transfer["target"] + ", " + transfer["protocol"])
    runs: pd.DataFrame = pd.concat([on_source, on_target], ignore_index=True)
    groups = runs.groupby(["round", "ticket", "trained_on"], sort=False)
    counted = groups[["at_chance", "unimproved", "collapsed"]].sum().astype(int)
    counted.insert(0, "runs", groups.size())
    return counted[counted["collapsed"] > 0].reset_index()
