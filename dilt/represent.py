"""Stage `represent`: activations of trained tickets' blocks on one fixed set of probe images, as Zarr stores."""

from __future__ import annotations

import argparse

from dilt import checkpoints, command, representations, storage
from dilt.checkpoints import Checkpoints
from dilt.settings import Model, Section


class Options(Section):
    """What `represent` reads of the configuration."""

    model: Model
    probes: int
    layers: list[str] | None
    precision: str


def represent(arguments: argparse.Namespace) -> None:
    """Write the block activations of each ticket."""
    from dilt import models
    from dilt.activations import extract
    from dilt.datasets import balanced_indices, read_split
    from dilt.devices import use_device

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    validation = read_split(arguments.data, "validation")
    chosen = balanced_indices(validation.labels, len(validation.classes), options.probes)
    probes = validation.take(chosen)

    for ticket, weights, store in command.zipped(arguments.tickets, arguments.weights, arguments.stores):
        tensors, record = storage.read_tensors(weights)
        address = {key: record[key] for key in ("seed", "round")}
        with saved.of(ticket, weights=storage.digest(tensors)) as checkpoint:
            done = checkpoint.finished()
            if done and representations.restore(store.parent, done["root"]):
                continue
            model = models.build(options.model, probes.image_shape, probes.classes, record["seed"], tensors)
            models.load_state(model, tensors)
            layers = extract(model, probes, device, options.precision, checkpoint, options.layers)
            found = representations.Representations(ticket, chosen, probes.labels, layers)
            made = address | {"pooling": "mean", "versions": command.versions()}
            representations.write_representations(store.parent, found, made)
            checkpoint.finish({}, {"root": store.read_text()})
        print(f"{ticket}: {len(layers)} layers x {len(probes)} probes")


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("represent", represent.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    parser.add_argument("--tickets", nargs="+", required=True, metavar="TICKET")
    command.add_path_lists(parser, "--weights", help="trained weights of each ticket")
    command.add_path_lists(parser, "--stores", help="root metadata (STORE/zarr.json) to write, one per ticket")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    checkpoints.add_options(parser)
    command.run(parser, represent)


if __name__ == "__main__":
    main()
