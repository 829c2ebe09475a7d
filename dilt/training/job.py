"""What `train`, `train_ticket` and `retrain_assembly` share: the stages that train networks on the source.

A network that an earlier attempt at the job has finished is not trained again; its files are written again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dilt.data.image_parts import image_parts
from dilt.foundations import storage
from dilt.foundations.storage import Tensors
from dilt.jobs import checkpoints, command
from dilt.jobs.checkpoints import Checkpoints
from dilt.settings.networks import Model
from dilt.settings.training import Rewinding, Training
from dilt.training.event_files import Curve

if TYPE_CHECKING:
    from dilt.data.prepared import Images
    from dilt.tickets.masks import Mask
    from dilt.tickets.names import TicketName


class Options(Rewinding):
    """What these stages read from the configuration."""

    model: Model
    training: Training


@dataclass(frozen=True)
class Start:
    """Where trainings start: the tensors of a backbone, such as theta0, and their digest."""

    tensors: Tensors
    digest: str

    @classmethod
    def read(cls, path: Path) -> Start:
        """From its file."""
        tensors, _ = storage.read_tensors(path)
        return cls(tensors, storage.digest(tensors))


@dataclass(frozen=True)
class Starts:
    """Where the tickets of a seed start: theta0, or one of the other initialisations, in the order of draws."""

    theta0: Start
    reinitialised: Sequence[Start]

    @classmethod
    def read(cls, arguments: argparse.Namespace) -> Starts:
        """From the files that the options ``--theta0`` and ``--reinitialised`` name."""
        return cls(Start.read(arguments.theta0), [Start.read(path) for path in arguments.reinitialised])

    def of(self, ticket: TicketName) -> Start:
        """Where a ticket starts.

        Raises:
            ValueError: there is no initialisation for its draw.
        """
        if not ticket.starts_anew:
            return self.theta0
        if ticket.draw > len(self.reinitialised):
            raise ValueError(
                f"--reinitialised: {ticket} needs file {ticket.draw}, of {len(self.reinitialised)}; add it"
            )
        return self.reinitialised[ticket.draw - 1]


@dataclass(frozen=True)
class Part:
    """A random part of the training images, as `image_parts` draws them; numbers are from 1."""

    number: int
    count: int


@dataclass(frozen=True)
class Task:
    """One network to train.

    Attributes:
        name: of its checkpoint.
        classes: whose images it sees.
        order: names the stream of data orders, as `loop.Work` has it.
        record: what is kept with its weights, besides the epochs and versions.
        address: columns that its metrics begin with.
        part: which random part of these classes' images it sees, and of how many; None for all images.
    """

    name: str
    classes: Sequence[str]
    mask: Mask
    start: Start
    order: str
    record: Mapping[str, Any]
    address: Mapping[str, Any]
    part: Part | None = None


class Trainings:
    """The trainings of a job: the source's images, the devices and the checkpoints that they have in common.

    Args:
        arguments: of a command line with `add_options`.
    """

    def __init__(self, arguments: argparse.Namespace, options: Options) -> None:
        from dilt.data.prepared import read_split
        from dilt.networks.devices import use_devices

        self._options = options
        self._seed = arguments.seed
        self._devices = use_devices(arguments.threads, arguments.ranks, self._options.training.deterministic)
        self._saved = Checkpoints.from_arguments(arguments, arguments.data)
        self._source, self._validation = (read_split(arguments.data, split) for split in ("train", "validation"))
        self.classes = self._source.classes

    def run(self, task: Task, weights: Path, metrics: Path) -> None:
        """Train a network and write its weights, and its metrics with a row per epoch."""
        from dilt.networks import states

        curve = Curve(weights, {**task.address, "weights": task.mask.count, "density": task.mask.density})
        with self._saved.of(task.name, mask=storage.digest(task.mask.layers), theta0=task.start.digest) as checkpoint:
            record = checkpoint.finished()
            if record is None:
                model, made = self._trained(task, checkpoint, curve)
                record = checkpoint.finish(states.state(model), made)
            else:
                curve.begin(record["history"])
            checkpoint.export(weights)
        storage.write_rows(metrics, [{**task.address, **row} for row in record["history"]])

    def _trained(self, task: Task, checkpoint: checkpoints.Checkpoint, curve: Curve) -> tuple[Any, dict[str, Any]]:
        """The network, and the record of how it was made."""
        from dilt.networks import building
        from dilt.networks.devices import numerics
        from dilt.training.history import improved
        from dilt.training.loop import Work
        from dilt.training.session import train

        options, data = self._options, self._images(task)
        model = building.build(options.model, data.image_shape, data.classes, self._seed, task.start.tensors)
        work = Work(model, data, task.mask, options.training, self._seed, task.order, start=options.start)
        history = train(work, self._validation.restrict(task.classes), self._devices, checkpoint, curve)
        versions = command.versions(numerics(self._devices, options.training, model))
        return model, {**task.record, "history": history, "improved": improved(history), "versions": versions}

    def _images(self, task: Task) -> Images:
        """The training images that a task sees; validation images are always all of its classes'."""
        images = self._source.restrict(task.classes)
        if task.part is None:
            return images
        parts = image_parts(images.labels, task.part.count, self._seed)
        return images.take(np.flatnonzero(parts == task.part.number - 1))


def add_options(parser: argparse.ArgumentParser, fewest: str = "+") -> None:
    """The command-line options of these stages; networks are at least one, or with ``*`` none."""
    command.add_paths(parser, "--data", help="dataset.json of the prepared source")
    command.add_paths(parser, "--theta0", help="shared initialisation")
    command.add_path_lists(parser, "--weights", "--metrics", help="files to write, one per network", fewest=fewest)
    command.add_training_options(parser)
    checkpoints.add_options(parser)


def add_starts(parser: argparse.ArgumentParser) -> None:
    """The command-line option of the initialisations besides theta0 that tickets start from."""
    command.add_path_lists(parser, "--reinitialised", help="other initialisations, one for each draw")
