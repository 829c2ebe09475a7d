"""Checks of trainings: how long they are, how they change images and take steps; findings are as those of `checks`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dilt.configuration import workload
from dilt.sources import data_catalog

if TYPE_CHECKING:
    from dilt.settings.data import DataSet, Source
    from dilt.settings.instability import Instability
    from dilt.settings.jobs import Jobs
    from dilt.settings.networks import Model
    from dilt.settings.training import Pruning, Training
    from dilt.settings.transfer import Transfer


def recipes(training: Training, transfer: Transfer) -> Iterator[str]:
    """What is wrong with a training by itself; what transfer inherits is told once."""
    told = list(_recipe(training))
    yield from (f"training.{finding}" for finding in told)
    yield from (f"transfer.training.{finding}" for finding in _recipe(transfer.training) if finding not in told)


def _recipe(training: Training) -> Iterator[str]:
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
        of = "training" if key == "source" else "transfer.training"
        if from_files and images.name.startswith(("digits", *data_catalog.IN_TURN)):
            yield f"{of}.crop_from: file, but images of {images.name} are not read from files; set it to prepared"
        elif from_files and images.storage != "streamed":
            yield f"{key}.storage: {images.storage}, but {of}.crop_from is file; set it to streamed"


def positions(model: Model) -> Iterator[str]:
    """The perceptron, which has no positions; of timm's networks, building them tells."""
    if model.name == "mlp" and model.positions != "learned":
        yield f"model.positions: {model.positions}, but mlp has none; set it to learned"


def rewinding(pruning: Pruning, training: Training, source: Source) -> Iterator[str]:
    """Late rewinding that leaves nothing to train."""
    given, epochs = pruning.rewind_epoch, workload.in_epochs(pruning.rewind_epoch, training, source)
    if epochs > training.epochs:
        yield f"pruning.rewind_epoch: {given} is after the last of {training.epochs} epochs; lower it"
    elif workload.in_epochs(pruning.start, training, source) >= training.epochs:
        yield (
            f"pruning.rewind_epoch: {given} leaves none of {training.epochs} epochs to train; lower it, "
            "or set pruning.rewind_schedule to restart"
        )


def instability(instability: Instability, pruning: Pruning, training: Training, source: Source) -> Iterator[str]:
    """What is wrong with the lines of instability analysis, and with what they are trained from."""
    for epoch in instability.rewind_epochs:
        for finding in rewinding(pruning.model_copy(update={"rewind_epoch": epoch}), training, source):
            yield f"instability.rewind_epochs: {finding.partition(': ')[2]}"
    if instability.points % 2 == 0:
        yield f"instability.points: {instability.points} leave out the middle of the line; take an odd number"


def schedules_of_source(training: Training, source: Source) -> Iterator[str]:
    """What is wrong with the schedule of trainings on the source."""
    for finding in _schedule(training, source):
        yield f"training.{finding}"


def transfers(transfer: Transfer, training: Training, targets: Mapping[str, DataSet]) -> Iterator[str]:
    """What is wrong with the schedule of trainings on targets; what they inherit is told as that."""
    told = {finding.partition(":")[0] for finding in _schedule(training)}
    given, epochs = transfer.training.warmup_epochs, transfer.training.epochs
    for name, data in targets.items():
        if isinstance(given, str) and workload.in_epochs(given, transfer.training, data) >= epochs:
            of = f"the {epochs} epochs of targets.{name}"
            yield f"transfer.training.warmup_epochs: {given} is not below {of}; lower it"
    for finding in _schedule(transfer.training):
        key = finding.partition(":")[0]
        inherited = getattr(transfer.training, key) == getattr(training, key)
        if not (inherited and key in told):
            yield f"transfer.training.{finding}" + (
                "; training has it, from where it is inherited" if inherited else ""
            )


def _schedule(training: Training, source: Source | None = None) -> Iterator[str]:
    """Findings, without the section's name.

    Args:
        source: tells how many steps an epoch has, where warm-up is given in steps; None: that is told elsewhere.
    """
    epochs, milestones, given = training.epochs, training.milestones, training.warmup_epochs
    warmup = workload.in_epochs(given, training, source) if source else 0 if isinstance(given, str) else given
    if warmup >= epochs:
        yield f"warmup_epochs: {given} is not below the {epochs} epochs; lower it"
    if training.schedule == "step" and not milestones:
        yield "milestones: missing; a step schedule needs the epochs after which the learning rate decays"
    if training.schedule != "step" and milestones:
        yield f"milestones: {milestones}, but the schedule is {training.schedule}; leave them out or set it to step"
    if milestones != sorted(set(milestones)) or any(not warmup < m < epochs for m in milestones):
        yield (
            f"milestones: {milestones} should be ascending epochs after warm-up ({given}) and before the last "
            f"({epochs})"
        )


def shares(training: Training, transfer: Transfer, jobs: Jobs) -> Iterator[str]:
    """Batches that cannot be shared equally by the GPUs of a job."""
    sections = {"training": training, "transfer.training": transfer.training}
    if training.batch_size == transfer.training.batch_size:
        del sections["transfer.training"]  # inherited: one finding is enough
    for key, section in sections.items():
        pairs = section.mixup or section.cutmix
        if section.batch_size % jobs.gpus:
            yield f"{key}.batch_size: {section.batch_size} cannot be shared by {jobs.gpus} GPUs (jobs.gpus) evenly"
        elif jobs.gpus > 1 and pairs and section.batch_size % (2 * jobs.gpus):
            mixed = f"{section.batch_size} images, which are mixed in pairs"
            yield f"{key}.batch_size: {mixed}, cannot be shared by {jobs.gpus} GPUs evenly; take a multiple of both"
    if jobs.gpus > 1 and jobs.per_gpu > 1:
        yield f"jobs.per_gpu: {jobs.per_gpu}, but a job has {jobs.gpus} GPUs; share GPUs among jobs with one each"
