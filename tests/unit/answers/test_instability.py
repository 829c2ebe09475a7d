"""Facts about barriers over seeds: means of lines, intervals, and what is surely stable."""

import math

import pandas as pd
import pytest

from dilt.answers.instability import instability


def barriers(values: dict[int, list[float]], kind: str = "partitions", epoch: int = 0) -> pd.DataFrame:
    """Error barriers of round 1 by seed, a value per line."""
    return pd.DataFrame(
        [
            {
                "seed": seed,
                "rewind": epoch,
                "rewind_epoch": epoch,
                "round": 1,
                "kind": kind,
                "error_barrier_points": value,
            }
            | {"average_points": value / 2, "loss_barrier": value / 100}
            for seed, lines in values.items()
            for value in lines
        ]
    )


def test_a_seed_counts_by_the_mean_of_its_lines() -> None:
    (row,) = instability(barriers({0: [1.0, 3.0, 8.0], 1: [6.0], 2: [8.0]}), 0.95).to_dict("records")
    assert row["error_barrier_points"] == pytest.approx(6)
    reach = 4.302653 * 2 / math.sqrt(3)  # Student's t with two degrees of freedom; SD of 4, 6 and 8 is 2
    assert row["low_points"] == pytest.approx(6 - reach, rel=1e-5)
    assert row["high_points"] == pytest.approx(6 + reach, rel=1e-5)
    assert row["average_points"] == pytest.approx(3)
    assert row["loss_barrier"] == pytest.approx(0.06)
    assert row["seeds"] == 3
    assert not row["stable"]


@pytest.mark.parametrize(
    ("values", "stable"),
    [
        ({0: [0.5], 1: [0.6], 2: [0.7]}, True),
        ({0: [0.1], 1: [1.0], 2: [1.9]}, False),  # the mean is below two points, but not surely
        ({0: [0.0]}, False),  # one seed has no interval
        ({0: [5.0], 1: [5.1], 2: [5.2]}, False),
    ],
)
def test_stable_is_what_is_surely_below_two_points(values: dict[int, list[float]], stable: bool) -> None:
    (row,) = instability(barriers(values), 0.95).to_dict("records")
    assert row["stable"] == stable
    assert row["stable_below_points"] == 2


def test_rewinding_epochs_rounds_and_kinds_have_rows_of_their_own() -> None:
    parts = [barriers({0: [1.0], 1: [2.0]}, kind, epoch) for kind in ("siblings", "partitions") for epoch in (0, 3)]
    later = parts[0].assign(round=2, error_barrier_points=9.0)
    found = instability(pd.concat([*parts, later]), 0.95).set_index(["rewind_epoch", "round", "kind"])
    assert len(found) == 5
    assert found.loc[(0, 2, "siblings"), "error_barrier_points"] == 9
