"""The steps of a training under a mask, the same for every rank: data order, augmentation, gradient, update.

Randomness is stateless: data order, views of the images and dropout of a step follow from (seed, order, step), so a
resumed loop sees what an undisturbed one saw. `session` saves and evaluates, `ranks` has the processes of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dilt.data.augmentation import draw_moves, move, normalise
from dilt.data.batches import Feed
from dilt.data.mixing import draw_mix
from dilt.data.policies import Changed, Eraser, draw_seeds
from dilt.data.prepared import Images
from dilt.foundations.randomness import derive_seed, generator
from dilt.networks import states
from dilt.networks.devices import autocast, compiles, memory_format, seed_device
from dilt.settings.training import Training, in_steps
from dilt.tickets.masks import Mask
from dilt.training import optimizers
from dilt.training.schedules import learning_rate


@dataclass(frozen=True)
class Work:
    """What is trained, in place, and on what.

    A training that starts late has the learning rates, data orders and augmentation of the epochs that are left, and a
    fresh optimizer (no momentum), as open_lth has after late rewinding.

    Attributes:
        mask: weights that live; None trains all.
        order: names the stream of data orders: two trainings of one seed with the same order see the same batches.
        start: epochs of the schedule that lie behind the model, or steps as ``500it``.
        stop: epochs or steps of the schedule after which it ends; None for all.
    """

    model: nn.Module
    data: Images
    mask: Mask | None
    settings: Training
    seed: int
    order: str
    start: int | str = 0
    stop: int | str | None = None


class Loop:
    """The steps of a training, on one rank's share of every batch.

    Attributes:
        step: steps of the schedule that are done, those before a late start included.
        first, last: steps of the schedule between which it trains.
        steps_per_epoch: whole batches in the data.
        loss_sum: sum over the steps of the running epoch of the mean loss of all ranks.
        optimizer: its state, with step, loss_sum, model and average, is what must be saved of a loop.
        average: the moving average of the model, if one is kept; on the first rank only.
        pruned: the weights that the mask keeps at zero.

    Raises:
        ValueError: the mask was made for another network, batch norms cannot be synchronised here, or the training has
            fewer steps than warm-up or rewinding take.
    """

    def __init__(self, work: Work, device: torch.device, rank: int = 0, ranks: int = 1) -> None:
        self.work, self.device = work, device
        self._rank, self._ranks = rank, ranks
        settings = work.settings
        self._layout = memory_format(work.model, device)
        if ranks > 1 and settings.batch_norm == "synchronised":
            _synchronise_norms(work.model, device)
        work.model.to(device, memory_format=self._layout)  # type: ignore[call-overload]
        self.pruned = Pruned(work.model, work.mask)
        self.optimizer = optimizers.create(work.model, settings)
        # The gradients of pruned weights would count in norms that scale steps.
        self._clears_gradients = settings.clip_norm is not None or settings.optimizer == "lamb"
        self.average = _average(work.model, settings) if rank == 0 else None
        self._changed = Changed(work.data, settings, work.seed, work.order) if settings.one_at_a_time else None
        self._eraser = Eraser(settings, device) if settings.erasing else None
        self._feed = Feed(work.data, device, self._changed)
        self._labels = torch.from_numpy(np.array(work.data.labels)).to(device)
        batch_size = min(settings.batch_size, len(work.data))
        self.batch_size = batch_size - batch_size % ranks
        self.steps_per_epoch = len(work.data) // self.batch_size
        self.first = self.step = in_steps(work.start, self.steps_per_epoch)
        self.last = in_steps(settings.epochs if work.stop is None else work.stop, self.steps_per_epoch)
        _require_enough_steps(work, self.steps_per_epoch)
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)

    @property
    def epoch(self) -> int:
        """The epoch of the schedule, from 1, of the last step."""
        return (self.step - 1) // self.steps_per_epoch + 1

    @property
    def epochs(self) -> int:
        """The number of epochs that are trained, in part or as a whole."""
        return -(-self.last // self.steps_per_epoch) - self.first // self.steps_per_epoch

    @property
    def mean_loss(self) -> float:
        """Mean over the steps of the epoch that has ended."""
        return self.loss_sum.item() / (self.step - max(self.first, (self.epoch - 1) * self.steps_per_epoch))

    @property
    def trained(self) -> nn.Module:
        """What the training is for: the model, or the moving average of its weights."""
        return self.work.model if self.average is None else self.average.module

    def steps(self) -> Iterator[bool]:
        """Train from the current step to the last; yields after each step whether it ended an epoch or the training.

        Between two steps the host does not wait for the device.
        """
        network = self._network()
        while self.step < self.last:
            self.work.model.train()
            for images, labels in self._batches(self.step // self.steps_per_epoch):
                self._train_on(network, images, labels)
                self.step += 1
                yield self.step % self.steps_per_epoch == 0 or self.step == self.last

    def _network(self) -> Any:
        """The model as it is called in training: on all ranks, which take over the first one's state, and compiled."""
        network: Any = self.work.model
        if self._ranks > 1:
            from torch.distributed import broadcast_object_list
            from torch.nn.parallel import DistributedDataParallel

            # Without find_unused_parameters torch lays out its buckets anew after the first step, so that a resumed run
            # would add up gradients in another order than an undisturbed one.
            network = DistributedDataParallel(network, find_unused_parameters=True)
            held: list[Any] = [optimizers.state(self.optimizer)]
            broadcast_object_list(held, src=0, device=self.device)
            optimizers.load(self.optimizer, *held[0])
        return torch.compile(network) if compiles(self.work.settings, self.device) else network

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """This rank's share of the batches left of an epoch: images (batch, channels, height, width), labels (batch,).

        A batch's draws do not depend on the number of ranks.
        """
        work, number = self.work, len(self.work.data)
        shuffled = generator(work.seed, "order", work.order, epoch).permutation(number)
        batches = np.split(shuffled[: self.steps_per_epoch * self.batch_size], self.steps_per_epoch)
        begun = epoch * self.steps_per_epoch
        left = [indices[self._rank :: self._ranks] for indices in batches[self.step - begun : self.last - begun]]
        places = torch.from_numpy(np.stack(left)).to(self.device)
        moves = None
        wanted: Sequence[Any] = left
        if self._changed:
            wanted = [(epoch, indices) for indices in left]
        else:
            moves = draw_moves(work.settings, work.data, work.seed, work.order, epoch, self.device)
        erased = draw_seeds(number, work.seed, "erase", work.order, epoch) if self._eraser else None
        for pixels, chosen, indices in zip(self._feed.batches(wanted), places, left, strict=True):
            images = normalise(pixels, work.data)
            if moves is not None:
                images = move(images, moves[chosen])
            if self._eraser and erased is not None:
                self._eraser(images, erased[indices])
            yield images.contiguous(memory_format=self._layout), self._labels[chosen]

    def _train_on(self, network: Any, images: Tensor, labels: Tensor) -> None:
        work, settings = self.work, self.work.settings
        mix = draw_mix(settings, work.data.image_shape, work.seed, work.order, self.step)
        if mix:
            images = mix.images(images)
        shared = (self._rank,) if self._rank else ()
        seed_device(self.device, derive_seed(work.seed, "dropout", work.order, self.step, *shared))
        with autocast(self.device, settings.precision):
            outputs = network(images).float()
            of = partial(functional.cross_entropy, outputs, label_smoothing=settings.label_smoothing)
            loss = mix.loss(of, labels) if mix else of(labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self._update(learning_rate(settings, self.step, self.steps_per_epoch))
        self.loss_sum += self._mean_over_ranks(loss.detach())

    def _update(self, rate: float) -> None:
        model, clip = self.work.model, self.work.settings.clip_norm
        if self._clears_gradients:
            self.pruned.clear_gradients()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizers.set_rate(self.optimizer, rate)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.pruned.keep_at_zero()
        if self.average is not None:
            self.average.update(model, self.step - self.first + 1)

    def _mean_over_ranks(self, loss: Tensor) -> Tensor:
        if self._ranks == 1:
            return loss
        from torch.distributed import all_reduce

        all_reduce(loss)
        return loss / self._ranks


class Pruned:
    """The pruned weights of a mask's layers, kept at zero by one fused multiplication after each step."""

    def __init__(self, model: nn.Module, mask: Mask | None) -> None:
        layers = mask.layers if mask else {}
        if mask:
            states.apply_mask(model, mask)
        self._weights: list[Tensor] = [model.get_parameter(name) for name in layers]
        # In the memory layout of the weights, which the fused multiplication needs.
        self._live = [
            torch.empty_like(weight).copy_(torch.from_numpy(live.astype(np.float32)))
            for weight, live in zip(self._weights, layers.values(), strict=True)
        ]

    @torch.no_grad()
    def keep_at_zero(self) -> None:
        """To be called after every step of the optimizer."""
        if self._weights:
            torch._foreach_mul_(self._weights, self._live)

    def clear_gradients(self) -> None:
        """Set the gradients of pruned weights to zero."""
        pairs = [(w.grad, live) for w, live in zip(self._weights, self._live, strict=True) if w.grad is not None]
        if pairs:
            torch._foreach_mul_(*map(list, zip(*pairs, strict=True)))


def _average(model: nn.Module, settings: Training) -> Any:
    """timm's moving average of a model, if one is wanted.

    Its decay grows to the one asked for: else trainings of few steps would end, and be pruned, near where they began.
    """
    if settings.ema_decay is None:
        return None
    from timm.utils.model_ema import ModelEmaV3

    return ModelEmaV3(model, decay=settings.ema_decay, use_warmup=True)


def _require_enough_steps(work: Work, steps_per_epoch: int) -> None:
    """What `configuration.checks` makes sure of where lengths are in epochs."""
    settings = work.settings
    total = settings.epochs * steps_per_epoch
    took = f"{total} steps that {work.order} takes ({settings.epochs} epochs of {steps_per_epoch})"
    if in_steps(settings.warmup_epochs, steps_per_epoch) >= total:
        raise ValueError(f"warmup_epochs: {settings.warmup_epochs} is not below the {took}; lower it")
    if in_steps(work.start, steps_per_epoch) >= total or in_steps(work.stop or 0, steps_per_epoch) > total:
        raise ValueError(f"pruning.rewind_epoch: {work.start or work.stop} is not below the {took}; lower it")


def _synchronise_norms(model: nn.Module, device: torch.device) -> None:
    """Let batch norms measure their statistics over the batches of all ranks, not each over its own share."""
    if device.type != "cuda":
        raise ValueError("training.batch_norm: synchronised needs GPUs; set it to local where ranks are CPU processes")
    from timm.layers.norm_act import convert_sync_batchnorm

    convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
