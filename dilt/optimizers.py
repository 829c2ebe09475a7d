"""torch's optimizers in their functional form: the same fused kernels, with state that is plain tensors.

The classes of `torch.optim` import torch's compiler when they are made, six seconds in every job that trains;
a test holds these to them bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from dilt.settings import Training

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Optimizer:
    """Steps parameters along their gradients; `torch.optim.SGD` or `torch.optim.AdamW`.

    Attributes:
        state: the tensors that the next step depends on, by name.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], settings: Training) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._settings = settings
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
        live = [index for index, parameter in enumerate(self._parameters) if parameter.grad is not None]
        parameters = [self._parameters[index] for index in live]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self._settings.optimizer == "sgd":
            sgd(
                parameters,
                gradients,
                self._buffers("momentum", live),
                fused=True,
                weight_decay=self._settings.weight_decay,
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
                weight_decay=self._settings.weight_decay,
                eps=EPSILON,
                maximize=False,
            )
        for parameter in parameters:
            parameter.grad = None

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a saved state."""
        for name, tensor in self.state.items():
            tensor.copy_(state[name])

    def _buffers(self, name: str, live: list[int]) -> list[Tensor | None]:
        return [self.state[f"{name}.{index}"] for index in live]
