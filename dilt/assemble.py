"""Stage `assemble`: puts core and specialists together without retraining, measures norms anew, fits linear heads.

It writes only what a network needs beside the weights that it is put together from; `evaluate_assemblies` scores it.
"""

from __future__ import annotations

import argparse
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dilt.assemblies import reading
from dilt.assemblies.names import row_key
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoint, Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.pattern import PatternText
from dilt.tickets.pattern import Pattern

if TYPE_CHECKING:
    import torch

    from dilt.assemblies.reading import Inputs


class Options(Section):
    """What `assemble` reads from the configuration."""

    model: Model
    precision: str
    pattern: PatternText
    penalties: Annotated[list[float], Field(min_length=1)]


def assemble(arguments: argparse.Namespace) -> None:
    """Fit the readouts of every assembly on each partition's training images."""
    from dilt.networks.devices import use_device

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    inputs = reading.read(arguments)
    with saved.of("assembly", tensors=inputs.digests()) as checkpoint:
        if checkpoint.finished() is None:
            fit_assemblies(arguments, options, inputs, device, checkpoint)
        checkpoint.export(arguments.fitted)


def fit_assemblies(
    arguments: argparse.Namespace, options: Options, inputs: Inputs, device: torch.device, checkpoint: Checkpoint
) -> None:
    """Fit a row per partition, assembly and readout, with its tensors; goes on after the rows that were saved."""
    from dilt.assemblies import readouts
    from dilt.assemblies.joining import assemblies
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks.shells import Shells

    source, held_out = read_split(arguments.data, "train"), read_split(arguments.data, "validation")
    classes = read_partitions(arguments.data)
    tensors, record = checkpoint.load() or ({}, {"rows": []})
    rows: list[dict[str, Any]] = record["rows"]
    done = {(row["partition"], row["assembly"], row["core_from"]) for row in rows}
    shells = Shells(options.model, source.image_shape)
    pattern = Pattern.of(options.pattern)
    made = assemblies(inputs.runs, inputs.siblings, inputs.theta0, arguments.seed, pattern)
    size = readouts.at_a_time(inputs, source, device)
    while group := list(islice(made, size)):
        for partition in inputs.runs:
            train, validation = (split.restrict(classes[partition]) for split in (source, held_out))
            left = [each for each in group if (partition, each.name, each.core_from) not in done]
            networks = [
                readouts.network(each, shells, train.classes, partition, inputs.runs, arguments.seed, place)
                for place, each in enumerate(left)
            ]
            asked = [(model, each.readouts[partition]) for model, each in zip(networks, left, strict=True)]
            fitted = readouts.fit(asked, train, validation, options.penalties, device, options.precision)
            for each, found in zip(left, fitted, strict=True):
                print(f"{partition}: {each.name} of {each.core_from} fitted for {', '.join(found)}", flush=True)
                address = {"partition": partition, "core_from": each.core_from, "assembly": each.name}
                for readout, own in found.items():
                    row = address | {"readout": readout}
                    tensors |= {f"{row_key(row)}:{name}": array for name, array in own.tensors.items()}
                    rows.append(row | {"live": each.mask.count, "penalty": own.penalty})
            if checkpoint.due():
                checkpoint.save(tensors, {"rows": rows})
    order = list(inputs.runs).index
    rows.sort(key=lambda row: order(row["partition"]))
    tensors = {name: tensors[name] for name in sorted(tensors, key=lambda name: order(name.partition("/")[0]))}
    checkpoint.finish(tensors, {"rows": rows, "versions": command.versions()})


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("assemble", assemble.__doc__)
    reading.add_options(parser)
    command.add_paths(parser, "--fitted", help="tensors to write")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, assemble)


if __name__ == "__main__":
    main()
