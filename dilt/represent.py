"""Stage `represent`: writes activations of networks' blocks on one fixed set of probe images, as Zarr stores."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dilt.foundations import storage
from dilt.foundations.storage import Tensors
from dilt.geometry import reference_networks, zarr_stores
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.geometry import Representations
from dilt.settings.networks import Model

if TYPE_CHECKING:
    from torch import nn

    from dilt.data.prepared import Images
    from dilt.networks.shells import Shells

MEGABYTE = 2**20


class Options(Section):
    """What `represent` reads from the configuration."""

    model: Model
    representations: Representations
    precision: str


def represent(arguments: argparse.Namespace) -> None:
    """Write the block activations of each ticket, or of each reference that tickets are compared with."""
    from dilt.data.prepared import balanced_indices, read_split
    from dilt.geometry import recording
    from dilt.networks.devices import use_device
    from dilt.networks.inspection import inspect
    from dilt.networks.shells import Shells

    options = command.options(arguments, Options)
    settings = options.representations
    device = use_device(arguments.threads)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    validation = read_split(arguments.data, "validation")
    chosen = balanced_indices(validation.labels, len(validation.classes), settings.probes)
    pixels = validation.pixels[chosen]
    images = replace(validation.take(chosen), pixels=pixels)  # read once, decoded or not
    layouts = inspect(options.model, images.image_shape, len(images.classes), settings.layers).blocks
    probes = zarr_stores.Probes(chosen, images.labels, storage.digest({"pixels": pixels}))

    shells = Shells(options.model, images.image_shape)
    for name, weights, store in command.zipped(arguments.tickets, arguments.weights, arguments.stores):
        tensors, record = storage.read_tensors(weights)
        with saved.of(name, weights=storage.digest(tensors)) as checkpoint:
            kept = checkpoint.finished()
            if kept and zarr_stores.restore(store.parent, kept["root"]):
                continue
            model, made = load(shells, images, tensors, int(record["seed"]), name, arguments.references)
            _, left = checkpoint.load() or ({}, {"probes": 0})
            made |= {"seed": record["seed"], "round": record.get("round", 0), "pooling": settings.pooling}
            with zarr_stores.StoreWriter(store.parent, name, probes, resume=left["probes"] > 0) as writer:
                done = left["probes"] if writer.resumed else 0
                recording.record(model, images, settings, device, options.precision, writer, checkpoint, layouts, done)
                writer.finish(made | {"versions": command.versions()}, settings.flat_limit_mb * MEGABYTE)
            checkpoint.finish({}, {"root": store.read_text()})
        print(f"{name}: {len(probes.ids)} probes")


def load(
    shells: Shells, images: Images, tensors: Tensors, seed: int, name: str, reference: bool
) -> tuple[nn.Module, dict[str, Any]]:
    """The network, and facts for its record.

    Of a reference only the backbone is taken, since its head may have other classes. Norms of the untrained network
    that are zero are perturbed.
    """
    if not reference:
        return shells.with_state(tensors, images.classes), {}
    model = shells.with_backbone(tensors, images.classes, seed)
    untrained = name == reference_networks.UNTRAINED
    return model, {"perturbed_norms": reference_networks.perturb_zero_norms(model, seed) if untrained else []}


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("represent", represent.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    parser.add_argument("--tickets", nargs="+", required=True, metavar="TICKET")
    command.add_path_lists(parser, "--weights", help="trained weights of each ticket")
    command.add_path_lists(parser, "--stores", help="root metadata (STORE/zarr.json) to write, one per ticket")
    parser.add_argument("--references", action="store_true", help="these are no tickets: take their backbones alone")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    checkpoints.add_options(parser)
    command.run(parser, represent)


if __name__ == "__main__":
    main()
