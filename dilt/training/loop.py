"""The steps of a training under a mask, the same for every rank: data order, augmentation, gradient, update.

Randomness is stateless: data order, augmentation and dropout of a step follow from (seed, order, step), so a resumed
loop sees what an undisturbed one saw. `session` saves and evaluates, `ranks` has the processes of the other ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dilt.data.augmentation import draw_moves, move, normalise
from dilt.data.batches import Feed
from dilt.data.prepared import Images
from dilt.foundations.randomness import derive_seed, generator
from dilt.networks import states
from dilt.networks.devices import autocast, compiles, memory_format, seed_device
from dilt.settings.training import Training
from dilt.tickets.masks import Mask
from dilt.training.optimizers import Optimizer, learning_rate


@dataclass(frozen=True)
class Work:
    """What is trained, in place, and on what.

    A training that starts late has the learning rates, data orders and augmentation of the epochs that are left, and a
    fresh optimizer (no momentum), as open_lth has after late rewinding.

    Attributes:
        mask: weights that live; None trains all.
        order: names the stream of data orders: two trainings of one seed with the same order see the same batches.
        start: epochs of the schedule that lie behind the model.
        stop: epochs of the schedule after which it ends; None for all.
    """

    model: nn.Module
    data: Images
    mask: Mask | None
    settings: Training
    seed: int
    order: str
    start: int = 0
    stop: int | None = None

    @property
    def epochs(self) -> range:
        """The epochs of the schedule that are trained, from 0."""
        return range(self.start, self.settings.epochs if self.stop is None else self.stop)


class Loop:
    """The steps of a training, on one rank's share of every batch.

    Attributes:
        step: steps of the schedule that are done, those before a late start included.
        steps_per_epoch: whole batches in the data.
        loss_sum: sum over the steps of the running epoch of the mean loss of all ranks.
        optimizer: its state, with step, loss_sum and the model, is what must be saved of a loop.
        pruned: the weights that the mask keeps at zero.

    Raises:
        ValueError: the mask was made for another network, or batch norms cannot be synchronised here.
    """

    def __init__(self, work: Work, device: torch.device, rank: int = 0, ranks: int = 1) -> None:
        self.work, self.device = work, device
        self._rank, self._ranks = rank, ranks
        self._layout = memory_format(work.model, device)
        if ranks > 1 and work.settings.batch_norm == "synchronised":
            _synchronise_norms(work.model, device)
        work.model.to(device, memory_format=self._layout)  # type: ignore[call-overload]
        self.pruned = Pruned(work.model, work.mask)
        self.optimizer = Optimizer(work.model, work.settings)
        self._feed = Feed(work.data, device)
        self._labels = torch.from_numpy(np.array(work.data.labels)).to(device)
        batch_size = min(work.settings.batch_size, len(work.data))
        self.batch_size = batch_size - batch_size % ranks
        self.steps_per_epoch = len(work.data) // self.batch_size
        self.step = work.start * self.steps_per_epoch
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)

    def steps(self) -> Iterator[bool]:
        """Train from the current step to the end of the last epoch; yields after each step whether it ended an epoch.

        Between two steps the host does not wait for the device.
        """
        network = self._network()
        for epoch in range(self.step // self.steps_per_epoch, self.work.epochs.stop):
            self.work.model.train()
            for images, labels in self._batches(epoch):
                self._train_on(network, images, labels)
                self.step += 1
                yield self.step % self.steps_per_epoch == 0

    def _network(self) -> Any:
        """The model as it is called in training: on all ranks, which take over the first one's state, and compiled."""
        network: Any = self.work.model
        if self._ranks > 1:
            from torch.distributed import broadcast
            from torch.nn.parallel import DistributedDataParallel

            # Without find_unused_parameters torch lays out its buckets anew after the first step, so that a resumed run
            # would add up gradients in another order than an undisturbed one.
            network = DistributedDataParallel(network, find_unused_parameters=True)
            for tensor in self.optimizer.state.values():
                broadcast(tensor, src=0)
        return torch.compile(network) if compiles(self.work.settings, self.device) else network

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """This rank's share of the batches left of an epoch: images (batch, channels, height, width), labels (batch,).

        A batch's draws do not depend on the number of ranks.
        """
        work = self.work
        shuffled = generator(work.seed, "order", work.order, epoch).permutation(len(work.data))
        batches = np.split(shuffled[: self.steps_per_epoch * self.batch_size], self.steps_per_epoch)
        left = [indices[self._rank :: self._ranks] for indices in batches[self.step % self.steps_per_epoch :]]
        places = torch.from_numpy(np.stack(left)).to(self.device)
        moves = draw_moves(work.settings.augmentation, work.data, work.seed, work.order, epoch, self.device)
        for pixels, chosen in zip(self._feed.batches(left), places, strict=True):
            images = normalise(pixels, work.data)
            if moves is not None:
                images = move(images, moves[chosen])
            yield images.contiguous(memory_format=self._layout), self._labels[chosen]

    def _train_on(self, network: Any, images: Tensor, labels: Tensor) -> None:
        settings = self.work.settings
        shared = (self._rank,) if self._rank else ()
        seed_device(self.device, derive_seed(self.work.seed, "dropout", self.work.order, self.step, *shared))
        with autocast(self.device, settings.precision):
            loss = functional.cross_entropy(network(images).float(), labels, label_smoothing=settings.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(learning_rate(settings, self.step, self.steps_per_epoch))
        self.pruned.keep_at_zero()
        self.loss_sum += self._mean_over_ranks(loss.detach())

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


def _synchronise_norms(model: nn.Module, device: torch.device) -> None:
    """Let batch norms measure their statistics over the batches of all ranks, not each over its own share."""
    if device.type != "cuda":
        raise ValueError("training.batch_norm: synchronised needs GPUs; set it to local where ranks are CPU processes")
    from timm.layers.norm_act import convert_sync_batchnorm

    convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
