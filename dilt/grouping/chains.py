"""Chains: the layers of one network in order of depth, as parts of a distance matrix over many networks.

Networks are tickets or references; tickets are compared with references, which are never grouped themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from dilt.geometry.distance_table import DistanceMatrix
from dilt.geometry.reference_networks import TRAINED, UNTRAINED
from dilt.tickets.names import TicketName


def is_reference(network: str) -> bool:
    """Whether the name is that of a reference rather than of a ticket."""
    return network == UNTRAINED or network.startswith(TRAINED)


def networks(matrix: DistanceMatrix) -> list[str]:
    """Tickets and references in order of appearance."""
    return list(dict.fromkeys(network for network, _, _ in matrix.nodes))


def part(matrix: DistanceMatrix, chosen: Collection[str]) -> DistanceMatrix:
    """Distances among the layers of some networks, each network's layers in order of depth."""
    order = {network: place for place, network in enumerate(networks(matrix))}
    kept = [place for place, (network, _, _) in enumerate(matrix.nodes) if network in chosen]
    kept.sort(key=lambda place: (order[matrix.nodes[place][0]], matrix.nodes[place][1]))
    return DistanceMatrix([matrix.nodes[place] for place in kept], matrix.values[np.ix_(kept, kept)])


def tickets(matrix: DistanceMatrix) -> DistanceMatrix:
    """Distances among the layers of all tickets, without the references."""
    return part(matrix, [network for network in networks(matrix) if not is_reference(network)])


def pooled(matrix: DistanceMatrix, chosen: Sequence[str]) -> NDArray[np.float64]:
    """Distances between depths (L, L) within networks: the geometric mean of the networks' own chains.

    Several tickets of a seed share theta0 and probes, so that their chains share chance effects too: they are
    independent evidence about depths, not about (ticket, layer). How far tickets are from each other does not matter
    here. Distances of zero, between identical layers of a network, count as the least positive one.

    Raises:
        ValueError: the networks have different layers.
    """
    chains = [part(matrix, [network]) for network in chosen]
    for network, chain in zip(chosen, chains, strict=True):
        if [node[1:] for node in chain.nodes] != [node[1:] for node in chains[0].nodes]:
            raise ValueError(f"'{network}' and '{chosen[0]}' have different layers; compare networks of one model")
    values = np.array([chain.values for chain in chains])
    positive = values[values > 0]
    least = positive.min() if positive.size else 1.0
    mean = np.exp(np.log(np.maximum(values, least)).mean(axis=0))
    np.fill_diagonal(mean, 0)
    return np.asarray(mean)


def is_random(ticket: str) -> bool:
    """Whether the ticket's weights were drawn at random."""
    return TicketName.parse(ticket).method == "random"


def random_twin(ticket: str) -> str:
    """Name of the random ticket of a ticket's density; an experiment has one for some tickets only."""
    return "random" if ticket == "lth" else f"random@{TicketName.parse(ticket).counted}"
