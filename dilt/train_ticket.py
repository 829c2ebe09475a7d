"""Stage `train_ticket`: tickets trained from theta0 on all source classes, and scored once on test images."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from dilt import checkpoints, command, storage
from dilt.checkpoints import Checkpoints
from dilt.mask_storage import read_mask
from dilt.partitions import Partitions
from dilt.settings import Model, Section, Training
from dilt.starts import starts_anew


class Options(Section):
    """What `train_ticket` reads of the configuration."""

    model: Model
    training: Training


def train_ticket(arguments: argparse.Namespace) -> None:
    """Train tickets of one round on all source classes; write weights, per-epoch metrics and test scores."""
    from dilt import models
    from dilt.datasets import read_partitions, read_split
    from dilt.devices import numerics, use_devices
    from dilt.evaluation import logits
    from dilt.loop import Work
    from dilt.training import train

    options = command.options(arguments, Options)
    devices = use_devices(arguments.threads, arguments.ranks, options.training.deterministic)
    saved = Checkpoints.from_arguments(arguments, arguments.data)
    source, validation, test = (read_split(arguments.data, split) for split in ("train", "validation", "test"))
    partitions = read_partitions(arguments.data)
    theta0, anew = (storage.read_tensors(path)[0] for path in (arguments.theta0, arguments.reinitialised))

    for ticket, mask_path, weights, metrics, scores in command.zipped(
        arguments.tickets, arguments.masks, arguments.weights, arguments.metrics, arguments.scores
    ):
        mask, start = read_mask(mask_path), anew if starts_anew(ticket) else theta0
        address = {"seed": arguments.seed, "round": arguments.round, "ticket": ticket}
        with saved.of(ticket, mask=storage.digest(mask.layers), theta0=storage.digest(start)) as checkpoint:
            record = checkpoint.finished()
            if record is None:
                model = models.build(options.model, source.image_shape, source.classes, arguments.seed, start)
                work = Work(model, source, mask, options.training, arguments.seed, "ticket")
                history = train(work, validation, devices, checkpoint)
                outputs = logits(model, test, devices[0], options.training.precision)
                made = address | {
                    "history": history,
                    "scores": scores_by_partition(outputs, test.labels, test.classes, partitions),
                    "versions": command.versions(numerics(devices, options.training)),
                }
                record = checkpoint.finish(models.state(model), made)
            checkpoint.export(weights)
        storage.write_rows(metrics, [address | row for row in record["history"]])
        made_by = {"versions": record["versions"]}
        storage.write_rows(scores, [address | row | made_by for row in record["scores"]])


def scores_by_partition(
    outputs: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], classes: tuple[str, ...], partitions: Partitions
) -> list[dict[str, Any]]:
    """Accuracy and loss on all images and on those of each partition's classes, for logits (images, classes)."""
    from dilt.evaluation import score

    rows = []
    for name, members in {"all": list(classes), **partitions}.items():
        chosen = np.isin(labels, [classes.index(member) for member in members])
        found = score(outputs[chosen], labels[chosen])
        rows.append({"classes": name, "images": found.images, "accuracy": found.accuracy, "loss": found.loss})
    return rows


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train_ticket", train_ticket.__doc__)
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", "--reinitialised", help="shared initialisation, and the other one")
    parser.add_argument("--round", type=int, required=True, help="the tickets' round")
    parser.add_argument("--tickets", nargs="+", required=True, metavar="TICKET")
    command.add_path_lists(parser, "--masks", help="mask of each ticket")
    command.add_path_lists(parser, "--weights", "--metrics", "--scores", help="files to write, one per ticket")
    command.add_training_options(parser)
    checkpoints.add_options(parser)
    command.run(parser, train_ticket)


if __name__ == "__main__":
    main()
