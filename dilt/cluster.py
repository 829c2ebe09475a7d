"""Stage `cluster`: groups layers into modules by a seed's distances; tests if these are stable, and beat the nulls."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations import storage
from dilt.geometry import reference_networks
from dilt.geometry.distance_table import DistanceMatrix, Node, distance_matrix, read_distances
from dilt.grouping import chains, module_verdict, nulls, stability
from dilt.grouping.clustering import Modules, agreement, contiguity, find_modules, rand_index
from dilt.grouping.module_verdict import Examined
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.grouping import Clustering

Row = dict[str, Any]


class Options(Section):
    """What `cluster` reads from the configuration."""

    clustering: Clustering


def cluster(arguments: argparse.Namespace) -> None:
    """Write each layer's module, how stable modules are, every network by itself, and the module verdict."""
    settings = command.options(arguments, Options).clustering
    matrix = read_distances(arguments.distances)
    tickets = chains.tickets(matrix)
    subsets = read_subsets(arguments.subsets, tickets.nodes)
    stages = read_stages(arguments.layers)

    found = find_modules(tickets.values, settings)
    together = module_verdict.examine_tickets(matrix, settings)
    apart = {network: module_verdict.examine_network(matrix, network, settings) for network in chains.networks(matrix)}
    replicates = replicate(tickets, subsets, found.number, settings)
    shares = stability.co_grouping(replicates.groupings)

    address = {"seed": arguments.seed, "round": arguments.round}
    storage.write_rows(arguments.clusters, [address | row for row in layer_rows(tickets.nodes, found, shares)])
    storage.write_rows(arguments.stability, [address | row for row in stability_rows(tickets.nodes, shares)])
    values = [address | {"index": i, "eigenvalue": float(value)} for i, value in enumerate(found.eigenvalues)]
    storage.write_rows(arguments.eigenvalues, values)
    storage.write_rows(arguments.chains, [address | row for row in chain_rows(tickets.nodes, found, apart, settings)])
    summary = {
        "module_verdict": together.verdict,
        "explained_by": ", ".join(together.explained_by),
        "chain_layers": together.num_layers,
        "chain_modules": together.modules and together.modules.labels.tolist(),
        "chain_silhouette": together.modules and together.modules.silhouette,
        "level": nulls.LEVEL,
        "margin": nulls.MARGIN,
        **{name.replace(" ", "_"): {"p": null.p, "gain": null.gain} for name, null in together.nulls.items()},
        "modules": found.number,
        "silhouette": found.silhouette,
        "silhouette_by_number": found.silhouette_by_number,
        "modules_by_eigengap": found.number_by_eigengap,
        "stability_over": replicates.over,
        "replicates": len(replicates.groupings),
        "stability_ari": stability.mean_rand_index(replicates.groupings),
        "agreement": agreements(tickets.nodes, found, stages, settings),
        "settings": settings.model_dump(),
        "versions": command.versions(),
    }
    storage.write_json(arguments.summary, address | summary)
    print(f"{together.verdict}; {found.number} groups of {len(tickets.nodes)} layers")


def read_subsets(path: Path, nodes: Sequence[Node]) -> list[DistanceMatrix]:
    """Distances between the nodes on every subset of the probes; raises ValueError where a pair is missing."""
    by_subset: dict[int, list[dict[str, str]]] = {}
    for row in storage.read_rows(path):
        by_subset.setdefault(int(row["subset"]), []).append(row)
    try:
        matrices = [chains.tickets(distance_matrix(rows)) for _, rows in sorted(by_subset.items())]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a whole table of distances ({error}); delete it and run again") from error
    if any(matrix.nodes != list(nodes) for matrix in matrices):
        raise ValueError(f"{path}: has other layers than the table of distances; delete both and run again")
    return matrices


def read_stages(path: Path) -> dict[Node, str]:
    """The stage of each layer, by node."""
    return {(row["ticket"], int(row["depth"]), row["layer"]): row["stage"] for row in storage.read_rows(path)}


@dataclass(frozen=True)
class Replicates:
    """Groupings (num_replicates, m) of the same nodes, and what they were taken over."""

    groupings: NDArray[np.int64]
    over: str


