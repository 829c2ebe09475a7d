"""The table of distances that `compare` writes: its rows, and the table as a matrix over (ticket, layer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations import storage

if TYPE_CHECKING:
    from dilt.geometry.gromov_wasserstein import Distance

CONFIDENCE = 0.95  # of the intervals over subsets of probes

Node = tuple[str, int, str]


@dataclass(frozen=True)
class Pair:
    """Two layers and what was measured between them.

    Attributes:
        first, second: (ticket, depth, layer name).
        found: the distance on each subset of the probes.
        similarities: linear and debiased CKA on each subset.
    """

    first: Node
    second: Node
    found: Sequence[Distance]
    similarities: Sequence[tuple[float, float]]

    def row(self) -> dict[str, Any]:
        """Row of the table of distances: means over the subsets, and the interval of the distance.

        Starts are joined by ``+`` where subsets differ in them; a pair has converged where it has on every subset.
        """
        values = [one.distance for one in self.found]
        low, high = interval(values)
        plain, debiased = np.mean(self.similarities, axis=0).tolist()
        return self._ends() | {
            "gw_loss": _mean([one.loss for one in self.found]),
            "gw_distance": _mean(values),
            "identity_loss": _mean([one.identity_loss for one in self.found]),
            "iterations": sum(one.iterations for one in self.found),
            "linear_cka": plain,
            "start": "+".join(sorted({one.start for one in self.found})),
            "converged": all(one.converged for one in self.found),
            "lower_bound": _mean([one.lower_bound for one in self.found]),
            "rdm_distance": _mean([one.rdm_distance for one in self.found]),
            "debiased_cka": debiased,
            "gw_distance_low": low,
            "gw_distance_high": high,
        }

    def subset_rows(self) -> list[dict[str, Any]]:
        """Rows of the table of subsets."""
        return [
            {"subset": index} | self._ends() | {"gw_loss": one.loss, "gw_distance": one.distance}
            for index, one in enumerate(self.found)
        ]

    def _ends(self) -> dict[str, Any]:
        ends = {"a": self.first, "b": self.second}
        return {
            f"{key}_{end}": value
            for end, node in ends.items()
            for key, value in zip(("ticket", "depth", "layer"), node, strict=True)
        }


@dataclass(frozen=True)
class DistanceMatrix:
    """Distances between layers of tickets.

    Attributes:
        nodes: (ticket, depth, layer name) of each row.
        values: (num_nodes, num_nodes), symmetric with zero diagonal.
    """

    nodes: list[Node]
    values: NDArray[np.float64]


def interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The t interval of the mean distance over disjoint subsets of probes; none for a single one.

    It is for the subsets' number of probes: with more probes the distance is smaller, since matches are better.
    """
    if len(values) == 1:
        return None, None
    from scipy.stats import ttest_1samp

    low, high = ttest_1samp(values, 0).confidence_interval(CONFIDENCE)
    return max(float(low), 0.0), float(high)


def read_distances(path: Path) -> DistanceMatrix:
    """The table of one seed as a matrix; raises what `distance_matrix` raises, with the file's name."""
    rows = storage.read_rows(path)
    try:
        return distance_matrix(rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a whole table of distances ({error}); delete it and run again") from error


def distance_matrix(rows: Sequence[Mapping[Any, Any]], column: str = "gw_distance") -> DistanceMatrix:
    """One column of the rows of one seed as a matrix, nodes in order of appearance.

    Raises:
        ValueError: a pair is missing, or its value is not a finite number.
    """

    def node(row: Mapping[Any, Any], end: str) -> Node:
        return str(row[f"ticket_{end}"]), int(row[f"depth_{end}"]), str(row[f"layer_{end}"])

    nodes = list(dict.fromkeys([node(row, "a") for row in rows] + [node(row, "b") for row in rows]))
    index = {name: place for place, name in enumerate(nodes)}
    values = np.full((len(nodes), len(nodes)), np.nan)
    np.fill_diagonal(values, 0)
    for row in rows:
        i, j = index[node(row, "a")], index[node(row, "b")]
        values[i, j] = values[j, i] = float(row[column])
    if not np.isfinite(values).all():
        raise ValueError("a pair is missing or its distance is not a number")
    return DistanceMatrix(nodes, values)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
