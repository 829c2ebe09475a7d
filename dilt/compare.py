"""Stage `compare`: Gromov-Wasserstein distance and linear CKA between every two (ticket, layer) of a seed."""

from __future__ import annotations

import argparse
from itertools import combinations

from dilt import command, representations, similarity, storage, transport
from dilt.progress import Progress
from dilt.settings import Section


class Options(Section):
    """What `compare` reads of the configuration."""

    cost: transport.Cost
    scaling: transport.Scaling


def compare(arguments: argparse.Namespace) -> None:
    """Write a row per pair: GW loss and distance, the identity coupling's distance, linear CKA."""
    options = command.options(arguments, Options)
    tickets = [representations.read_representations(store.parent) for store in arguments.stores]
    for ticket in tickets[1:]:
        if ticket.probe_digest != tickets[0].probe_digest:
            raise ValueError(
                f"tickets '{tickets[0].ticket}' and '{ticket.ticket}' saw other probes; run represent again"
            )

    nodes = [(t.ticket, depth, layer) for t in tickets for depth, layer in enumerate(t.layers)]
    features = [t.layers[layer] for t in tickets for layer in t.layers]
    costs = [transport.ground_cost(f, options.cost, options.scaling) for f in features]
    grams = [similarity.linear_gram(f) for f in features]
    pairs = list(combinations(range(len(nodes)), 2))
    progress = Progress("Gromov-Wasserstein", len(pairs), unit="pair")
    rows = []
    for i, j in pairs:
        found = transport.gromov_wasserstein(costs[i], costs[j])
        ends = {
            f"{key}_{end}": value
            for end, node in (("a", nodes[i]), ("b", nodes[j]))
            for key, value in zip(("ticket", "depth", "layer"), node, strict=True)
        }
        rows.append(
            {"seed": arguments.seed, "round": arguments.round}
            | ends
            | {
                "gw_loss": found.loss,
                "gw_distance": found.distance,
                "identity_loss": found.identity_loss,
                "iterations": found.iterations,
                "linear_cka": similarity.linear_cka(grams[i], grams[j]),
            }
        )
        progress.advance()
    progress.close()
    storage.write_rows(arguments.distances, rows)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("compare", compare.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    command.add_path_lists(parser, "--stores", help="root metadata (STORE/zarr.json) of every ticket")
    command.add_paths(parser, "--distances", help="table to write")
    command.run(parser, compare)


if __name__ == "__main__":
    main()