def replicate(
    tickets: DistanceMatrix, subsets: Sequence[DistanceMatrix], number: int, settings: Clustering
) -> Replicates:
    """The same number of modules from each subset of the probes; from subsets of the layers if there is only one."""
    if len(subsets) > 1:
        groupings = stability.over_probes([subset.values for subset in subsets], number, settings)
        return Replicates(groupings, "subsets of the probes")
    return Replicates(stability.over_nodes(tickets.values, number, settings), "subsets of the layers")


def layer_rows(nodes: Sequence[Node], found: Modules, shares: NDArray[np.float64]) -> list[Row]:
    """A row per layer; its stability is the mean share with the others of its module."""
    return [
        {"ticket": ticket, "depth": depth, "layer": layer, "cluster": int(label), "silhouette": float(silhouette)}
        | {"stability": _known(share)}
        for (ticket, depth, layer), label, silhouette, share in zip(
            nodes, found.labels, found.silhouettes, stability.stability(shares, found.labels), strict=True
        )
    ]


def stability_rows(nodes: Sequence[Node], shares: NDArray[np.float64]) -> list[Row]:
    """A row per pair of layers: the share of replicates that put them together."""
    return [
        {
            f"{key}_{end}": value
            for end, node in (("a", nodes[i]), ("b", nodes[j]))
            for key, value in zip(("ticket", "depth", "layer"), node, strict=True)
        }
        | {"together": _known(shares[i, j])}
        for i, j in combinations(range(len(nodes)), 2)
    ]


def chain_rows(nodes: Sequence[Node], found: Modules, apart: Mapping[str, Examined], settings: Clustering) -> list[Row]:
    """A row per network: how the modules of all tickets run along its depth, and modules of its own layers alone."""
    rows = []
    for network, own in apart.items():
        labels = found.labels[[ticket == network for ticket, _, _ in nodes]]
        runs, runs_p = contiguity(labels, settings) if len(labels) else (None, None)
        row: Row = {"ticket": network, "layers": own.num_layers, "runs": runs, "runs_p": runs_p}
        row |= {
            "modules": own.modules and own.modules.number,
            "modules_by_eigengap": own.modules and own.modules.number_by_eigengap,
            "silhouette": own.modules and own.modules.silhouette,
            "module_verdict": own.verdict,
            "explained_by": ", ".join(own.explained_by),
        }
        twins = {
            module_verdict.UNTRAINED: reference_networks.UNTRAINED,
            module_verdict.RANDOM: chains.random_twin(network),
        }
        for null in (module_verdict.DRIFT, module_verdict.UNTRAINED, module_verdict.RANDOM):
            held, key = own.nulls.get(null), null.replace(" ", "_")
            row |= {f"{key}_p": held and held.p, f"{key}_gain": held and held.gain}
            if null in twins:
                row[f"{key}_ari"] = _same_modules(own, apart.get(twins[null]))
        rows.append(row)
    return rows


def agreements(
    nodes: Sequence[Node], found: Modules, stages: Mapping[Node, str], settings: Clustering
) -> dict[str, dict[str, float]]:
    """Adjusted Rand index, and its permutation p value, of the modules with the layers, stages and tickets."""
    groups = {"layer": [layer for _, _, layer in nodes], "ticket": [ticket for ticket, _, _ in nodes]}
    groups["stage"] = [stages[node] for node in nodes]
    found_with = {name: agreement(found.labels, members, settings) for name, members in groups.items()}
    return {name: {"ari": ari, "p": p} for name, (ari, p) in found_with.items()}


def _same_modules(own: Examined, twin: Examined | None) -> float | None:
    """Agreement of two networks' own modules, layer by layer."""
    if twin is None or twin is own or own.modules is None or twin.modules is None:
        return None
    return rand_index(own.modules.labels.tolist(), twin.modules.labels.tolist())


def _known(value: float) -> float | None:
    """A finite number, or None, which a table shows as an empty cell."""
    return float(value) if math.isfinite(value) else None


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("cluster", cluster.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    command.add_paths(parser, "--distances", "--subsets", "--layers", help="table that compare wrote")
    command.add_paths(
        parser, "--clusters", "--stability", "--chains", "--eigenvalues", "--summary", help="file to write"
    )
    command.run(parser, cluster)


if __name__ == "__main__":
    main()
