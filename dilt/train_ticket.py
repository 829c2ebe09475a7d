"""Stage `train_ticket`: tickets trained from theta0 on all source classes. Scoring them is `evaluate`'s."""

from __future__ import annotations

import argparse

from dilt.foundations import storage
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.mask_files import read_mask
from dilt.tickets.names import TicketName


class Options(Section):
    """What `train_ticket` reads of the configuration."""

    model: Model
    training: Training


def train_ticket(arguments: argparse.Namespace) -> None:
    """Train tickets of one round on all source classes; write weights and per-epoch metrics."""
    from dilt.data.prepared import read_split
    from dilt.networks import building, states
    from dilt.networks.devices import numerics, use_devices
    from dilt.training.loop import Work
    from dilt.training.session import train

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    source, validation = read_split(arguments.data, "train"), read_split(arguments.data, "validation")
    theta0, anew = (storage.read_tensors(path)[0] for path in (arguments.theta0, arguments.reinitialised))
    digests = storage.digest(theta0), storage.digest(anew)

    for ticket, mask_path, weights, metrics in command.zipped(
        arguments.tickets, arguments.masks, arguments.weights, arguments.metrics
    ):
        mask = read_mask(mask_path)
        start, digest = (anew, digests[1]) if TicketName.parse(ticket).starts_anew else (theta0, digests[0])
        address = {"seed": arguments.seed, "round": arguments.round, "ticket": ticket}
        with saved.of(ticket, mask=storage.digest(mask.layers), theta0=digest) as checkpoint:
            record = checkpoint.finished()
            if record is None:
                model = building.build(options.model, source.image_shape, source.classes, arguments.seed, start)
                work = Work(model, source, mask, options.training, arguments.seed, "ticket")
                history = train(work, validation, devices, checkpoint)
                made = address | {"classes": source.classes, "readout": "head", "history": history}
                made["versions"] = command.versions(numerics(devices, options.training, model))
                record = checkpoint.finish(states.state(model), made)
            checkpoint.export(weights)
        storage.write_rows(metrics, [address | row for row in record["history"]])


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train_ticket", train_ticket.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", "--reinitialised", help="shared initialisation, and the other one")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    parser.add_argument("--tickets", nargs="+", required=True, metavar="TICKET")
    command.add_path_lists(parser, "--masks", help="mask of each ticket")
    command.add_path_lists(parser, "--weights", "--metrics", help="files to write, one per ticket")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, train_ticket)


if __name__ == "__main__":
    main()
