"""Stage `evaluate_assemblies`: scores every assembly on its partition's test images, which are read once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
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
from dilt.settings.evaluation import CLEAN
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.tickets.pattern import Pattern

if TYPE_CHECKING:
    import torch

    from dilt.assemblies.reading import Inputs
    from dilt.data.prepared import Images
    from dilt.networks.shells import Shells

# A row without its score, the versions that made the network, and its outputs (num_images, num_classes).
Scored = tuple[dict[str, Any], str, NDArray[np.floating]]


class Options(Section):
    """What `evaluate_assemblies` reads from the configuration."""

    model: Model
    precision: str
    pattern: PatternText


def evaluate_assemblies(arguments: argparse.Namespace) -> None:
    """Score every assembly on the test images of each partition, and write which images were right."""
    from dilt.assemblies.readouts import at_a_time
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks.devices import use_device
    from dilt.networks.outputs import correct, score
    from dilt.networks.shells import Shells

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    inputs = reading.read(arguments)
    fitted = storage.read_tensors(arguments.fitted)
    test = read_split(arguments.data, "test")
    images = {name: test.restrict(members) for name, members in read_partitions(arguments.data).items()}
    shells = Shells(options.model, test.image_shape)
    size = at_a_time(inputs, test, device)
    joined = outputs_of_assemblies(images, inputs, fitted, shells, options, arguments.seed, device, size)
    retrained = outputs_of_retrained(images, arguments.retrained, shells, options.precision, device, size)

    rows, right = [], {}
    order = list(inputs.runs).index
    for row, versions, outputs in [*sorted(joined, key=lambda scored: order(scored[0]["partition"])), *retrained]:
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
    shells: Shells,
    options: Options,
    seed: int,
    device: torch.device,
    size: int,
) -> Iterator[Scored]:
    """The outputs of every assembly and readout, for every partition.

    Args:
        images: of every partition.
        fitted: what `assemble` wrote: tensors and record.
        size: number of networks that see images side by side.
    """
    from dilt.assemblies import readouts

    tensors, record = fitted
    own: dict[str, Tensors] = {}
    for name, array in tensors.items():
        key, _, tensor = name.partition(":")
        own.setdefault(key, {})[tensor] = array
    made = assemblies(inputs.runs, inputs.siblings, inputs.theta0, seed, Pattern.of(options.pattern))
    while group := list(islice(made, size)):
        for partition, data in images.items():
            asked, rows = [], []
            for place, each in enumerate(group):
                model = readouts.network(each, shells, data.classes, partition, inputs.runs, seed, place)
                address = {"partition": partition, "core_from": each.core_from, "assembly": each.name}
                addresses = {readout: address | {"readout": readout} for readout in each.readouts[partition]}
                asked.append((model, {readout: own.get(row_key(row), {}) for readout, row in addresses.items()}))
                rows.append({readout: row | {"live": each.mask.count} for readout, row in addresses.items()})
            for named, found in zip(rows, readouts.outputs(asked, data, device, options.precision), strict=True):
                yield from ((row, record["versions"], found[readout]) for readout, row in named.items())


def outputs_of_retrained(
    images: Mapping[str, Images], paths: Sequence[Path], shells: Shells, precision: str, device: torch.device, size: int
) -> Iterator[Scored]:
    """The outputs of every network that `retrain_assembly` trained; so many see images side by side."""
    from dilt.networks import readings

    left = iter(paths)
    while group := [storage.read_tensors(path) for path in islice(left, size)]:
        scored: dict[int, Scored] = {}
        for partition, data in images.items():
            own = [number for number, (_, record) in enumerate(group) if record["partition"] == partition]
            models = [shells.with_state(group[number][0], data.classes, place) for place, number in enumerate(own)]
            found = readings.read([(model, readings.outputs) for model in models], data, device, precision)
            for number, outputs in zip(own, found, strict=True):
                record = group[number][1]
                row = {"partition": partition, "core_from": THETA0, "assembly": record["assembly"]}
                row |= {"readout": RETRAINED, "live": record["live"]}
                scored[number] = row, record["versions"], outputs[CLEAN][0]
        yield from (scored[number] for number in range(len(group)))


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
