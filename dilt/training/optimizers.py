"""Optimizers: timm's factory makes them, with its groups for weight decay and layer-wise learning rates.

Those of the perceptron are made by torch alone, since its jobs need not import timm. Learning rates belong to
`schedules`.
"""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatch
from typing import Any

import torch
from torch import nn

from dilt.foundations.storage import Tensors
from dilt.networks.architectures import MLP
from dilt.settings.training import Training

TIMM_NAMES = {"sgd": "momentum"}  # where timm has another; its sgd has Nesterov's momentum
FUSED = ("sgd", "adamw")  # torch's own, each of whose steps is one kernel


def create(model: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """The optimizer of a model's parameters; `set_rate` gives it the learning rate of each step."""
    name, rate = settings.optimizer, settings.learning_rate
    own: dict[str, Any] = {"fused": True} if name in FUSED else {}
    if name == "sgd":
        own |= {"momentum": settings.momentum, "nesterov": settings.nesterov}
    if isinstance(model, MLP) and name in FUSED and settings.layer_decay is None:
        kind: Any = torch.optim.SGD if name == "sgd" else torch.optim.AdamW
        made: torch.optim.Optimizer = kind(_perceptron_groups(model, settings), lr=rate, **own)
        return made
    from timm import optim

    if name == "lamb":
        own["max_grad_norm"] = None  # timm's would clip whatever `clip_norm` says
    known = TIMM_NAMES.get(name, name)
    made = optim.create_optimizer_v2(  # type: ignore[attr-defined]
        model, known, lr=rate, param_group_fn=lambda model: _timm_groups(model, settings), **own
    )
    return made


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step; with layer-wise decay, each group's share of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)


def _perceptron_groups(model: MLP, settings: Training) -> list[dict[str, Any]]:
    """The groups that `_timm_groups` would give."""
    exclude = settings.weight_decay_exclude
    patterns = exclude if isinstance(exclude, list) else ["*.bias", "*.norm.*"] if exclude else []
    spared: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (spared if any(fnmatch(name, pattern) for pattern in patterns) else decayed).append(parameter)
    groups = ((spared, 0.0), (decayed, settings.weight_decay))
    return [{"params": parameters, "weight_decay": decay} for parameters, decay in groups if parameters]


def _timm_groups(model: nn.Module, settings: Training) -> list[dict[str, Any]]:
    """timm's groups, with what ``training.weight_decay_exclude`` names in the place of what it spares by itself."""
    from timm import optim

    exclude = settings.weight_decay_exclude
    told: Collection[str] = (
        getattr(model, "no_weight_decay", set)() if exclude is True else exclude or ()
    )  # such as tokens
    own: dict[str, Any] = {
        "weight_decay": settings.weight_decay,
        "no_weight_decay_list": told,
        "weight_decay_exclude_1d": exclude is True,
    }
    groups: list[dict[str, Any]] = (
        optim.param_groups_weight_decay(model, **own)  # type: ignore[attr-defined]
        if settings.layer_decay is None
        else optim.param_groups_layer_decay(  # type: ignore[attr-defined]
            model, layer_decay=settings.layer_decay, **own
        )
    )
    return groups


def state(optimizer: torch.optim.Optimizer) -> tuple[Tensors, dict[str, float]]:
    """What the next step depends on: tensors and numbers, by name."""
    tensors: Tensors = {}
    numbers: dict[str, float] = {}
    held = optimizer.state_dict()
    named = {f"{index}.{name}": value for index, slots in held["state"].items() for name, value in slots.items()}
    # Some of timm's count the steps of a group.
    named |= {f"group-{index}.step": g["step"] for index, g in enumerate(held["param_groups"]) if "step" in g}
    for name, value in named.items():
        if isinstance(value, torch.Tensor):
            tensors[name] = value.cpu().numpy().copy()
        elif value is not None:
            numbers[name] = value
    return tensors, numbers


def load(optimizer: torch.optim.Optimizer, tensors: Tensors, numbers: dict[str, float]) -> None:
    """Go on from a saved state."""
    held = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    slots: dict[int, dict[str, Any]] = {}
    saved: dict[str, Any] = {**numbers, **{name: torch.from_numpy(array) for name, array in tensors.items()}}
    for name, value in saved.items():
        index, _, slot = name.partition(".")
        if index.startswith("group-"):
            held["param_groups"][int(index.removeprefix("group-"))][slot] = value
            continue
        parameter = parameters[int(index)]
        if name in tensors and value.shape == parameter.shape:
            value = torch.empty_like(parameter).copy_(value)  # in the parameter's layout, which fused steps need
        slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict(held | {"state": slots})
