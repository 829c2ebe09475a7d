"""Error barriers over seeds, by rewinding epoch and round, and whether networks are stable there.

`assemblies.barriers` measures the barriers of each seed; they are summarised here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dilt.answers.statistics import paired_interval

if TYPE_CHECKING:
    import pandas as pd

STABLE = 2.0  # percentage points; a lower barrier is none (Frankle et al. 2020, section 3)


def instability(barriers: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row per rewinding epoch, round and kind of line: the mean barrier over seeds, with its t interval.

    A seed's barrier is the mean over its lines: over partitions, or over pairs of them.

    Args:
        barriers: of all seeds, as `dilt.instability` writes them.

    Returns:
        rewind, rewind_epoch, round, kind, error_barrier_points, low_points, high_points, average_points, loss_barrier,
        seeds, and whether networks are surely stable: the upper bound lies below stable_below_points.
    """
    import pandas as pd

    measures = ["error_barrier_points", "average_points", "loss_barrier"]
    rows = []
    for (told, epoch, round_, kind), lines in barriers.groupby(["rewind", "rewind_epoch", "round", "kind"], sort=False):
        by_seed = lines.groupby("seed")[measures].mean()
        found = paired_interval(by_seed["error_barrier_points"].to_numpy(), confidence)
        rows.append(
            {
                "rewind": told,
                "rewind_epoch": epoch,
                "round": round_,
                "kind": kind,
                "error_barrier_points": found.mean,
                "low_points": found.low,
                "high_points": found.high,
                "average_points": by_seed["average_points"].mean(),
                "loss_barrier": by_seed["loss_barrier"].mean(),
                "seeds": found.num_seeds,
                "stable_below_points": STABLE,
                "stable": found.high < STABLE,
            }
        )
    return pd.DataFrame(rows)
