"""Facts about lines and barriers, computed by hand."""

import numpy as np
import pytest

from dilt.assemblies.barriers import Curve, barrier, between

ALPHAS = np.array([0.0, 0.5, 1.0])


def curve(errors: list[list[float]], losses: list[list[float]], kind: str = "partitions") -> Curve:
    return Curve(kind, "low", "high", ALPHAS, np.array(errors), np.array(losses), 20)


def test_a_barrier_is_the_largest_rise_above_the_straight_line_between_the_ends() -> None:
    assert barrier(np.array([0.1, 0.5, 0.3]), ALPHAS) == pytest.approx(0.5 - 0.2)
    assert barrier(np.array([0.1, 0.1, 0.3]), ALPHAS) == 0, "below the line is no barrier"
    assert barrier(np.array([0.1, 0.2, 0.3]), ALPHAS) == pytest.approx(0), "one end is worse: no barrier either"
    fine = np.linspace(0, 1, 11)
    assert barrier(0.2 + fine * (1 - fine), fine) == pytest.approx(0.25)


def test_images_of_two_partitions_count_by_the_share_of_their_own_network() -> None:
    """The ends are each network on its own classes, however bad it is on the other's; the middle is the mean."""
    found = curve([[0.1, 0.2, 0.9], [0.8, 0.4, 0.0]], [[1.0, 2.0, 9.0], [9.0, 4.0, 3.0]])
    assert found.error == pytest.approx([0.1, 0.3, 0.0])
    assert found.loss == pytest.approx([1.0, 3.0, 3.0])
    told = found.barriers()
    assert told["error_barrier_points"] == pytest.approx(25)
    assert told["average_points"] == pytest.approx(25)
    assert told["loss_barrier"] == pytest.approx(1)
    assert told["images"] == 20


def test_for_common_images_it_is_the_plain_error() -> None:
    errors, losses = [0.1, 0.05, 0.1], [1.0, 0.5, 1.0]
    found = curve([errors, errors], [losses, losses], "siblings")
    assert found.error == pytest.approx(errors)
    assert found.barriers()["error_barrier_points"] == pytest.approx(0)
    assert found.barriers()["average_points"] == pytest.approx(-5), "the average is better than either"


def test_every_point_is_a_row() -> None:
    rows = curve([[0.1, 0.2, 0.9], [0.8, 0.4, 0.0]], [[1.0, 2.0, 9.0], [9.0, 4.0, 3.0]]).rows()
    assert [row["alpha"] for row in rows] == [0, 0.5, 1]
    assert rows[1]["error"] == pytest.approx(0.3)
    assert (rows[1]["error_first"], rows[1]["error_second"]) == (0.2, 0.4)
    assert {(row["kind"], row["first"], row["second"]) for row in rows} == {("partitions", "low", "high")}


def test_weights_and_buffers_are_between_and_heads_and_counters_stay() -> None:
    first = {"a": np.float32([0, 4]), "norm.running_var": np.float32([1]), "steps": np.int64(7), "head.b": np.zeros(2)}
    second = {"a": np.float32([8, 0]), "norm.running_var": np.float32([5]), "steps": np.int64(9), "head.b": np.ones(3)}
    found = between(first, second, 0.25, ("head.",))
    assert found["a"].tolist() == [2, 3]
    assert found["a"].dtype == np.float32
    assert found["norm.running_var"].tolist() == [2]
    assert found["steps"] == 7
    assert found["head.b"].tolist() == [0, 0]


def test_the_ends_of_a_line_are_the_networks_bit_by_bit() -> None:
    draws = np.random.default_rng(0)
    first, second = ({"a": draws.normal(size=99).astype(np.float32)} for _ in range(2))
    assert np.array_equal(between(first, second, 0.0)["a"], first["a"])
    assert np.array_equal(between(first, second, 1.0)["a"], second["a"])
