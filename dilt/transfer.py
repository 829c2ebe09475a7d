"""Stage `transfer`: adapts tickets to a target's data by retraining, fine-tuning and a linear head.

`evaluate` scores the networks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dilt.foundations import storage
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoint, Checkpoints
from dilt.settings.base import Section
from dilt.settings.networks import Model
from dilt.settings.transfer import Transfer
from dilt.tickets.mask_files import read_mask
from dilt.tickets.names import TicketName, read_run
from dilt.training.event_files import Curve
from dilt.training.history import History, improved
from dilt.training.job import Start, Starts, add_starts

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dilt.data.prepared import Images
    from dilt.networks.shells import Shells
    from dilt.tickets.masks import Mask


class Options(Section):
    """What `transfer` reads from the configuration."""

    model: Model
    transfer: Transfer


@dataclass(frozen=True)
class Target:
    """A target data set without its test images."""

    name: str
    train: Images
    validation: Images


@dataclass(frozen=True)
class Ticket:
    """A ticket to transfer, named ROUND/TICKET: its mask, where it starts, and its weights trained on the source."""

    name: str
    mask: Mask
    start: Start
    trained: storage.Tensors


def transfer(arguments: argparse.Namespace) -> None:
    """Adapt tickets to a target by every protocol; write one network for each."""
    from dilt.networks.devices import use_devices
    from dilt.networks.shells import Shells

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.transfer.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    starts = Starts.read(arguments)

    target = read_target(arguments.data)
    shells = Shells(options.model, target.train.image_shape)
    networks = command.grouped(arguments.networks, len(options.transfer.protocols))
    for run, mask, weights, paths in command.zipped(arguments.tickets, arguments.masks, arguments.weights, networks):
        round_, name = read_run(run)
        ticket = Ticket(run, read_mask(mask), starts.of(TicketName.parse(name)), storage.read_tensors(weights)[0])
        address = {"seed": arguments.seed, "round": round_, "ticket": name, "target": target.name}
        transfer_ticket(ticket, target, options, address, devices, saved, shells, paths)


def read_target(dataset: Path) -> Target:
    """A prepared target, named by its folder."""
    from dilt.data.prepared import read_split

    return Target(dataset.parent.name, read_split(dataset, "train"), read_split(dataset, "validation"))


def transfer_ticket(
    ticket: Ticket,
    target: Target,
    options: Options,
    address: dict[str, Any],
    devices: Sequence[torch.device],
    saved: Checkpoints,
    shells: Shells,
    paths: Sequence[Path],
) -> None:
    """Write a ticket's network of every protocol, and with a linear head the penalty that was chosen for it."""
    from dilt.networks import states
    from dilt.networks.devices import numerics

    inputs = {
        "mask": storage.digest(ticket.mask.layers),
        "theta0": ticket.start.digest,
        "trained": storage.digest(ticket.trained),
    }
    seed = address["seed"]
    for protocol, path in zip(options.transfer.protocols, paths, strict=True):
        with saved.of(f"{target.name}/{ticket.name}/{protocol}", **inputs) as checkpoint:
            if not checkpoint.finished():
                penalty, better = None, None
                if protocol == "linear":
                    model, penalty = read_out(target, ticket, options, shells, seed, devices[0])
                else:
                    facts = {"weights": ticket.mask.count, "density": ticket.mask.density}
                    curve = Curve(path, {**address, "protocol": protocol, **facts})
                    model, history = train_on(target, ticket, protocol, options, seed, devices, checkpoint, curve)
                    better = improved(history)
                made = address | {"protocol": protocol, "penalty": penalty, "improved": better}
                made["classes"] = target.train.classes
                made["readout"] = "linear" if protocol == "linear" else "head"
                made["versions"] = command.versions(numerics(devices, options.transfer.training, model))
                checkpoint.finish(states.state(model), made)
            checkpoint.export(path)


def train_on(
    target: Target,
    ticket: Ticket,
    protocol: Literal["retrain", "finetune"],
    options: Options,
    seed: int,
    devices: Sequence[torch.device],
    checkpoint: Checkpoint,
    curve: Curve,
) -> tuple[nn.Module, History]:
    """The network trained on the target under the ticket's mask, with a new head on the backbone; and its epochs."""
    from dilt.networks import building
    from dilt.training.loop import Work
    from dilt.training.session import train

    settings, start = options.transfer.training, ticket.start.tensors
    if protocol == "finetune":
        settings = settings.model_copy(update={"learning_rate": options.transfer.finetune_learning_rate})
        start = ticket.trained
    model = building.build(options.model, target.train.image_shape, target.train.classes, seed, start)
    work = Work(model, target.train, ticket.mask, settings, seed, f"{protocol} {target.name}")
    return model, train(work, target.validation, devices, checkpoint, curve)


def read_out(
    target: Target, ticket: Ticket, options: Options, shells: Shells, seed: int, device: torch.device
) -> tuple[nn.Module, float]:
    """The source-trained network with a linear head in place of its own, and the penalty chosen."""
    from dilt.networks.features import features
    from dilt.networks.linear_heads import fit_linear_head, use_linear_head

    precision = options.transfer.training.precision
    model = shells.with_backbone(ticket.trained, target.train.classes, seed)
    train, validation = (features(model, data, device, precision) for data in (target.train, target.validation))
    labels = target.train.labels, target.validation.labels
    found = fit_linear_head(train, labels[0], validation, labels[1], options.transfer.penalties, device)
    use_linear_head(model, found.weight, found.bias)
    return model, found.penalty


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("transfer", transfer.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared target, whose folder names it")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    add_starts(parser)
    parser.add_argument("--tickets", nargs="+", required=True, metavar="ROUND/TICKET")
    command.add_path_lists(parser, "--masks", "--weights", help="mask and source-trained weights, one per ticket")
    command.add_path_lists(parser, "--networks", help="networks to write: one per protocol, ticket by ticket")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, transfer)


if __name__ == "__main__":
    main()
