"""torch's optimizers in their functional form: the same fused kernels, with state that is plain tensors.

The classes of `torch.optim` import torch's compiler when they are made, six seconds in every job that trains. A test
makes sure that the steps taken here equal theirs bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from dilt.settings.training import Training

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Optimizer:
    """Steps parameters along their gradients; `torch.optim.SGD` or `torch.optim.AdamW`.

    Attributes:
        state: the tensors that the next step depends on, by name.
    """

    def __init__(self, model: nn.Module, settings: Training) -> None:
        named = dict(model.named_parameters())
        spared = undecayed(model, settings.weight_decay_exclude) if settings.weight_decay else set()
        self._parameters: list[Tensor] = list(named.values())
        self._settings = settings
        # All parameters with the same decay are updated in one call.
        self._groups: dict[float, list[int]] = {}
        for index, name in enumerate(named):
            self._groups.setdefault(0.0 if name in spared else settings.weight_decay, []).append(index)
        names = ("momentum",) if settings.optimizer == "sgd" else ("mean", "square", "step")
        self.state = {
            f"{name}.{index}": torch.zeros((), device=parameter.device)
            if name == "step"
            else torch.zeros_like(parameter)
            for name in names
            for index, parameter in enumerate(self._parameters)
        }

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step of every parameter that has a gradient; the gradients are cleared."""
        for weight_decay, indices in self._groups.items():
            live = [index for index in indices if self._parameters[index].grad is not None]
            if live:
                self._update(live, learning_rate, weight_decay)
        for parameter in self._parameters:
            parameter.grad = None

    def _update(self, live: Sequence[int], learning_rate: float, weight_decay: float) -> None:
        parameters = [self._parameters[index] for index in live]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self._settings.optimizer == "sgd":
            sgd(
                parameters,
                gradients,
                [self.state[f"momentum.{index}"] for index in live],
                fused=True,
                weight_decay=weight_decay,
                momentum=self._settings.momentum,
                lr=learning_rate,
                dampening=0,
                nesterov=False,
                maximize=False,
            )
        else:
            adamw(
                parameters,
                gradients,
                [self.state[f"mean.{index}"] for index in live],
                [self.state[f"square.{index}"] for index in live],
                [],
                [self.state[f"step.{index}"] for index in live],
                fused=True,
                amsgrad=False,
                beta1=BETAS[0],
                beta2=BETAS[1],
                lr=learning_rate,
                weight_decay=weight_decay,
                eps=EPSILON,
                maximize=False,
            )

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved state."""
        for name, tensor in self.state.items():
            tensor.copy_(state[name])


def undecayed(model: nn.Module, exclude: bool | Collection[str]) -> set[str]:
    """Names of the parameters that weight decay leaves alone.

    Args:
        exclude: names or shell patterns; True for those that timm's `create_optimizer_v2` leaves alone: biases, other
            parameters of one dimension (of norms), and those that the model names in ``no_weight_decay()``, such as
            tokens and positions.
    """
    if exclude is False:
        return set()
    told = getattr(model, "no_weight_decay", set) if exclude is True else None
    patterns: Collection[str] = exclude if told is None else told()  # type: ignore[assignment]
    return {
        name
        for name, parameter in model.named_parameters()
        if (exclude is True and (parameter.ndim <= 1 or name.endswith(".bias")))
        or any(fnmatch(name, pattern) for pattern in patterns)
    }


def learning_rate(settings: Training, step: int, steps_per_epoch: int) -> float:
    """The rate of a step, from 0: linear warm-up, then constant, in steps, or half a cosine to zero.

    The cosine is that of Loshchilov & Hutter (2017, equation 5), without restarts.
    """
    warmup, total = settings.warmup_epochs * steps_per_epoch, settings.epochs * steps_per_epoch
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "constant":
        return settings.learning_rate
    if settings.schedule == "step":
        passed = sum(step >= milestone * steps_per_epoch for milestone in settings.milestones)
        return settings.learning_rate * settings.decay**passed
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
