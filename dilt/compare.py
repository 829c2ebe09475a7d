"""Stage `compare`: Gromov-Wasserstein distance and linear CKA between every two (ticket, layer) of a seed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from dilt import checkpoints, command, representations, similarity, storage, transport
from dilt.checkpoints import Checkpoint, Checkpoints
from dilt.progress import Progress
from dilt.representations import Representations
from dilt.settings import Section


class Options(Section):
    """What `compare` reads of the configuration."""

    cost: transport.Cost
    scaling: transport.Scaling


def compare(arguments: argparse.Namespace) -> None:
    """Write a row per pair, and how they were measured: GW loss and distance, the identity's loss, linear CKA."""
    options = command.options(arguments, Options)
    saved = Checkpoints.from_arguments(arguments, *arguments.stores)
    tickets = [representations.read_representations(store.parent) for store in arguments.stores]
    for ticket in tickets[1:]:
        if ticket.probe_digest != tickets[0].probe_digest:
            raise ValueError(
                f"tickets '{tickets[0].ticket}' and '{ticket.ticket}' saw other probes; run represent again"
            )

    names = [ticket.ticket for ticket in tickets]
    # The digest tells matrices over other tickets apart, which experiments can keep side by side.
    with saved.of(f"pairs-{storage.digest({}, arguments.options + str(names))[:8]}") as checkpoint:
        made = checkpoint.finished() or checkpoint.finish({}, measure(tickets, options, checkpoint))
    address = {"seed": arguments.seed, "round": arguments.round}
    storage.write_rows(arguments.distances, [address | row for row in made["rows"]])
    storage.write_json(arguments.summary, address | made["summary"])


def measure(tickets: Sequence[Representations], options: Options, checkpoint: Checkpoint) -> dict[str, Any]:
    """The ``rows``, one per pair of (ticket, layer), and a ``summary`` of what they were measured with."""
    nodes = [(t.ticket, depth, layer) for t in tickets for depth, layer in enumerate(t.layers)]
    features = [t.layers[layer] for t in tickets for layer in t.layers]
    costs = [transport.ground_cost(f, options.cost, options.scaling) for f in features]
    grams = [similarity.linear_gram(f) for f in features]
    pairs = list(combinations(range(len(nodes)), 2))
    _, record = checkpoint.load() or ({}, {"rows": []})
    rows: list[dict[str, Any]] = record["rows"]
    progress = Progress("Gromov-Wasserstein", len(pairs), done=len(rows), unit="pair")
    for i, j in pairs[len(rows) :]:
        found = transport.gromov_wasserstein(costs[i], costs[j])
        ends = {
            f"{key}_{end}": value
            for end, node in (("a", nodes[i]), ("b", nodes[j]))
            for key, value in zip(("ticket", "depth", "layer"), node, strict=True)
        }
        rows.append(
            ends
            | {
                "gw_loss": found.loss,
                "gw_distance": found.distance,
                "identity_loss": found.identity_loss,
                "iterations": found.iterations,
                "linear_cka": similarity.linear_cka(grams[i], grams[j]),
            }
        )
        progress.advance()
        if checkpoint.due():
            checkpoint.save({}, {"rows": rows})
    progress.close()
    summary = options.model_dump() | {
        "probes": len(tickets[0].probe_ids),
        "probe_digest": tickets[0].probe_digest,
        "versions": command.versions(),
    }
    return {"rows": rows, "summary": summary}


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("compare", compare.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    command.add_path_lists(parser, "--stores", help="root metadata (STORE/zarr.json) of every ticket")
    command.add_paths(parser, "--distances", help="table to write")
    command.add_paths(parser, "--summary", help="record of how they were measured, to write")
    checkpoints.add_options(parser)
    command.run(parser, compare)


if __name__ == "__main__":
    main()
