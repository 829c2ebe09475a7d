"""Stage `evaluate_assemblies`: scores every assembly on its partition's test images, which are read once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.assemblies import reading
from dilt.assemblies.joining import assemblies
from dilt.assemblies.names import RETRAINED, THETA0, row_key
from dilt.foundations import storage
from dilt.foundations.storage import Tensors
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.tickets.pattern import Pattern

if TYPE_CHECKING:
    import torch

    from dilt.assemblies.reading import Inputs
    from dilt.data.prepared import Images

# A row without its score, the versions that made the network, and its outputs (num_images, num_classes).
Scored = tuple[dict[str, Any], str, NDArray[np.floating]]


class Options(Section):
    """What `evaluate_assemblies` reads from the configuration."""

    model: Model
    precision: str
    pattern: PatternText


def evaluate_assemblies(arguments: argparse.Namespace) -> None:
    """Score every assembly on the test images of each partition, and write which images were right."""
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks.devices import use_device
    from dilt.networks.outputs import correct, score

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    inputs = reading.read(arguments)
    fitted = storage.read_tensors(arguments.fitted)
    test = read_split(arguments.data, "test")
    images = {name: test.restrict(members) for name, members in read_partitions(arguments.data).items()}
    scored = chain(
        outputs_of_assemblies(images, inputs, fitted, options, arguments.seed, device),
        outputs_of_retrained(images, inputs, arguments.retrained, options, arguments.seed, device),
    )

    rows, right = [], {}
    for row, versions, outputs in scored:
        labels = images[row["partition"]].labels
        found = score(outputs, labels)
        address = {"seed": arguments.seed, "round": arguments.round}
        rows.append(address | row | {"images": found.images, "accuracy": found.accuracy, "versions": versions})
        right[row_key(row)] = correct(outputs, labels)
    storage.write_rows(arguments.scores, rows)
    storage.write_tensors(arguments.correct, right)


def outputs_of_assemblies(
    images: Mapping[str, Images],
    inputs: Inputs,
    fitted: tuple[Tensors, dict[str, Any]],
    options: Options,
    seed: int,
    device: torch.device,
) -> Iterator[Scored]:
    """The outputs of every assembly and readout, for every partition.

    Args:
        images: of every partition.
        fitted: what `assemble` wrote: tensors and record.
    """
    from dilt.assemblies import readouts

    tensors, record = fitted
    pattern = Pattern.of(options.pattern)
    for partition in inputs.runs:
        for assembly in assemblies(partition, inputs.runs, inputs.siblings, inputs.theta0, seed, pattern):
            data = images[partition]
            model = readouts.network(assembly, options.model, data, partition, inputs.runs, inputs.theta0, seed)
            for readout in assembly.readouts:
                address = {"partition": partition, "core_from": assembly.core_from, "assembly": assembly.name}
                address |= {"readout": readout}
                start = f"{row_key(address)}:"
                own = {name.removeprefix(start): array for name, array in tensors.items() if name.startswith(start)}
                row = address | {"live": assembly.mask.count}
                yield row, record["versions"], readouts.outputs(model, own, data, device, options.precision)


def outputs_of_retrained(
    images: Mapping[str, Images],
    inputs: Inputs,
    networks: Sequence[Path],
    options: Options,
    seed: int,
    device: torch.device,
) -> Iterator[Scored]:
    """The outputs of every network that `retrain_assembly` trained."""
    from dilt.networks import building, states
    from dilt.networks.outputs import logits

    for path in networks:
        state, record = storage.read_tensors(path)
        data = images[record["partition"]]
        model = building.build(options.model, data.image_shape, data.classes, seed, inputs.theta0)
        states.load_state(model, state)
        row = {"partition": record["partition"], "core_from": THETA0, "assembly": record["assembly"]}
        row |= {"readout": RETRAINED, "live": record["live"]}
        yield row, record["versions"], logits(model, data, device, options.precision)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("evaluate_assemblies", evaluate_assemblies.__doc__)
    reading.add_options(parser)
    command.add_paths(parser, "--fitted", help="what `assemble` fitted for every assembly")
    command.add_path_lists(parser, "--retrained", help="weights of every assembly that was retrained")
    command.add_paths(parser, "--scores", "--correct", help="table to write, and per row which test images were right")
    command.add_training_options(parser)
    command.run(parser, evaluate_assemblies)


if __name__ == "__main__":
    main()
