"""Checks of how trainings change images and take steps, before any job runs; findings are as those of `checks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dilt.settings.data import DataSet, Source
    from dilt.settings.networks import Model
    from dilt.settings.training import Training
    from dilt.settings.transfer import Transfer


def trainings(training: Training, transfer: Transfer) -> Iterator[str]:
    """What is wrong with a training by itself; what transfer inherits is told once."""
    told = list(_training(training))
    yield from (f"training.{finding}" for finding in told)
    yield from (f"transfer.training.{finding}" for finding in _training(transfer.training) if finding not in told)


def _training(training: Training) -> Iterator[str]:
    if training.nesterov and (training.optimizer != "sgd" or not training.momentum):
        given = training.optimizer if training.optimizer != "sgd" else "sgd without momentum"
        yield f"nesterov: true, but the optimizer is {given}; set it to false"
    if training.crop_from == "file" and training.augmentation != "resized-crop":
        yield f"crop_from: file, but augmentation is {training.augmentation}; set that to resized-crop"
    if training.auto_augment is not None:
        from dilt.data.policies import policy

        try:
            policy(training, (3, 32, 32), (0.5, 0.5, 0.5))
        except ValueError as error:
            yield str(error)


def crops(source: Source, targets: Mapping[str, DataSet], training: Training, transfer: Transfer) -> Iterator[str]:
    """Data sets whose images cannot be cropped as asked for."""
    data = {"source": (source, training), **{f"targets.{n}": (d, transfer.training) for n, d in targets.items()}}
    for key, (images, views) in data.items():
        if images.crop_share < 1 and (images.resize != "crop" or images.image_size is None):
            given = images.crop_share
            yield f"{key}.crop_share: {given}, but images are not cropped; set resize to crop, and image_size"
        from_files = views.crop_from == "file" and views.augmentation == "resized-crop"
        if from_files and images.storage != "streamed":
            of = "training" if key == "source" else "transfer.training"
            yield f"{key}.storage: {images.storage}, but {of}.crop_from is file; set it to streamed"


def positions(model: Model) -> Iterator[str]:
    """The perceptron, which has no positions; of timm's networks, building them tells."""
    if model.name == "mlp" and model.positions != "learned":
        yield f"model.positions: {model.positions}, but mlp has none; set it to learned"
