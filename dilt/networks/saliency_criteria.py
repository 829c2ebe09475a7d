"""Saliencies of weights at initialisation, without training: SNIP, GraSP and SynFlow.

Larger is kept: `pruning.prune_to_count` of a criterion's saliencies gives its ticket of any number of weights. Reading
and writing files belongs to the stage `score`.

Norms that are zero throughout, as timm initialises the last of a residual block, count as ones: with zeros nothing
flows through the block, and every criterion would prune all of it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from dilt.tickets.pruning import Saliencies

BATCH = 64  # images at a time; gradients are means over all
TEMPERATURE = 200.0  # that GraSP divides logits by, as in the authors' code
SHARE = 0.05  # of the weights left that SynFlow removes in an iteration
Weights = Mapping[str, nn.Parameter]


def snip(model: nn.Module, names: Sequence[str], images: Tensor, labels: Tensor) -> Saliencies:
    """|w dL/dw|, as a share of the sum over all weights (Lee et al. 2019, arXiv 1810.02340, equation 6).

    Args:
        model: at initialisation; stays as it is.
        names: weights to score.
        images: normalised, (num_images, channels, height, width), in random order.
        labels: (num_images,).
    """
    network = _prepared(model).train()
    weights = _weights(network, names)
    gradients = _gradients(network, weights, images, labels, 1.0)
    scores = {name: (weight.detach() * gradients[name]).abs() for name, weight in weights.items()}
    total = sum(float(score.sum(dtype=torch.float64)) for score in scores.values())
    _require_signal(total, "SNIP")
    return {name: (score / total).cpu().numpy().astype(np.float32) for name, score in scores.items()}


def grasp(model: nn.Module, names: Sequence[str], images: Tensor, labels: Tensor) -> Saliencies:
    """Ranks by w Hg, how much the flow of gradients falls if a weight is removed (Wang et al. 2020, arXiv 2002.07376).

    g is the gradient of the loss with respect to the weights scored, and Hg the gradient of half its squared norm. The
    paper removes the weights whose -w Hg (equation 8) is largest. As in the authors' code the logits are divided by a
    temperature of 200. Scores can be negative, so their ranks are given. Arguments as of `snip`.
    """
    network = _prepared(model).train()
    weights = _weights(network, names)
    scores = grasp_scores(network, weights, images, labels)
    _require_signal(sum(float(score.abs().sum()) for score in scores.values()), "GraSP")
    return _as_ranks({name: score.cpu().numpy() for name, score in scores.items()})


def grasp_scores(network: nn.Module, weights: Weights, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """w Hg of every weight, of a network in training mode."""
    flow = _gradients(network, weights, images, labels, TEMPERATURE)
    products = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    # Fused attention has no second derivatives.
    with sdpa_kernel(SDPBackend.MATH):
        for share, batch, targets in _batches(images, labels):
            loss = share * functional.cross_entropy(network(batch) / TEMPERATURE, targets)
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True, allow_unused=True)
            named = {name: found for name, found in zip(weights, gradients, strict=True) if found is not None}
            product = sum((found * flow[name]).sum() for name, found in named.items())
            assert isinstance(product, Tensor)
            second = torch.autograd.grad(product, list(weights.values()), allow_unused=True)
            for name, found in zip(weights, second, strict=True):
                if found is not None:
                    products[name] += found
    return {name: (weight * products[name]).detach() for name, weight in weights.items()}


def synflow(model: nn.Module, names: Sequence[str], image_shape: Sequence[int]) -> Saliencies:
    """The order in which SynFlow removes weights, as ranks (Tanaka et al. 2020, arXiv 2006.05467).

    Scores are |w dR/dw|, R the sum of the outputs of the `linearised` network for an image of ones. They are found
    without data, in double precision, and anew each time after 5 % of the weights left are removed, until none is left.
    The paper takes 100 iterations, of the share that leads to one density; here the share is fixed and the order is
    kept, so that one run serves every number of weights. Of 10^7 weights it takes 287 iterations. Ranks follow the
    iteration in which a weight is removed, then its score there.

    Args:
        model: at initialisation; stays as it is.
        names: weights to score.
        image_shape: (channels, height, width).
    """
    network = linearised(model)
    weights = _weights(network, names)
    ones = torch.ones(1, *image_shape, dtype=torch.float64, device=next(network.parameters()).device)
    sizes = [weight.numel() for weight in weights.values()]
    left = np.arange(sum(sizes))
    order: list[NDArray[np.int64]] = []
    while len(left):
        flat = torch.cat([score.ravel() for score in flow_scores(network, weights, ones).values()]).cpu().numpy()
        if not order:
            _require_signal(float(flat.sum()), "SynFlow")
        smallest = np.argsort(flat[left], kind="stable")[: max(1, int(SHARE * len(left)))]
        order.append(left[smallest])
        _set_to_zero(weights, order[-1])
        left = np.delete(left, smallest)
    ranks = np.empty(sum(sizes), dtype=np.float32)
    ranks[np.concatenate(order)] = np.arange(len(ranks))
    return _by_layer(ranks, weights)


def flow_scores(network: nn.Module, weights: Weights, ones: Tensor) -> dict[str, Tensor]:
    """|w dR/dw| of every weight, R the sum of a `linearised` network's outputs.

    Only softmax, in attention, makes some of the products negative.
    """
    with sdpa_kernel(SDPBackend.MATH):
        gradients = torch.autograd.grad(network(ones).sum(), list(weights.values()), allow_unused=True)
    return {
        name: torch.zeros_like(weight) if found is None else (weight * found).abs().detach()
        for (name, weight), found in zip(weights.items(), gradients, strict=True)
    }


def linearised(model: nn.Module) -> nn.Module:
    """A copy with all parameters in absolute value and no biases, in double precision and evaluation mode.

    Without biases the scores of each layer add up to the same sum, on which it rests that no layer is pruned wholly
    before it has to be (theorems 2 and 3); with them, layers whose weights are gone would still pass something on.
    Batch norms divide by their running deviations, but subtract no means. Norms that measure each image (layer and
    group norm) only multiply by their weights: made of one image of ones, their statistics would make the scores of all
    layers before them cancel out. The scores of convolutions that standardise their weights (`standardised`) do cancel
    out in part, and say little.
    """
    network = _prepared(model).double().eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.mul_(0 if name.rpartition(".")[2] == "bias" else parameter.sign())
    for module in network.modules():
        running = getattr(module, "running_mean", None)
        if isinstance(running, Tensor):
            running.zero_()
        elif "norm" in type(module).__name__.lower() and hasattr(module, "weight"):
            module.forward = _Affine(module)
    return network


class _Affine:
    """What a norm does besides normalising, in place of its ``forward``; timm's norms may have an activation too."""

    def __init__(self, norm: nn.Module) -> None:
        self._norm = norm
        # Features are last, but in group norms and where a name says that a norm is for images (timm's LayerNorm2d).
        self._last = not (isinstance(norm, nn.GroupNorm) or type(norm).__name__.endswith("2d"))

    def __call__(self, inputs: Tensor) -> Tensor:
        weight, activation = (getattr(self._norm, name, None) for name in ("weight", "act"))
        outputs = inputs
        if weight is not None:
            outputs = inputs * (weight if self._last else weight.view(-1, *[1] * (inputs.ndim - 2)))
        return outputs if activation is None else activation(outputs)


