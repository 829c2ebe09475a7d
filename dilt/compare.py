"""Stage `compare`: measures Gromov-Wasserstein distances and baselines between every two (ticket, layer) of a seed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations import storage
from dilt.geometry import cka, distance_table, gromov_wasserstein, pairwise, zarr_stores
from dilt.geometry.distance_table import Pair
from dilt.geometry.zarr_stores import Layer, Representations
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.geometry import Distances

TABLES = ("distances", "subset_distances", "layers")

Subset = NDArray[np.int64]


class Options(Section):
    """What `compare` reads from the configuration."""

    distances: Distances


def compare(arguments: argparse.Namespace) -> None:
    """Write the distances of all pairs of layers, also on each subset of the probes, and how they were measured."""
    from threadpoolctl import threadpool_limits

    settings = command.options(arguments, Options).distances
    saved = Checkpoints.from_arguments(arguments, *arguments.stores)
    networks = read(arguments.stores, arguments.names)
    layers = [layer for network in networks for layer in network.layers.values()]
    subsets = pairwise.probe_subsets(networks[0].probes.labels, settings.probe_subsets)
    address = {"seed": arguments.seed, "round": arguments.round}
    # The digest distinguishes matrices over other tickets, which experiments can keep side by side.
    label = storage.digest({}, arguments.options + str([network.name for network in networks]))[:8]

    with threadpool_limits(1):  # processes work side by side, not threads: their number does not change the result
        if arguments.part:
            done = measure_part(layers, subsets, settings, saved, label, arguments)
            storage.write_json(arguments.summary, address | done)
            return
        if missing := [name for name in TABLES if getattr(arguments, name) is None]:
            raise ValueError(f"--{missing[0].replace('_', '-')}: only a --part goes without; give a file to write")
        found = []
        for index, subset in enumerate(subsets):
            with crew(layers, subset, settings, arguments.processes) as workers:
                tiles = pairwise.Tiles(workers, len(subset), saved, f"{label}-{index}")
                found.append(pairwise.all_pairs(tiles, len(layers), settings.solver))
        baselines = [similarities(layers, subset) for subset in subsets]

    nodes = [(n.name, layer.place.depth, name) for n in networks for name, layer in n.layers.items()]
    pairs = [
        Pair(*ends, [subset.found[index] for subset in found], [subset[index] for subset in baselines])
        for index, ends in enumerate(combinations(nodes, 2))
    ]
    storage.write_rows(arguments.distances, [address | pair.row() for pair in pairs])
    storage.write_rows(arguments.subset_distances, [address | row for pair in pairs for row in pair.subset_rows()])
    storage.write_rows(arguments.layers, [address | row for network in networks for row in places(network)])
    measured = {
        "pairs": len(pairs),
        "probes": len(networks[0].probes.ids),
        "probes_per_subset": len(subsets[0]),
        "probe_digest": networks[0].probes.digest,
        "confidence": distance_table.CONFIDENCE,
        "triangle_violations_before_repair": sum(subset.violations_before for subset in found),
        "triangle_violations": sum(subset.violations for subset in found),
        "versions": command.versions(),
    }
    storage.write_json(arguments.summary, address | settings.model_dump() | measured)


def read(stores: Sequence[Path], names: Sequence[str] | None) -> list[Representations]:
    """The stores in order, with layers as small as possible; under other names if some are given.

    Raises:
        ValueError: they saw other probes, or two have one name.
    """
    found: list[Representations] = []
    if names and len(names) != len(stores):
        raise ValueError(f"--names: {len(names)} names for {len(stores)} stores; give one for each")
    for store, name in zip(stores, names or [""] * len(stores), strict=True):
        network = zarr_stores.read_representations(store.parent)
        layers = {layer: content.compact() for layer, content in network.layers.items()}
        found.append(replace(network, name=name or network.name, layers=layers))
    zarr_stores.require_same_probes(found)
    for first, second in combinations(found, 2):
        if first.name == second.name:
            raise ValueError(f"two stores are of '{first.name}'; tell them apart with --names, one for each store")
    return found


def measure_part(
    layers: Sequence[Layer],
    subsets: Sequence[Subset],
    settings: Distances,
    saved: Checkpoints,
    label: str,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Measure one part of the tiles of pairs, for the job that joins the parts; gives the number of pairs."""
    part, parts = arguments.part
    if not 1 <= part <= parts:
        raise ValueError(f"--part {part} {parts}: there is no such part; count from 1 to {parts}")
    measured = 0
    for index, subset in enumerate(subsets):
        with crew(layers, subset, settings, arguments.processes) as workers:
            tiles = pairwise.Tiles(workers, len(subset), saved, f"{label}-{index}")
            measured += len(tiles.measure(pairwise.pair_tasks(len(layers)), "pairs", part - 1, parts))
    return {"part": part, "parts": parts, "pairs": measured}


def crew(layers: Sequence[Layer], subset: Subset, settings: Distances, processes: int) -> pairwise.Crew:
    """The processes that measure pairs on some of the probes."""
    return pairwise.Crew(lambda: geometries(layers, subset, settings), settings.solver, processes)


def geometries(layers: Sequence[Layer], subset: Subset, settings: Distances) -> list[gromov_wasserstein.Geometry]:
    """The ground costs of the layers on some of the probes."""
    return [
        gromov_wasserstein.Geometry.of(
            gromov_wasserstein.ground_cost(layer.gram(subset), settings.cost, settings.scaling)
        )
        for layer in layers
    ]


def similarities(layers: Sequence[Layer], subset: Subset) -> list[tuple[float, float]]:
    """Linear and debiased CKA of all pairs of layers on some of the probes."""
    grams = [layer.gram(subset) for layer in layers]
    plain = [cka.linear_cka(first, second) for first, second in combinations(grams, 2)]
    grams = [cka.unbiased(gram) for gram in grams]
    return list(zip(plain, (cka.debiased_cka(*pair) for pair in combinations(grams, 2)), strict=True))


def places(network: Representations) -> list[dict[str, Any]]:
    """Rows of the table of layers."""
    return [
        {
            "ticket": network.name,
            "depth": layer.place.depth,
            "layer": name,
            "stage": layer.place.stage,
            "module_type": layer.place.module_type,
        }
        for name, layer in network.layers.items()
    ]


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("compare", compare.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="seed of the replicate")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    command.add_path_lists(parser, "--stores", help="root metadata (STORE/zarr.json) of every ticket and reference")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="names of the stores, in place of their own")
    parser.add_argument("--part", type=int, nargs=2, metavar=("PART", "PARTS"), help="measure one part, to be joined")
    for table in TABLES:
        option = f"--{table.replace('_', '-')}"
        parser.add_argument(option, type=Path, metavar="PATH", help="table to write; not of a part")
    command.add_paths(parser, "--summary", help="record of how they were measured, to write")
    parser.add_argument("--threads", type=int, default=1, dest="processes", help="processes; they change no number")
    checkpoints.add_options(parser)
    command.run(parser, compare)


if __name__ == "__main__":
    main()
