"""The tensors of a network: taken out, put in, and pruned by a mask.

Building networks belongs to `building`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dilt.foundations.storage import Tensors
from dilt.tickets.masks import Mask

if TYPE_CHECKING:
    from torch import nn


def backbone(model: nn.Module) -> Tensors:
    """Every tensor of the model but its head, batch-norm statistics included, as arrays."""
    from dilt.networks.architectures import heads

    head = heads(model)
    return {name: array for name, array in state(model).items() if not name.startswith(head)}


def state(model: nn.Module) -> Tensors:
    """Every tensor of the model as an array."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}


def load_backbone(model: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Copy theta0 into the model, leaving the head; raises ValueError when names or shapes differ."""
    _load(model, {name: tensors[name] for name in _backbone_names(model, tensors)}, strict=False)


def load_state(model: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Copy every tensor, the head's included; raises ValueError when those of the backbone differ in name or shape."""
    _backbone_names(model, tensors)
    _load(model, tensors, strict=True)


def _backbone_names(model: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> list[str]:
    from dilt.networks.architectures import heads

    head = heads(model)
    expected = {name: tuple(t.shape) for name, t in model.state_dict().items() if not name.startswith(head)}
    given = {name: array.shape for name, array in tensors.items() if not name.startswith(head)}
    if given != expected:
        odd = sorted(set(given.items()) ^ set(expected.items()))[0][0]
        raise ValueError(f"weights do not fit the model: '{odd}' differs in name or shape; was the model changed?")
    return list(given)


def _load(model: nn.Module, tensors: Mapping[str, NDArray[Any]], strict: bool) -> None:
    import torch

    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in tensors.items()}, strict=strict)


def apply_mask(model: nn.Module, mask: Mask) -> None:
    """Set the model's pruned weights to zero, once; convolutions that standardise weights will keep these zeros.

    Raises:
        ValueError: the mask was made for another network.
    """
    import torch

    tensors = dict(model.named_parameters())
    for name in mask.names:
        if name not in tensors or tuple(tensors[name].shape) != mask[name].shape:
            raise ValueError(f"mask '{mask.origin}' does not fit the model: '{name}' differs in name or shape")
    if "timm.layers" in sys.modules:  # else the network has no layers of timm's
        from dilt.networks.standardised import keep_zeros

        keep_zeros(model)
    with torch.no_grad():
        for name in mask.names:
            tensors[name].mul_(torch.from_numpy(mask[name].copy()).to(tensors[name].device))