OF_IMAGES: dict[str, Callable[[nn.Module, Sequence[str], Tensor, Tensor], Saliencies]] = {"snip": snip, "grasp": grasp}
OF_NO_IMAGES: dict[str, Callable[[nn.Module, Sequence[str], Sequence[int]], Saliencies]] = {"synflow": synflow}


def _prepared(model: nn.Module) -> nn.Module:
    """A copy whose norms that are zero throughout are ones."""
    network = copy.deepcopy(model)
    for module in network.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and "norm" in type(module).__name__.lower() and not weight.any():
            with torch.no_grad():
                weight.fill_(1)
    return network


def _weights(network: nn.Module, names: Sequence[str]) -> dict[str, nn.Parameter]:
    return {name: network.get_parameter(name) for name in names}


def _batches(images: Tensor, labels: Tensor) -> Iterator[tuple[float, Tensor, Tensor]]:
    """Batches of sizes as equal as can be, each with its share of all images."""
    number = math.ceil(len(images) / BATCH)
    for batch, targets in zip(images.tensor_split(number), labels.tensor_split(number), strict=True):
        yield len(batch) / len(images), batch, targets


def _gradients(
    network: nn.Module, weights: Weights, images: Tensor, labels: Tensor, temperature: float
) -> dict[str, Tensor]:
    """The gradient of the mean cross-entropy over all images."""
    found = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for share, batch, targets in _batches(images, labels):
        loss = share * functional.cross_entropy(network(batch) / temperature, targets)
        gradients = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
        for name, gradient in zip(weights, gradients, strict=True):
            if gradient is not None:
                found[name] += gradient
    return found


@torch.no_grad()
def _set_to_zero(weights: Weights, removed: NDArray[np.int64]) -> None:
    """Set weights to zero, by their places in the vector of all layers."""
    ends = np.cumsum([weight.numel() for weight in weights.values()])
    by_layer = np.split(np.sort(removed), np.searchsorted(np.sort(removed), ends[:-1]))
    for weight, places, end in zip(weights.values(), by_layer, ends, strict=True):
        inside = torch.from_numpy(places - (int(end) - weight.numel())).to(weight.device)
        weight.view(-1).index_fill_(0, inside, 0)


def _as_ranks(scores: Mapping[str, NDArray[np.floating]]) -> Saliencies:
    """Ranks over all layers, 0 for the smallest score; of equal scores, the first has the largest rank.

    They are float32, which tells ranks up to 2^24 apart: beyond, a few neighbours in rank can tie.
    """
    flat = np.concatenate([score.ravel() for score in scores.values()])
    ranks = np.empty(len(flat), dtype=np.float32)
    ranks[np.argsort(-flat, kind="stable")[::-1]] = np.arange(len(flat))
    return _by_layer(ranks, scores)


def _by_layer(flat: NDArray[np.float32], layers: Mapping[str, Tensor | NDArray[np.floating]]) -> Saliencies:
    """A vector of all layers, cut into arrays of the layers' shapes."""
    shapes = {name: tuple(layer.shape) for name, layer in layers.items()}
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    pieces = np.split(flat, ends[:-1])
    return {name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)}


def _require_signal(total: float, criterion: str) -> None:
    if not (math.isfinite(total) and total > 0):
        raise ValueError(
            f"{criterion} cannot rank the weights of this network: their scores add up to {total}; leave tickets of "
            f"{criterion.lower()} out of tickets.names, or choose another model"
        )
