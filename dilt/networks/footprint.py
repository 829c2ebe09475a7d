"""The memory that a network takes, for its parameters and for the activations of an image, found without running it.

`configuration.job_memory` predicts from it what jobs need. Finding out takes seconds (timm is imported), so the answer
is kept in the user's cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dilt.jobs import cache
from dilt.settings.networks import MLP_DEFAULTS, Model

NUMBER = 4  # bytes of a float32


@dataclass(frozen=True)
class Footprint:
    """Memory of a network and one image, in bytes of float32.

    Attributes:
        parameters: all weights.
        saved: activations that training keeps for the backward pass.
        largest: input and output of the module where they are largest, which is what evaluation needs at a time.
        features: what the head reads.
        layers: number of blocks that are observed if none are named (not bytes).
    """

    parameters: int
    saved: int
    largest: int
    features: int
    layers: int


def footprint(settings: Model, image_shape: Sequence[int], num_classes: int) -> Footprint:
    """The footprint of a model for images (channels, height, width).

    Raises:
        ValueError: the model cannot be built from its arguments.
    """
    if settings.name == "mlp":
        return _of_mlp(settings, image_shape, num_classes)
    asked = {"model": settings.model_dump(mode="json"), "image": list(image_shape), "classes": num_classes}
    return Footprint(**cache.kept(__name__, asked, lambda: asdict(measured(settings, image_shape, num_classes))))


def measured(settings: Model, image_shape: Sequence[int], num_classes: int) -> Footprint:
    """The footprint, measured while tensors that have shapes but no memory pass through the network."""
    import torch
    from torch import Tensor, nn

    from dilt.networks import architectures, building

    network = building.skeleton(settings, image_shape, num_classes)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    images = torch.empty(2, *image_shape, device="meta")  # batch norms need two to train
    own = {tensor.untyped_storage()._cdata for tensor in network.state_dict(keep_vars=True).values()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()._cdata
        if storage not in own:
            kept[storage] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network.train()(images)
    largest = 0

    def see(module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        nonlocal largest
        seen = [tensor.numel() for tensor in (*inputs, output) if isinstance(tensor, Tensor)]
        largest = max(largest, sum(seen))

    for module in network.modules():
        if not any(True for _ in module.children()):
            module.register_forward_hook(see)
    with torch.no_grad():
        network.eval()(images)
    saved = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    features = NUMBER * int(network.head_hidden_size)  # type: ignore[arg-type]
    layers = len(architectures.blocks(network))
    return Footprint(NUMBER * parameters, saved // len(images), NUMBER * largest // len(images), features, layers)


def _of_mlp(settings: Model, image_shape: Sequence[int], num_classes: int) -> Footprint:
    """The perceptron's, without importing torch: inputs and outputs of linear layers and of what is between them."""
    arguments = MLP_DEFAULTS | settings.arguments
    width, depth = int(arguments["width"]), int(arguments["depth"])
    pixels = math.prod(image_shape)
    parameters = (pixels + (depth - 1) * width + 3 * depth) * width + (width + 1) * num_classes
    saved, largest = pixels + 3 * depth * width, max(pixels + width, 2 * width)
    return Footprint(NUMBER * parameters, NUMBER * saved, NUMBER * largest, NUMBER * width, depth)
