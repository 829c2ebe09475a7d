"""The training loop under a mask, resumable to the bit.

Used for trajectories, tickets and transfer alike. Randomness is stateless: data order, augmentation and dropout of a
step follow from (seed, order, step), so a resumed run sees what an undisturbed one saw.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dilt import models
from dilt.augmentation import draw_moves, move, normalise
from dilt.batches import Feed
from dilt.checkpoints import Checkpoint
from dilt.datasets import Images
from dilt.devices import autocast, memory_format, seed_device
from dilt.evaluation import logits, score
from dilt.masks import Mask
from dilt.optimizers import Optimizer
from dilt.progress import Progress
from dilt.randomness import derive_seed, generator
from dilt.schedules import learning_rate
from dilt.settings import Training
from dilt.storage import Tensors


@dataclass
class _Run:
    """What changes while a training runs, and so what a checkpoint holds besides model and optimizer."""

    loss_sum: Tensor
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class _Pruned:
    """The weights that a mask covers, kept at zero by one fused multiplication after each step."""

    def __init__(self, model: nn.Module, mask: Mask | None) -> None:
        layers = mask.layers if mask else {}
        if mask:
            models.apply_mask(model, mask)
        self._weights: list[Tensor] = [model.get_parameter(name) for name in layers]
        # Laid out in memory as the weights are, which the fused multiplication needs.
        self._live = [
            torch.empty_like(weight).copy_(torch.from_numpy(live.astype(np.float32)))
            for weight, live in zip(self._weights, layers.values(), strict=True)
        ]

    @torch.no_grad()
    def keep_at_zero(self) -> None:
        """To be called after every step of the optimizer."""
        if self._weights:
            torch._foreach_mul_(self._weights, self._live)


def train(
    model: nn.Module,
    data: Images,
    validation: Images,
    mask: Mask | None,
    settings: Training,
    seed: int,
    order: str,
    device: torch.device,
    checkpoint: Checkpoint,
) -> list[dict[str, float]]:
    """Train a model in place, its pruned weights staying exactly zero.

    Args:
        mask: weights that live; None trains all.
        order: names the stream of data orders: two trainings of one seed with the same order see the same batches.

    Returns:
        A row per epoch: epoch (from 1), mean training loss, validation loss and accuracy.

    Raises:
        ValueError: the loss is not finite; the message names the epoch and the last good checkpoint.
        SystemExit: the job was asked to stop, and the state is saved.
    """
    layout = memory_format(model)
    model.to(device, memory_format=layout)  # type: ignore[call-overload]
    optimizer = Optimizer(model.parameters(), settings)
    run = _restore(model, optimizer, checkpoint, device)
    batch_size = min(settings.batch_size, len(data))
    steps_per_epoch = len(data) // batch_size
    feed = Feed(data, device)
    labels = torch.from_numpy(np.array(data.labels)).to(device)
    pruned = _Pruned(model, mask)
    progress = Progress(checkpoint.label, settings.epochs, done=run.step // steps_per_epoch)

    for epoch in range(run.step // steps_per_epoch, settings.epochs):
        started = time.monotonic()
        model.train()
        shuffled = generator(seed, "order", order, epoch).permutation(len(data))
        left = np.split(shuffled[: steps_per_epoch * batch_size], steps_per_epoch)[run.step % steps_per_epoch :]
        moves = draw_moves(settings.augmentation, data, seed, order, epoch, device)
        for pixels, indices in zip(feed.batches(left), left, strict=True):
            chosen = torch.from_numpy(indices).to(device)
            images = normalise(pixels, data)
            if moves is not None:
                images = move(images, moves[chosen])
            images = images.contiguous(memory_format=layout)
            seed_device(device, derive_seed(seed, "dropout", order, run.step))
            rate = learning_rate(settings, run.step, steps_per_epoch)
            run.loss_sum += _step(model, optimizer, images, labels[chosen], rate, settings)
            pruned.keep_at_zero()
            run.step += 1
            if checkpoint.due() and run.step % steps_per_epoch:
                _require_finite(run.loss_sum.item(), order, epoch, settings, checkpoint)
                _save(model, optimizer, run, checkpoint)
        row = _epoch_row(model, validation, run, steps_per_epoch, settings, device)
        _require_finite(row["train_loss"] + row["validation_loss"], order, epoch, settings, checkpoint)
        run.history.append(row)
        run.loss_sum.zero_()
        speed = steps_per_epoch * batch_size / (time.monotonic() - started)
        progress.advance(
            f"loss {row['train_loss']:.3f}  accuracy {row['validation_accuracy']:.3f}  {speed:,.0f} images/s"
        )
        if checkpoint.due():
            _save(model, optimizer, run, checkpoint)
    progress.close()
    return run.history


def _step(
    model: nn.Module,
    optimizer: Optimizer,
    images: Tensor,
    labels: Tensor,
    rate: float,
    settings: Training,
) -> Tensor:
    with autocast(images.device, settings.precision):
        loss = functional.cross_entropy(model(images).float(), labels, label_smoothing=settings.label_smoothing)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step(rate)
    return loss.detach()


def _require_finite(loss: float, order: str, epoch: int, settings: Training, checkpoint: Checkpoint) -> None:
    """Stop a training that has diverged, before its state replaces a good checkpoint."""
    if math.isfinite(loss):
        return
    saved = checkpoint.load()
    good = f"the last good checkpoint is of step {saved[1]['step']}: {checkpoint.path}" if saved else "none was saved"
    raise ValueError(
        f"{order}: the loss is not finite in epoch {epoch + 1} of {settings.epochs} ({good}); lower the learning rate "
        f"({settings.learning_rate}) or warm it up for longer"
    )


def _epoch_row(
    model: nn.Module, validation: Images, run: _Run, steps: int, settings: Training, device: torch.device
) -> dict[str, float]:
    held_out = score(logits(model, validation, device, settings.precision), validation.labels)
    return {
        "epoch": len(run.history) + 1,
        "train_loss": run.loss_sum.item() / steps,
        "validation_loss": held_out.loss,
        "validation_accuracy": held_out.accuracy,
    }


def _save(model: nn.Module, optimizer: Optimizer, run: _Run, checkpoint: Checkpoint) -> None:
    tensors: Tensors = {f"model.{name}": array for name, array in models.state(model).items()}
    for name, tensor in optimizer.state.items():
        tensors[f"optimizer.{name}"] = tensor.cpu().numpy()
    checkpoint.save(tensors, {"step": run.step, "loss_sum": run.loss_sum.item(), "history": run.history})


def _restore(model: nn.Module, optimizer: Optimizer, checkpoint: Checkpoint, device: torch.device) -> _Run:
    """The state to go on from: the checkpoint's, or the beginning. Of a finished training, its end."""
    saved = checkpoint.load()
    if saved is None:
        return _Run(torch.zeros((), dtype=torch.float64, device=device))
    tensors, record = saved
    parts: dict[str, Tensors] = {"model": {}, "optimizer": {}}
    for name, array in tensors.items():
        part, _, key = name.partition(".")
        parts[part][key] = array
    models.load_state(model, parts["model"])
    optimizer.load({name: torch.from_numpy(array) for name, array in parts["optimizer"].items()})
    print(f"goes on from step {record['step']}", flush=True)
    loss_sum = torch.tensor(record["loss_sum"], dtype=torch.float64, device=device)
    return _Run(loss_sum, record["step"], record["history"])
