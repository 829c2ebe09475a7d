"""A training under a mask, resumable to the bit: the steps of `loop` are saved, evaluated and reported here.

Used for trajectories, tickets and transfer alike.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import torch

from dilt.data.prepared import Images
from dilt.foundations.progress import Progress
from dilt.foundations.storage import Tensors
from dilt.jobs import usage
from dilt.jobs.checkpoints import Checkpoint
from dilt.networks import states
from dilt.networks.outputs import logits_there, score
from dilt.training import optimizers, ranks
from dilt.training.event_files import Curve
from dilt.training.history import History
from dilt.training.loop import Loop, Work
from dilt.training.schedules import learning_rate


def train(
    work: Work,
    validation: Images,
    devices: Sequence[torch.device],
    checkpoint: Checkpoint,
    curve: Curve | None = None,
) -> History:
    """Train a model in place, its pruned weights staying exactly zero.

    Args:
        devices: one per rank, the first for this process.
        curve: for people who watch; told of each epoch as it ends.

    Returns:
        A row per epoch: epoch (of the schedule, from 1), mean training loss, validation loss and accuracy.

    Raises:
        ValueError: the loss is not finite; the message names the epoch and the last good checkpoint.
        SystemExit: the job was asked to stop, and the state is saved.
    """
    loop = Loop(work, devices[0], ranks=len(devices))
    history = _restore(loop, checkpoint)
    progress = Progress(checkpoint.label, loop.epochs, done=len(history))
    started, behind = time.monotonic(), loop.step
    if curve:
        curve.begin(history)
    with ranks.together(loop, devices):
        for ends_epoch in usage.training(_steps(loop), len(devices)):
            if ends_epoch:
                row = _epoch_row(loop, validation)
                _require_finite(row["train_loss"] + row["validation_loss"], row["epoch"], loop, checkpoint)
                history.append(row)
                loop.loss_sum.zero_()
                speed = (loop.step - behind) * loop.batch_size / (time.monotonic() - started)
                started, behind = time.monotonic(), loop.step
                if curve:
                    rate = learning_rate(work.settings, loop.step - 1, loop.steps_per_epoch)
                    curve.add(row, learning_rate=rate, images_per_second=speed)
                progress.advance(
                    f"loss {row['train_loss']:.3f}  accuracy {row['validation_accuracy']:.3f}  {speed:,.0f} images/s"
                )
            if checkpoint.due():
                _require_finite(loop.loss_sum.item(), loop.step // loop.steps_per_epoch + 1, loop, checkpoint)
                _save(loop, history, checkpoint)
    progress.close()
    if loop.average is not None:
        work.model.load_state_dict(loop.average.module.state_dict())
    return history


def _require_finite(loss: float, epoch: float, loop: Loop, checkpoint: Checkpoint) -> None:
    """Stop a training that has diverged, before its state replaces a good checkpoint."""
    if math.isfinite(loss):
        return
    saved, settings = checkpoint.load(), loop.work.settings
    good = f"the last good checkpoint is of step {saved[1]['step']}: {checkpoint.path}" if saved else "none was saved"
    raise ValueError(
        f"{loop.work.order}: the loss is not finite in epoch {epoch} of {settings.epochs} ({good}); lower the "
        f"learning rate ({settings.learning_rate}) or warm it up for longer"
    )


def _steps(loop: Loop) -> Iterator[bool]:
    """The steps of a loop; those of an epoch are done when it ends, on a GPU too, so that their time is theirs."""
    for ends_epoch in loop.steps():
        if ends_epoch:
            loop.loss_sum.item()  # waits for the device
        yield ends_epoch


def _epoch_row(loop: Loop, validation: Images) -> dict[str, float]:
    outputs = logits_there(loop.trained, validation, loop.device, loop.work.settings.precision)
    held_out = score(outputs, validation.labels)
    return {
        "epoch": loop.epoch,
        "train_loss": loop.mean_loss,
        "validation_loss": held_out.loss,
        "validation_accuracy": held_out.accuracy,
    }


def _save(loop: Loop, history: History, checkpoint: Checkpoint) -> None:
    slots, numbers = optimizers.state(loop.optimizer)
    parts = {"model": states.state(loop.work.model), "optimizer": slots}
    if loop.average is not None:
        parts["average"] = states.state(loop.average.module)
    tensors = {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}
    record = {"step": loop.step, "loss_sum": loop.loss_sum.item(), "optimizer": numbers, "history": history}
    checkpoint.save(tensors, record)


def _restore(loop: Loop, checkpoint: Checkpoint) -> History:
    """Put the loop where the checkpoint left it, if there is one; gives the rows of the epochs done before."""
    saved = checkpoint.load()
    if saved is None:
        return []
    tensors, record = saved
    parts: dict[str, Tensors] = {"model": {}, "optimizer": {}, "average": {}}
    for name, array in tensors.items():
        part, _, key = name.partition(".")
        parts[part][key] = array
    states.load_state(loop.work.model, parts["model"])
    if loop.average is not None:
        states.load_state(loop.average.module, parts["average"])
    optimizers.load(loop.optimizer, parts["optimizer"], record["optimizer"])
    loop.step = record["step"]
    loop.loss_sum.fill_(record["loss_sum"])
    print(f"goes on from step {loop.step}", flush=True)
    history: History = record["history"]
    return history
