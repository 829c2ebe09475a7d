"""Stage `assemble`: puts core and specialists together without retraining, measures norms anew, fits linear heads.

It writes only what a network needs beside the weights that it is put together from; `evaluate_assemblies` scores it.
"""

from __future__ import annotations

import argparse
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

    source, held_out = read_split(arguments.data, "train"), read_split(arguments.data, "validation")
    classes = read_partitions(arguments.data)
    tensors, record = checkpoint.load() or ({}, {"rows": []})
    rows: list[dict[str, Any]] = record["rows"]
    done = {(row["partition"], row["assembly"], row["core_from"]) for row in rows}
    pattern = Pattern.of(options.pattern)
    for partition in inputs.runs:
        train, validation = (split.restrict(classes[partition]) for split in (source, held_out))
        for assembly in assemblies(partition, inputs.runs, inputs.siblings, inputs.theta0, arguments.seed, pattern):
            if (partition, assembly.name, assembly.core_from) in done:
                continue
            model = readouts.network(
                assembly, options.model, train, partition, inputs.runs, inputs.theta0, arguments.seed
            )
            found = readouts.fit(
                model, assembly.readouts, train, validation, options.penalties, device, options.precision
            )
            print(f"{partition}: {assembly.name} of {assembly.core_from} fitted for {', '.join(found)}", flush=True)
            for readout, fitted in found.items():
                address = {"partition": partition, "core_from": assembly.core_from, "assembly": assembly.name}
                address |= {"readout": readout}
                tensors |= {f"{row_key(address)}:{name}": array for name, array in fitted.tensors.items()}
                rows.append(address | {"live": assembly.mask.count, "penalty": fitted.penalty})
            if checkpoint.due():
                checkpoint.save(tensors, {"rows": rows})
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
