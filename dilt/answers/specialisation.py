"""What every specialist is worth to its own and to the other partitions, from the table of assemblies.

Differences of test accuracies in percentage points, paired by seed. Verdicts are left to `claim_table`.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from dilt.answers.statistics import paired_interval
from dilt.assemblies.names import HEAD, LINEAR, MEAN, RETRAINED, THETA0, assembly_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

REMOVED, ADDED = "removed", "added"
NOTHING, RANDOM, SMALLEST, NULL = "nothing", "random", "smallest", "null specialist"
Terms = list[tuple[int, str]]


def specialisation_by_seed(assembly: pd.DataFrame, partitions: Sequence[str]) -> pd.DataFrame:
    """A row per seed, specialist, partition whose images are scored, change, control and readout.

    - ``removed``: points lost when the specialist is taken from its own partition's trained network;
    - ``added``: points gained when it is put to the core, in the network of the partition that is scored.

    The control is ``nothing``, so that points are the whole change; or the same change made with as many other weights
    in every layer, whose points are subtracted: ``random`` ones, the ``smallest`` ones, or the ``null specialist``
    (parts of equal size of both are compared, see `assemblies.joining`). A row is there if all that it needs was
    scored.

    Returns:
        seed, specialist, partition, own (whether it is the specialist's), change, control, readout, points.
    """
    import pandas as pd

    wide = assembly.pivot(index=["partition", "core_from", "readout", "assembly"], columns="seed", values="accuracy")
    accuracies = dict(zip(wide.index, wide.to_numpy(dtype=float), strict=True))  # each (num_seeds,)
    rows = []
    for specialist, partition in product(partitions, repeat=2):
        for change, control, core_from, readout, terms in _worth(specialist):
            keys = [(partition, core_from, readout, name) for _, name in terms]
            if not accuracies.keys() >= set(keys):
                continue
            points = 100 * np.sum([sign * accuracies[key] for (sign, _), key in zip(terms, keys, strict=True)], axis=0)
            address = {"specialist": specialist, "partition": partition, "own": specialist == partition}
            address |= {"change": change, "control": control, "readout": readout}
            by_seed = zip(wide.columns, points, strict=True)
            rows += [{"seed": seed, **address, "points": value} for seed, value in by_seed]
    return pd.DataFrame(rows).sort_values("seed", kind="stable", ignore_index=True)


def specialisation(by_seed: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """`specialisation_by_seed` summarised: mean over seeds, t interval and number of seeds.

    Returns:
        specialist, partition, own, change, control, readout, points, low_points, high_points, seeds.
    """
    import pandas as pd

    columns = [column for column in by_seed if column not in ("seed", "points")]
    rows = []
    for address, points in by_seed.groupby(columns, sort=False)["points"]:
        found = paired_interval(points.to_numpy(), confidence)
        interval = {"points": found.mean, "low_points": found.low, "high_points": found.high, "seeds": found.num_seeds}
        rows.append(dict(zip(columns, address, strict=True)) | interval)
    return pd.DataFrame(rows)


def _worth(specialist: str) -> list[tuple[str, str, str, str, Terms]]:
    """Change, control, whose weights the core has, readout, and which accuracies are added and taken off."""
    joined, part, null = assembly_name([specialist]), f"core+part-specialist-{specialist}", f"null-core-{specialist}"
    removed: dict[str, Terms] = {
        NOTHING: [(1, "intact"), (-1, "intact-specialist")],
        RANDOM: [(1, "intact-random"), (-1, "intact-specialist")],
        SMALLEST: [(1, "intact-smallest"), (-1, "intact-specialist")],
        NULL: [(1, "intact-part-null-specialist"), (-1, "intact-part-specialist")],
    }
    added: dict[str, Terms] = {
        NOTHING: [(1, joined), (-1, "core")],
        RANDOM: [(1, joined), (-1, f"core+random@{joined}")],
        NULL: [(1, part), (-1, "core"), (-1, f"{null}+part-null-specialist-{specialist}"), (1, null)],
    }
    ways = [(ADDED, MEAN, HEAD), (ADDED, MEAN, LINEAR), (ADDED, THETA0, RETRAINED)]
    ways = [(REMOVED, specialist, HEAD), (REMOVED, specialist, LINEAR), *ways]
    return [
        (change, control, core_from, readout, terms)
        for change, core_from, readout in ways
        for control, terms in (removed if change == REMOVED else added).items()
    ]
