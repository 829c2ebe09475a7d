"""Keeps pruned weights zero in any training loop, by torch's parametrisation of the layers that have them.

Values are masked where they are read, so that no optimizer, loading or averaging of weights can bring them back. Names
of a ``state_dict`` are those of the plain network. Masks themselves belong to `tickets.masks`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from dilt.tickets.masks import Mask


class Live(nn.Module):
    """A weight with zeros where a mask prunes it; its gradient is zero there too.

    Args:
        live: boolean, of the weight's shape.
        names: of the layer's parameters, in their order before any was parametrised.
    """

    def __init__(self, live: Tensor, names: list[str]) -> None:
        super().__init__()
        self.live = live  # no buffer: those are averaged, sent to other ranks before every step, and saved
        self.names = names

    def forward(self, weight: Tensor) -> Tensor:
        """The weight as the layer reads it."""
        return torch.where(self.live.to(weight.device), weight, 0)

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What is stored when someone assigns the layer another weight."""
        return self.forward(weight)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Live:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        # Layout and device as `fn` gives them, but the present values: `fn` may convert values or leave them unset.
        self.live = torch.empty_like(fn(self.live), dtype=torch.bool).copy_(self.live)
        return self


def keep_sparse(model: nn.Module, mask: Mask) -> None:
    """Set a model's pruned weights to zero, for good: whatever trains, loads or averages the model, they stay zero.

    Parameters stay the same objects, so an optimizer may be made before or after, and layers may be frozen. A
    ``state_dict`` has the names and shapes of the plain model, with zeros where the mask prunes, and a ``state_dict``
    of a plain model can be loaded. ``named_parameters`` has other names: ``parametrizations.weight.original`` for a
    layer's ``weight``. If another mask kept the model sparse before, this one does from now on.

    Raises:
        ValueError: the mask was made for another network.
    """
    make_plain(model)
    parameters = dict(model.named_parameters())
    require_fit(mask, {name: tuple(parameter.shape) for name, parameter in parameters.items()})
    if "timm.layers" in sys.modules:  # else the network has no layers of timm's
        from dilt.networks.standardised import keep_zeros

        keep_zeros(model)
    live = {id(parameters[name]): torch.from_numpy(mask[name].copy()) for name in mask.names}
    for layer in list(model.modules()):
        own = dict(layer.named_parameters(recurse=False))
        chosen = {name: live[id(parameter)] for name, parameter in own.items() if id(parameter) in live}
        for name, kept in chosen.items():
            laid_out = torch.empty_like(own[name], dtype=torch.bool).copy_(kept)
            parametrize.register_parametrization(layer, name, Live(laid_out, list(own)))
        if chosen:
            layer.register_state_dict_post_hook(_name_plainly)  # type: ignore[no-untyped-call]
            layer.register_load_state_dict_pre_hook(_take_plain_names)  # type: ignore[no-untyped-call]


def make_plain(model: nn.Module) -> None:
    """Make a model that `keep_sparse` changed a plain one: pruned weights are zero, but training may revive them."""
    for layer in list(model.modules()):
        found = dict(_parametrised(layer))
        if found:  # copies of a layer share one class of torch's, from which torch would remove the weight for all
            kind = type(layer)
            own_class = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
            layer.__class__ = type(kind.__name__, kind.__bases__, own_class)
        for name in found:
            parametrize.remove_parametrizations(layer, name, leave_parametrized=True)
        for live in list(found.values())[:1]:
            own = layer._parameters
            for name in [name for name in live.names if name in own]:
                own[name] = own.pop(name)
            for hooks, ours in (
                (layer._state_dict_hooks, _name_plainly),
                (layer._load_state_dict_pre_hooks, _take_plain_names),
            ):
                for key in [key for key, hook in hooks.items() if getattr(hook, "hook", hook) is ours]:
                    del hooks[key]


def require_fit(mask: Mask, shapes: dict[str, tuple[int, ...]]) -> None:
    """Make sure that a mask belongs to a network.

    Args:
        shapes: of the network's parameters.

    Raises:
        ValueError: the mask was made for another network.
    """
    for name, shape in mask.shapes.items():
        if shapes.get(name) != shape:
            found = f"{shapes[name]} in the model" if name in shapes else "not in the model"
            raise ValueError(
                f"mask '{mask.origin}' does not fit the model: '{name}' of {shape} is {found}; give the network that "
                "the mask was made for"
            )


def _parametrised(layer: nn.Module) -> Iterator[tuple[str, Live]]:
    """The weights of a layer itself that are kept sparse, by name."""
    if parametrize.is_parametrized(layer):
        lists: Any = layer.parametrizations
        for name, parametrisations in lists.items():
            yield from ((name, one) for one in parametrisations if isinstance(one, Live))


def _name_plainly(layer: nn.Module, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    """Give a layer's tensors the plain layer's names and order; no copies, since averages of weights write to them."""
    names: list[str] = []
    for name, live in _parametrised(layer):
        key = f"{prefix}parametrizations.{name}.original"
        if key in state:
            names = live.names
            tensor = state[f"{prefix}{name}"] = state.pop(key)
            with torch.no_grad():  # optimizers that mix weights, such as Muon, write where there is no gradient
                tensor.masked_fill_(~live.live.to(tensor.device) & (tensor != 0), 0)
    for key in [f"{prefix}{name}" for name in names if f"{prefix}{name}" in state]:
        state[key] = state.pop(key)


def _take_plain_names(layer: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Let a layer load tensors with a plain layer's names."""
    for name, _live in _parametrised(layer):
        if f"{prefix}{name}" in state:
            state[f"{prefix}parametrizations.{name}.original"] = state.pop(f"{prefix}{name}")
