"""Convolutions that standardise their weights, changed so that pruned weights stay zero.

Standardising subtracts a mean, so that a pruned weight would convolve as minus that mean over the deviation. Here a
weight that is exactly zero convolves as zero. Mean and deviation are taken over all weights of an output, pruned ones
included, as the network was made to do: live weights then have the variance of a dense layer's. Pruning ranks the
weights as they are trained, before they are standardised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from timm.layers.std_conv import ScaledStdConv2d, ScaledStdConv2dSame, StdConv2d, StdConv2dSame
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class _Masking(TorchFunctionMode):
    """Within the block, multiplies the weights that convolve by 1 where they are live and by 0 where they are not."""

    def __init__(self, live: Tensor) -> None:
        super().__init__()
        self._live = live

    def __torch_function__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is functional.conv2d:
            images, weight, *others = args
            args = (images, weight * self._live, *others)
        return func(*args, **(kwargs or {}))


class KeepsZeros(nn.Module):
    """A convolution in which zeros stay zeros."""

    weight: nn.Parameter

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width) convolved, as by the class that this is mixed into."""
        with _Masking(self.weight != 0):
            convolved: Tensor = super().forward(images)
        return convolved


class ZeroKeepingStdConv2d(KeepsZeros, StdConv2d):  # type: ignore[misc]
    """The convolution of BiT's ResNets (Qiao et al. 2019)."""


class ZeroKeepingStdConv2dSame(KeepsZeros, StdConv2dSame):  # type: ignore[misc]
    """The convolution of hybrid ViTs."""


class ZeroKeepingScaledStdConv2d(KeepsZeros, ScaledStdConv2d):  # type: ignore[misc]
    """The convolution of normaliser-free networks (Brock et al. 2021)."""


class ZeroKeepingScaledStdConv2dSame(KeepsZeros, ScaledStdConv2dSame):  # type: ignore[misc]
    """The convolution of normaliser-free networks, padded as in TensorFlow."""


KEEPING = {
    StdConv2d: ZeroKeepingStdConv2d,
    StdConv2dSame: ZeroKeepingStdConv2dSame,
    ScaledStdConv2d: ZeroKeepingScaledStdConv2d,
    ScaledStdConv2dSame: ZeroKeepingScaledStdConv2dSame,
}


def keep_zeros(model: nn.Module) -> bool:
    """Let the network's standardising convolutions keep zeros, in place; returns whether it has any."""
    for module in model.modules():
        if keeping := KEEPING.get(type(module)):
            module.__class__ = keeping
    return any(isinstance(module, KeepsZeros) for module in model.modules())
