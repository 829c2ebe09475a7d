"""Reference networks that tickets' layers are compared with: the dense network before and after training.

They are no tickets: they have no mask, and no claim is about them. Representing them is left to `represent`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dilt.foundations.randomness import derive_seed

if TYPE_CHECKING:
    from torch import nn

UNTRAINED, TRAINED = "untrained", "trained-"  # the second with a partition's name
SPREAD = 0.1  # standard deviation of the weights of norms that were zero, around 1


def reference_names(partitions: Sequence[str]) -> list[str]:
    """The network at theta0, and every partition's after its first training, which is dense."""
    return [UNTRAINED, *(f"{TRAINED}{partition}" for partition in partitions)]


def perturb_zero_norms(model: nn.Module, seed: int) -> list[str]:
    """Give weights around 1 to norms that are zero throughout, as timm initialises the last of a residual block.

    Such a block is exactly the identity, so that successive layers are equal; an untrained network would have modules
    for this reason alone.

    Returns:
        Names of the norms.
    """
    import torch

    changed = []
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and "norm" in type(module).__name__.lower() and not weight.any():
            draws = torch.Generator().manual_seed(derive_seed(seed, "untrained", name))
            with torch.no_grad():
                weight.copy_(1 + SPREAD * torch.randn(weight.shape, generator=draws))
            changed.append(name)
    return changed
