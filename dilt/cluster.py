"""Stage `cluster`: modules of layers from a seed's distances, how stable they are, and what they agree with."""

from __future__ import annotations

import argparse

import numpy as np

from dilt import command, storage
from dilt.distances import read_distances
from dilt.modules import agreement, find_modules
from dilt.settings import Clustering, Section


class Options(Section):
    """What `cluster` reads of the configuration."""

    clustering: Clustering


def cluster(arguments: argparse.Namespace) -> None:
    """Write each layer's module, the Laplacian's eigenvalues, and a summary of choice, stability and nulls."""
    settings = command.options(arguments, Options).clustering
    matrix = read_distances(arguments.distances)
    found = find_modules(matrix.values, settings)

    address = {"seed": arguments.seed, "round": arguments.round}
    rows = [
        address
        | {"ticket": ticket, "depth": depth, "layer": layer, "module": int(module), "silhouette": float(silhouette)}
        for (ticket, depth, layer), module, silhouette in zip(
            matrix.nodes, found.labels, found.silhouettes, strict=True
        )
    ]
    storage.write_rows(arguments.modules, rows)
    values = [address | {"index": i, "eigenvalue": float(value)} for i, value in enumerate(found.eigenvalues)]
    storage.write_rows(arguments.eigenvalues, values)
    gaps = np.diff(found.eigenvalues[: settings.max_modules + 1])
    by_layer = agreement(found.labels, [layer for _, _, layer in matrix.nodes], settings)
    by_ticket = agreement(found.labels, [ticket for ticket, _, _ in matrix.nodes], settings)
    summary = address | {
        "modules": found.number,
        "rule": "largest mean silhouette",
        "silhouette_by_number": found.silhouette_by_number,
        "modules_by_eigengap": int(gaps[1:].argmax()) + 2,
        "stability_ari": found.stability,
        "shuffled_p": found.shuffled_p,
        "agreement_with_layer_ari": by_layer[0],
        "agreement_with_layer_p": by_layer[1],
        "agreement_with_ticket_ari": by_ticket[0],
        "agreement_with_ticket_p": by_ticket[1],
        "versions": command.versions(),
    }
    storage.write_json(arguments.summary, summary)
    print(f"{found.number} modules of {len(matrix.nodes)} layers, stability {found.stability:.2f}")


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("cluster", cluster.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    command.add_paths(parser, "--distances", help="table that compare wrote")
    command.add_paths(parser, "--modules", "--eigenvalues", "--summary", help="file to write")
    command.run(parser, cluster)


if __name__ == "__main__":
    main()
