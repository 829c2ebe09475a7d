"""Facts about the table of distances: it is the matrix, and a hole in it is an error."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from dilt.foundations.storage import write_rows
from dilt.geometry.distance_table import interval, read_distances

KEYS = ("ticket", "depth", "layer")
NODES = [("core", 0, "blocks.0"), ("core", 1, "blocks.1"), ("union", 0, "blocks.0")]
VALUES = np.array([[0, 1 / 3, 2.5], [1 / 3, 0, 1e-17], [2.5, 1e-17, 0]])


def rows() -> list[dict[str, object]]:
    return [
        {
            f"{key}_{end}": value
            for end, node in (("a", i), ("b", j))
            for key, value in zip(KEYS, NODES[node], strict=True)
        }
        | {"gw_distance": VALUES[i, j]}
        for i, j in combinations(range(len(NODES)), 2)
    ]


def test_table_and_matrix_hold_the_same(tmp_path: Path) -> None:
    write_rows(tmp_path / "distances.csv", rows())
    found = read_distances(tmp_path / "distances.csv")
    assert found.nodes == NODES
    assert np.array_equal(found.values, VALUES)


def damaged() -> dict[str, list[dict[str, object]]]:
    not_a_number = rows()
    not_a_number[1]["gw_distance"] = float("nan")
    words = rows()
    words[1]["gw_distance"] = "far"
    without = [{key: value for key, value in row.items() if key != "layer_b"} for row in rows()]
    return {"pair": rows()[:2], "nan": not_a_number, "words": words, "column": without}


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_table_is_named(tmp_path: Path, kind: str) -> None:
    write_rows(tmp_path / "distances.csv", damaged()[kind])
    with pytest.raises(ValueError, match=r"distances\.csv: not a whole table of distances"):
        read_distances(tmp_path / "distances.csv")


def test_the_interval_over_subsets_is_that_of_students_t_and_never_below_zero() -> None:
    # Mean 2, standard deviation 1, n = 3; t(0.975, 2) = 4.30265.
    low, high = interval([1.0, 2.0, 3.0])
    assert (low, high) == (0.0, pytest.approx(2 + 4.30265 / 3**0.5, abs=1e-4))
    assert interval([11.0, 12.0, 13.0])[0] == pytest.approx(12 - 4.30265 / 3**0.5, abs=1e-4)
    assert interval([0.0, 0.0]) == (0.0, 0.0)
    assert interval([1.0]) == (None, None)
