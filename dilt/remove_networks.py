"""Stage `remove_networks`: removes a seed's trained networks, which follow from theta0, masks and data (jobs.keep).

A network is the same file as finished work among the checkpoints, or a copy of it: both are removed. The record says
which networks lie there no more, so that whoever misses one can be told the cure.

Snakemake's own temp() would not do. It removes what no other job of the same run reads, so that `snakemake tickets`
would lose networks that other stages still need; it leaves finished work among the checkpoints; and of a job that makes
nothing else, one that failed after an edit would not run again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from dilt.foundations.result_paths import Networks
from dilt.foundations.storage import write_json
from dilt.jobs import command


def remove_networks(arguments: argparse.Namespace) -> None:
    """Remove a seed's networks, with finished work among the checkpoints that is the same; record which they are."""
    folders = f"{Networks.CHECKPOINTS.format(rule='*')}/seed-{arguments.seed}"
    checkpoints = arguments.results.glob(f"{folders}/**/*.safetensors")
    for digests in arguments.digests:
        (arguments.results / digests).unlink(missing_ok=True)
    number, freed = remove([arguments.results / network for network in arguments.networks], checkpoints)
    write_json(arguments.removed, {"networks": sorted(arguments.networks)})
    print(f"removed {number} networks, {freed / 1e6:,.1f} MB", flush=True)


def remove(networks: Sequence[Path], checkpoints: Iterable[Path]) -> tuple[int, int]:
    """Remove networks that are there, and checkpoints that have the same content; give their number and bytes."""
    there = [path for path in networks if path.is_file()]
    contents = {_content(path) for path in there} - {None}
    for checkpoint in checkpoints if there else ():
        if _content(checkpoint) in contents:
            checkpoint.unlink()
    freed = sum(path.stat().st_size for path in there)
    for path in there:
        path.unlink()
    return len(there), freed


def _content(path: Path) -> str | None:
    """The digest that a file of tensors has of its content, which is not read; None where it has none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            found: str | None = json.loads((file.metadata() or {})["dilt"])["digest"]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
    return found


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("remove_networks", remove_networks.__doc__)
    command.add_paths(parser, "--results", help="folder of the networks' results")
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--networks", nargs="+", required=True, metavar="PLACE", help="files to remove, below there")
    parser.add_argument(
        "--digests", nargs="*", default=[], metavar="PLACE", help="files of digests that stand for them"
    )
    command.add_paths(parser, "--removed", help="record to write (JSON)")
    command.run(parser, remove_networks)


if __name__ == "__main__":
    main()
