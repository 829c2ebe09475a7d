"""Facts about chains: which networks are tickets, and what their layers have in common."""

import numpy as np
import pytest

from dilt.geometry.distance_table import DistanceMatrix
from dilt.grouping import chains
from tests.unit.asking import asked_names

NODES = [("core", 1, "b"), ("untrained", 0, "a"), ("core", 0, "a"), ("trained-low", 0, "a")]
MATRIX = DistanceMatrix(NODES, np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0))))


def test_no_ticket_is_a_reference() -> None:
    assert not any(chains.is_reference(name) for name in asked_names(["low", "untrained", "trained-low"]))
    assert chains.networks(MATRIX) == ["core", "untrained", "trained-low"]
    assert {node[0] for node in chains.tickets(MATRIX).nodes} == {"core"}


def test_a_part_has_each_networks_layers_in_order_of_depth() -> None:
    part = chains.part(MATRIX, ["untrained", "core"])
    assert part.nodes == [("core", 0, "a"), ("core", 1, "b"), ("untrained", 0, "a")]
    np.testing.assert_array_equal(part.values[0], [0, 2, 1])


@pytest.mark.parametrize(
    ("ticket", "twin"),
    [("core", "random@core"), ("lth@core", "random@core"), ("lth", "random"), ("random@union", "random@union")],
)
def test_the_random_twin_has_the_tickets_density(ticket: str, twin: str) -> None:
    assert chains.random_twin(ticket) == twin
    assert twin in asked_names(["low", "high"])
    assert chains.is_random(twin)


def test_a_pooled_chain_is_the_geometric_mean_of_the_networks_own() -> None:
    nodes = [(network, d, f"l{d}") for network in ("core", "union") for d in range(2)]
    values = np.full((4, 4), 9.0)
    values[0, 1] = values[1, 0] = 2
    values[2, 3] = values[3, 2] = 8
    np.fill_diagonal(values, 0)
    np.testing.assert_allclose(chains.pooled(DistanceMatrix(nodes, values), ["core", "union"]), [[0, 4], [4, 0]])
