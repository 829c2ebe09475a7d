"""The table of distances that `compare` writes, as a matrix over (ticket, layer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt import storage

Node = tuple[str, int, str]


@dataclass(frozen=True)
class DistanceMatrix:
    """Distances between layers of tickets.

    Attributes:
        nodes: (ticket, depth, layer name) of each row.
        values: (num_nodes, num_nodes), symmetric with zero diagonal.
    """

    nodes: list[Node]
    values: NDArray[np.float64]


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
