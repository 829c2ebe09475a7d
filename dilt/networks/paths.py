"""Which live weights lie on a path from an input to an output of a network: the effective ones (arXiv 2107.02306).

One pass of Boolean reachability forward and one backward, by torch's own convolutions and products, so that whatever a
network does between its weights is followed. `tickets.overlap` tells how many there are.

What is computed is the network made positive:

- prunable weights are 1 where they live, else 0; all other weights, scales, tokens and position embeddings are 1;
  biases are left out: a unit that only its bias feeds is a constant, and weights that read it are on no path;
- activations and norms pass on what they get, each unit by itself; minus is plus. A layer norm's mean and variance
  connect no units here, though they do carry something: without any path, a network that has such norms may still tell
  inputs apart;
  maxima are means;
- softmax(x), sigmoid(x) and exp(x) are 1 + x: values flow whether or not queries and keys live, and what is gated
  flows whether or not the gate's weights live; these count where they live and meet something to weigh or gate;
- every module's output is 1 where it is positive, else 0; so are the gradients in the pass back.

Constants (tokens, positions, the 1 of a gate) take part in products, but are no input. Weights that transform nothing
else, such as the position bias MLPs of Swin V2, are on no path even in a dense network; neither are weights of a kernel
that only meets padding, as eight of nine do where feature maps have one pixel.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dilt.networks.architectures import WEIGHTED
from dilt.tickets.masks import BoolArray, Mask


class EffectiveWeights:
    """Finds the effective weights of masks of a network, which is copied and not changed; from any thread.

    Threads take turns where constants come by, else each has a copy of the network.

    Args:
        network: a network with memory for its tensors (not torch's meta device); its weights do not matter.
        image_shape: (channels, height, width).
    """

    def __init__(self, network: nn.Module, image_shape: Sequence[int]) -> None:
        self._create = partial(_PositiveNetwork, network, image_shape)
        first = self._create()
        self._shapes = first.shapes
        self._constants = first.has_constants()
        self._idle = [first]
        # Constants are told from what inputs bring by torch's forward derivatives, of which a process has one level.
        self._turn: AbstractContextManager[object] = Lock() if self._constants else nullcontext()

    def __call__(self, mask: Mask) -> Mask:
        """The mask's weights that are on a path; all other Conv and Linear weights of the network are dense.

        Raises:
            ValueError: the mask was made for another network.
        """
        for name, kept in mask.layers.items():
            if self._shapes.get(name) != kept.shape:
                raise ValueError(f"mask '{mask.origin}' does not fit the network: '{name}' differs in name or shape")
        with self._turn:
            try:
                network = self._idle.pop()
            except IndexError:
                network = self._create()
            reached = network.reached(mask, self._constants)
            self._idle.append(network)
        return Mask.of_own(reached, f"effective {mask.origin}")


class _PositiveNetwork:
    """A network made positive, for one mask at a time.

    Args:
        network: the network as it is, which is copied.
        image_shape: (channels, height, width).
    """

    def __init__(self, network: nn.Module, image_shape: Sequence[int]) -> None:
        self._network = copy.deepcopy(network).cpu().float().eval()
        self._parameters = dict(self._network.named_parameters())
        self._image = torch.ones(1, *image_shape)
        self._masked: set[str] = set()  # parameters that are those of the last mask
        for tensor in (*self._parameters.values(), *self._network.buffers()):
            if tensor.is_floating_point():
                tensor.requires_grad_(False).fill_(1)
        for module in self._network.modules():
            weighted = any(isinstance(part, WEIGHTED) for part in module.modules())
            if weighted:
                module.register_forward_hook(_saturate)
            elif "norm" in type(module).__name__.lower():
                module.forward = _same
            elif isinstance(module, nn.RNNBase):  # which torch gives no tangents; its weights are never pruned
                module.forward = partial(_remembered, module)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter."""
        return {name: tuple(parameter.shape) for name, parameter in self._parameters.items()}

    def has_constants(self) -> bool:
        """Whether anything reaches a convolution, a linear layer or the output that no image brings, in any mask.

        An image of zeros tells: masks let no more arrive than a dense network does.
        """
        arrived = []

        def noting(product: Callable[..., Tensor], values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            arrived.append(bool(values.any()))
            return _without_bias(product, values, *args, **kwargs)

        with torch.no_grad(), _Positive(noting):
            arrived.append(bool(self._network(torch.zeros_like(self._image)).any()))
        return any(arrived)

    def reached(self, mask: Mask, constants: bool) -> dict[str, BoolArray]:
        """The mask's weights that are on a path, by layer.

        Args:
            constants: whether there may be some, which are to be told from what inputs bring.
        """
        leaves = {name: self._parameters[name] for name in mask.names}
        with torch.no_grad():
            for name in self._masked - leaves.keys():
                self._parameters[name].fill_(1)
            for name, leaf in leaves.items():
                np.copyto(leaf.numpy(), mask[name])
        self._masked = set(leaves)
        try:
            gradients = self._gradients([leaf.requires_grad_() for leaf in leaves.values()], constants)
        finally:
            for leaf in leaves.values():
                leaf.requires_grad_(False)
        return {
            name: (gradient.numpy() > 0) & kept if gradient is not None else np.zeros_like(kept)
            for (name, kept), gradient in zip(mask.layers.items(), gradients, strict=True)
        }

    def _gradients(self, leaves: list[Tensor], constants: bool) -> Sequence[Tensor | None]:
        """For each weight the paths through it: what inputs bring to it, times what outputs read of it."""
        with torch.enable_grad():
            output = self._beside_constants() if constants else self._without_constants()
        if not output.requires_grad:
            return [None] * len(leaves)
        return torch.autograd.grad(output.sum(), leaves, allow_unused=True)

    def _without_constants(self) -> Tensor:
        """The output where all that arrives is from inputs."""
        with _Positive(_without_bias):
            output: Tensor = self._network(self._image)
        return output

    def _beside_constants(self) -> Tensor:
        """The output, in which gradients of weights count what inputs bring alone."""
        with _Positive(_product), forward_ad.dual_level():
            image = forward_ad.make_dual(self._image, self._image)  # type: ignore[no-untyped-call]
            output: Tensor = forward_ad.unpack_dual(self._network(image)).primal  # type: ignore[no-untyped-call]
        return output


class _Saturated(torch.autograd.Function):
    """1 where something arrives, else 0; for values, for what inputs bring (tangents), and for gradients."""

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return _arrived(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _arrived(gradients[0])

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        return _arrived(tangents[0])


def _arrived(values: Tensor) -> Tensor:
    return (values > 0).to(values.dtype)


def _saturate(module: nn.Module, inputs: Any, output: Any) -> Any:
    if isinstance(output, Tensor):
        return _Saturated.apply(output) if output.is_floating_point() else output
    if isinstance(output, list | tuple) and type(output) in (list, tuple):
        return type(output)(_saturate(module, inputs, one) for one in output)
    return output


class _Positive(TorchFunctionMode):
    """Within the block, functions are replaced by their positive counterparts.

    Args:
        product: what replaces convolutions and linear layers; called as they are, with the function first.
    """

    def __init__(self, product: Callable[..., Tensor]) -> None:
        super().__init__()
        self._product = product

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, others = getattr(func, "__name__", str(func)), dict(kwargs or {})
        if name not in FOLLOWED:
            return func(*args, **others)
        values, *rest = args or (others.pop("input"),)
        if name in PRODUCTS:
            return self._product(func, values, *rest, **others)
        floating = isinstance(values, Tensor) and values.is_floating_point()
        return REPLACED[name](values, *rest, **others) if floating else func(values, *rest, **others)


def _without_bias(
    func: Callable[..., Tensor], values: Tensor, weight: Tensor, bias: Any = None, *args: Any, **kwargs: Any
) -> Tensor:
    return func(values, weight, None, *args, **kwargs)


def _product(
    func: Callable[..., Tensor], values: Tensor, weight: Tensor, bias: Any = None, *args: Any, **kwargs: Any
) -> Tensor:
    """A convolution or linear layer without its bias; its weight's gradient counts what inputs bring, no constants."""
    brought = _tangent(values)
    if not weight.requires_grad or _tangent(weight) is not None:  # dense, or made of inputs
        return func(values, weight, None, *args, **kwargs)
    whole: Tensor = forward_ad.unpack_dual(values).primal  # type: ignore[no-untyped-call]
    if brought is not None and torch.equal(brought, whole):  # no constants came by
        return func(values, weight, None, *args, **kwargs)
    through = func(values, weight.detach(), None, *args, **kwargs)
    return through if brought is None else through + func(brought.detach(), weight, None, *args, **kwargs)


def _tangent(values: Tensor) -> Tensor | None:
    """What inputs bring; None where nothing comes from inputs."""
    tangent: Tensor | None = forward_ad.unpack_dual(values).tangent  # type: ignore[no-untyped-call]
    return tangent


def _same(values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return values


def _remembered(module: nn.RNNBase, values: Tensor) -> tuple[Tensor, None]:
    """A recurrent layer, whose outputs may depend on all of the sequence. No states are given."""
    sequence = (1 if module.batch_first else 0, 2)
    width = module.hidden_size * (2 if module.bidirectional else 1)
    return values.mean(sequence, keepdim=True).expand(*values.shape[:2], width), None


def _one_more(values: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    return values + 1


def _sum(values: Tensor, other: Any, *args: Any, **kwargs: Any) -> Tensor:
    total: Tensor = values + other
    return total


def _ratio(values: Tensor, other: Any, *args: Any, **kwargs: Any) -> Tensor:
    """A divisor weighs like a gate, and may be zero."""
    return values * (1 + other) if isinstance(other, Tensor) else values / other


def _attend(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Attention with softmax(x) as 1 + x; tensors (..., tokens, features)."""
    return (1 + query @ key.transpose(-2, -1)) @ value


def _padded(values: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Padded with zeros where it would be with another number, such as the -inf of a maximum."""
    return functional.pad(values, pad, mode)


def _mean_pool(pool: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Pooling by the mean, called as by the maximum."""

    def pooled(
        values: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Tensor:
        return pool(values, kernel_size, stride, padding, ceil_mode)

    return pooled


def _adaptive_mean_pool(pool: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Pooling to a size by the mean, called as by the maximum."""

    def pooled(values: Tensor, output_size: Any, return_indices: bool = False) -> Tensor:
        return pool(values, output_size)

    return pooled


PRODUCTS = {"linear", *(f"conv{kind}{axes}d" for kind in ("", "_transpose") for axes in (1, 2, 3))}
_PASSED = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "prelu", "rrelu", "gelu", "silu", "mish", "hardswish"),
    *("hardtanh", "tanh", "softplus", "softsign", "threshold", "clamp", "clip", "abs", "neg", "sqrt", "erf", "log"),
    *("layer_norm", "batch_norm", "group_norm", "instance_norm", "rms_norm", "local_response_norm", "normalize"),
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "masked_fill"),
)
_ADDED = ("softmax", "log_softmax", "sigmoid", "logsigmoid", "hardsigmoid", "exp", "rsqrt", "reciprocal")
# Functions by name to their positive counterparts; so are `x.relu_()` and `-x`.
REPLACED: Mapping[str, Callable[..., Tensor]] = {
    **{f"{name}{end}": _same for name in _PASSED for end in ("", "_")},
    **{f"{name}{end}": _one_more for name in _ADDED for end in ("", "_")},
    **dict.fromkeys(("__neg__", "negative"), _same),
    **dict.fromkeys(("sub", "sub_", "subtract", "rsub", "__sub__", "__isub__", "__rsub__", "maximum", "minimum"), _sum),
    **dict.fromkeys(("div", "div_", "divide", "true_divide", "__truediv__", "__itruediv__"), _ratio),
    **dict.fromkeys(("__rtruediv__", "__rdiv__"), _one_more),
    "scaled_dot_product_attention": _attend,
    "pad": _padded,
    "amax": torch.mean,
    "max_pool1d": _mean_pool(functional.avg_pool1d),
    "max_pool2d": _mean_pool(functional.avg_pool2d),
    "max_pool3d": _mean_pool(functional.avg_pool3d),
    "adaptive_max_pool1d": _adaptive_mean_pool(functional.adaptive_avg_pool1d),
    "adaptive_max_pool2d": _adaptive_mean_pool(functional.adaptive_avg_pool2d),
    "adaptive_max_pool3d": _adaptive_mean_pool(functional.adaptive_avg_pool3d),
}
FOLLOWED = PRODUCTS | REPLACED.keys()
