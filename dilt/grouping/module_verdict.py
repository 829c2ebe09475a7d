"""The module verdict: whether the modules of a chain are real, or smooth drift or another network explains them.

`nulls` makes the nulls; which networks are compared follows from their names, which `chains` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dilt.geometry import reference_networks
from dilt.geometry.distance_table import DistanceMatrix
from dilt.grouping import chains
from dilt.grouping.clustering import MIN_NODES, Modules, find_modules
from dilt.grouping.nulls import Null, other_chain, smooth_drift
from dilt.settings.grouping import Clustering

Verdict = Literal["modules", "shared", "smooth", "too few layers"]
MIN_LAYERS = 6  # of a chain; with fewer, planted blocks are too rarely found not to be drift (benchmarks/modules.py)
DRIFT, UNTRAINED, RANDOM = "smooth drift", "untrained twin", "random tickets"


@dataclass(frozen=True)
class Examined:
    """Modules of a chain, one network's or several networks' pooled, and the nulls that they were compared with.

    Attributes:
        modules: of the chain's layers; None where there are too few for any.
        num_layers: of the chain.
        nulls: by name; none where there are too few layers for a verdict.
    """

    modules: Modules | None
    num_layers: int
    nulls: Mapping[str, Null]

    @property
    def explained_by(self) -> list[str]:
        """The nulls that are not beaten."""
        return [name for name, null in self.nulls.items() if not null.beaten]

    @property
    def verdict(self) -> Verdict:
        """What may be said of the modules.

        ``modules``: every null is beaten. ``shared``: layers do group, but a network without training, or without the
        ticket's mask, has these groups too. ``smooth``: drift along depth explains them.
        """
        if not self.nulls:
            return "too few layers"
        if DRIFT in self.explained_by:
            return "smooth"
        return "shared" if self.explained_by else "modules"


def examine_tickets(matrix: DistanceMatrix, settings: Clustering) -> Examined:
    """The chain that the tickets share, compared with drift, the untrained twin and the random tickets."""
    names = chains.networks(matrix)
    tickets = [name for name in names if not chains.is_reference(name)]
    twins = {UNTRAINED: [reference_networks.UNTRAINED], RANDOM: [name for name in tickets if chains.is_random(name)]}
    return _examine(matrix, tickets, twins, settings)


def examine_network(matrix: DistanceMatrix, network: str, settings: Clustering) -> Examined:
    """The layers of one network by themselves; a ticket is also compared with the random ticket of its density."""
    twins = {UNTRAINED: [reference_networks.UNTRAINED], RANDOM: [chains.random_twin(network)]}
    return _examine(matrix, [network], twins, settings)


def _examine(
    matrix: DistanceMatrix, networks: list[str], twins: Mapping[str, list[str]], settings: Clustering
) -> Examined:
    chain, present = chains.pooled(matrix, networks), chains.networks(matrix)
    num_layers = len(chain)
    least = max(MIN_NODES, (settings.number or 2) + 2)
    found = find_modules(chain, settings) if num_layers >= least else None
    if found is None or num_layers < MIN_LAYERS:
        return Examined(found, num_layers, {})
    nulls = {DRIFT: smooth_drift(chain, settings)}
    for name, others in twins.items():
        if others and others != networks and set(others) <= set(present):
            chains.pooled(matrix, [networks[0], *others])  # the same layers, or an error
            nulls[name] = other_chain(chain, chains.pooled(matrix, others), settings)
    return Examined(found, num_layers, nulls)
