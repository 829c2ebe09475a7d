"""Stage `transfer`: tickets judged on target data by retraining, fine-tuning and a linear probe."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt import checkpoints, command, storage
from dilt.checkpoints import Checkpoints
from dilt.mask_storage import read_mask
from dilt.settings import Model, Section, Training, Transfer

if TYPE_CHECKING:
    import torch

    from dilt.datasets import Images
    from dilt.masks import Mask


class Options(Section):
    """What `transfer` reads of the configuration."""

    model: Model
    transfer: Transfer


@dataclass(frozen=True)
class Target:
    """A target data set, split."""

    name: str
    train: Images
    validation: Images
    test: Images


@dataclass(frozen=True)
class Ticket:
    """A ticket to transfer: its mask, and its weights at initialisation and trained on the source."""

    name: str
    mask: Mask
    theta0: storage.Tensors
    trained: storage.Tensors


def transfer(arguments: argparse.Namespace) -> None:
    """Score tickets on targets by every protocol, each ticket TICKET on each target as TARGET/TICKET."""
    from dilt.devices import use_device

    options = command.options(arguments, Options)
    saved = Checkpoints.from_arguments(arguments)
    device = use_device(arguments.threads)
    theta0, _ = storage.read_tensors(arguments.theta0)

    targets = {dataset.parent.name: read_target(dataset) for dataset in arguments.data}
    for pair, mask, weights, scores in command.zipped(
        arguments.pairs, arguments.masks, arguments.weights, arguments.scores
    ):
        target, _, name = pair.partition("/")
        if target not in targets:
            raise ValueError(f"--pairs: '{pair}' names no target of --data; there are {list(targets)}")
        ticket = Ticket(name, read_mask(mask), theta0, storage.read_tensors(weights)[0])
        address = {"seed": arguments.seed, "round": arguments.round, "ticket": name, "target": target}
        rows = transfer_ticket(ticket, targets[target], options, arguments.seed, device, saved)
        storage.write_rows(scores, [address | row for row in rows])
    saved.clear()


def read_target(dataset: Path) -> Target:
    """A prepared target, named by its folder."""
    from dilt.datasets import read_split

    name = dataset.parent.name
    return Target(name, read_split(dataset, "train"), read_split(dataset, "validation"), read_split(dataset, "test"))


def transfer_ticket(
    ticket: Ticket, target: Target, options: Options, seed: int, device: torch.device, saved: Checkpoints
) -> list[dict[str, Any]]:
    """A row per protocol: accuracy on the target's test images, and the penalty of the linear probe."""
    retrain = options.transfer.training
    finetune = retrain.model_copy(update={"learning_rate": options.transfer.finetune_learning_rate})
    rows = []
    for protocol in options.transfer.protocols:
        penalty: float | None = None
        if protocol == "retrain":
            accuracy = train_on(target, ticket, ticket.theta0, protocol, retrain, options.model, seed, device, saved)
        elif protocol == "finetune":
            accuracy = train_on(target, ticket, ticket.trained, protocol, finetune, options.model, seed, device, saved)
        else:
            accuracy, penalty = probe(target, ticket, options, seed, device)
        rows.append({"protocol": protocol, "images": len(target.test), "accuracy": accuracy, "penalty": penalty})
    return rows


def train_on(
    target: Target,
    ticket: Ticket,
    start: storage.Tensors,
    protocol: str,
    settings: Training,
    architecture: Model,
    seed: int,
    device: torch.device,
    saved: Checkpoints,
) -> float:
    """Test accuracy after training on the target under the ticket's mask, the backbone from ``start``, a new head."""
    from dilt import models
    from dilt.evaluation import logits, score
    from dilt.training import train

    model = models.build(architecture, target.train.image_shape, target.train.classes, seed, start)
    checkpoint = saved.of(
        f"{target.name}/{ticket.name}/{protocol}",
        mask=storage.digest(ticket.mask.layers),
        start=storage.digest(start),
    )
    order = f"{protocol} {target.name}"
    train(model, target.train, target.validation, ticket.mask, settings, seed, order, device, checkpoint)
    return score(logits(model, target.test, device, settings.precision), target.test.labels).accuracy


def probe(target: Target, ticket: Ticket, options: Options, seed: int, device: torch.device) -> tuple[float, float]:
    """Test accuracy of a linear probe on the source-trained ticket's features, and the penalty chosen."""
    from dilt import models
    from dilt.activations import features
    from dilt.probing import fit_probe

    precision = options.transfer.training.precision
    model = models.build(options.model, target.train.image_shape, target.train.classes, seed, ticket.trained)
    train, validation, test = (
        features(model, data, device, precision) for data in (target.train, target.validation, target.test)
    )
    found = fit_probe(train, target.train.labels, validation, target.validation.labels, options.transfer.penalties)
    return found.accuracy(test, target.test.labels), found.penalty


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("transfer", transfer.__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="PATH", help="dataset.json of each target"
    )
    command.add_paths(parser, "--theta0", help="shared initialisation")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    parser.add_argument("--pairs", nargs="+", required=True, metavar="TARGET/TICKET")
    command.add_path_lists(parser, "--masks", "--weights", help="mask and source-trained weights, one per pair")
    command.add_path_lists(parser, "--scores", help="tables to write, one per pair")
    checkpoints.add_options(parser)
    command.run(parser, transfer)


if __name__ == "__main__":
    main()
