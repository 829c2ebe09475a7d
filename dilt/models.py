"""Networks: built by name, with heads drawn from the seed, and what of them can be pruned and observed.

Models are timm's, plus one small perceptron for the embedded default, which spares its jobs timm's import.
Everything here follows from a model's structure; which names exist is told by `catalog` without building any.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dilt.catalog import MLP_DEFAULTS
from dilt.mask_storage import read_mask
from dilt.masks import Mask
from dilt.randomness import derive_seed
from dilt.settings import Model
from dilt.storage import Tensors, read_tensors

PRUNABLE = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


class MLP(nn.Module):
    """A deep, narrow perceptron with layer normalisation, with timm's interface.

    Args:
        num_inputs: channels x height x width of an image.
        num_classes: outputs of the head.
        width: features of each hidden block.
        depth: number of hidden blocks.
    """

    pretrained_cfg: Mapping[str, Any] = {"classifier": "head"}

    def __init__(self, num_inputs: int, num_classes: int, width: int, depth: int) -> None:
        super().__init__()
        sizes = [num_inputs] + [width] * (depth - 1)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(
                    OrderedDict(linear=nn.Linear(size, width), norm=nn.LayerNorm(width), activation=nn.ReLU())
                )
                for size in sizes
            )
        )
        self.head = nn.Linear(width, num_classes)

    def forward_features(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to features (batch, width)."""
        features: Tensor = self.blocks(images.flatten(1))
        return features

    def forward_head(self, features: Tensor, pre_logits: bool = False) -> Tensor:
        """Features to logits (batch, num_classes), or to what the head reads."""
        return features if pre_logits else self.head(features)

    def forward(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to logits (batch, num_classes)."""
        return self.forward_head(self.forward_features(images))


def build(
    settings: Model,
    image_shape: Sequence[int],
    classes: Sequence[str],
    seed: int,
    theta0: Mapping[str, NDArray[Any]] | None = None,
) -> nn.Module:
    """A network with a head for ``classes``, its backbone from ``theta0`` or drawn from the seed.

    The head's weights follow from the seed and its classes alone. Pretrained weights are loaded only when there is
    no ``theta0`` yet (``model.arguments: {pretrained: true}``).

    Args:
        image_shape: (channels, height, width).
        theta0: backbone tensors as `backbone` gives them.

    Raises:
        ValueError: the model cannot be built from its arguments, or theta0 belongs to another network.
    """
    torch.manual_seed(derive_seed(seed, "head", *classes) if theta0 is not None else derive_seed(seed, "theta0"))
    model = _create(settings, image_shape, len(classes), pretrained=theta0 is None)
    if theta0 is not None:
        load_backbone(model, theta0)
    return model


def _create(settings: Model, image_shape: Sequence[int], num_classes: int, pretrained: bool) -> nn.Module:
    channels, height, width = image_shape
    if settings.name == "mlp":
        return MLP(channels * height * width, num_classes, **(MLP_DEFAULTS | settings.arguments))
    import timm

    arguments = {"in_chans": channels, **settings.arguments}
    arguments["pretrained"] = pretrained and bool(arguments.get("pretrained", False))
    try:
        model: nn.Module = timm.create_model(settings.name, num_classes=num_classes, **arguments)
    except (TypeError, RuntimeError, AssertionError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"model.arguments: {settings.name} cannot be built from {arguments} ({reason}); correct the arguments"
        ) from error
    return model


def check_images(model: nn.Module, image_shape: Sequence[int]) -> None:
    """Put one blank image through the model.

    Raises:
        ValueError: the model is made for images of another size.
    """
    training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *image_shape))
    except (RuntimeError, AssertionError) as error:
        shape, reason = " x ".join(map(str, image_shape)), " ".join(str(error).split())
        raise ValueError(
            f"image_size: the model takes no images of {shape} ({reason}); change it or model.arguments"
        ) from error
    finally:
        model.train(training)


def is_head(model: nn.Module, name: str) -> bool:
    """Whether a tensor belongs to the classifier head (timm's ``pretrained_cfg['classifier']``)."""
    classifier = model.pretrained_cfg["classifier"]  # type: ignore[index]
    heads = [classifier] if isinstance(classifier, str) else list(classifier or [])
    return any(name.startswith(f"{head}.") for head in heads)


def backbone(model: nn.Module) -> Tensors:
    """Every tensor of the model but its head, batch-norm statistics included, as arrays."""
    return {name: array for name, array in state(model).items() if not is_head(model, name)}


def state(model: nn.Module) -> Tensors:
    """Every tensor of the model as an array."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}


def load_backbone(model: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Copy theta0 into the model, leaving the head; raises ValueError when names or shapes differ."""
    expected = {name: tuple(t.shape) for name, t in model.state_dict().items() if not is_head(model, name)}
    given = {name: array.shape for name, array in tensors.items() if not is_head(model, name)}
    if given != expected:
        odd = sorted(set(given.items()) ^ set(expected.items()))[0][0]
        raise ValueError(f"weights do not fit the model: '{odd}' differs in name or shape; was the model changed?")
    model.load_state_dict({name: torch.from_numpy(tensors[name].copy()) for name in given}, strict=False)


def load_state(model: nn.Module, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Copy every tensor, the head's included."""
    load_backbone(model, tensors)
    model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in tensors.items()})


def prunable(model: nn.Module, exclude: Sequence[str] = ()) -> dict[str, nn.Parameter]:
    """Conv and Linear weights of the backbone by name, but those that a pattern of ``exclude`` matches.

    Raises:
        ValueError: nothing is left to prune.
    """
    found: dict[str, nn.Parameter] = {}
    for module_name, module in model.named_modules():
        name = f"{module_name}.weight"
        if isinstance(module, PRUNABLE) and not is_head(model, name) and not any(fnmatch(name, p) for p in exclude):
            found[name] = module.get_parameter("weight")
    if not found and exclude:
        raise ValueError(f"pruning.exclude: {list(exclude)} leaves no weight of the model to prune; exclude fewer")
    if not found:
        raise ValueError("model.name: no Conv or Linear weight to prune besides the head; choose another model")
    return found


def blocks(model: nn.Module, names: Sequence[str] | None = None) -> dict[str, nn.Module]:
    """The blocks whose outputs are representations, in depth order.

    A block is a composite member of a sequence (timm's stages and blocks) with weights to prune and no smaller such
    block inside.

    Args:
        names: modules to take instead, by name.

    Raises:
        ValueError: a name is not a module of the model.
    """
    modules = dict(model.named_modules())
    if names is not None:
        for name in names:
            if name not in modules:
                raise ValueError(
                    f"representations.layers: the model has no block '{name}'; it has {list(blocks(model))}"
                )
        return {name: modules[name] for name in names}
    members = {
        f"{parent}.{child}" if parent else child: module
        for parent, container in modules.items()
        if isinstance(container, nn.Sequential | nn.ModuleList)
        for child, module in container.named_children()
    }
    composite = {
        name: module
        for name, module in members.items()
        if any(True for _ in module.children()) and any(isinstance(part, PRUNABLE) for part in module.modules())
    }
    return {
        name: module
        for name, module in modules.items()
        if name in composite and not any(other.startswith(f"{name}.") for other in composite)
    }


def apply_mask(model: nn.Module, mask: Mask) -> None:
    """Set the model's pruned weights to zero, once.

    Raises:
        ValueError: the mask was made for another network.
    """
    tensors = dict(model.named_parameters())
    for name in mask.names:
        if name not in tensors or tuple(tensors[name].shape) != mask[name].shape:
            raise ValueError(f"mask '{mask.origin}' does not fit the model: '{name}' differs in name or shape")
    with torch.no_grad():
        for name in mask.names:
            tensors[name].mul_(torch.from_numpy(mask[name].copy()).to(tensors[name].device))


def load_ticket(model: nn.Module, theta0: Path | str, mask: Path | str) -> Mask:
    """Make a model a ticket: backbone weights from a ``theta0.safetensors``, pruned by a ``mask.safetensors``.

    Works with any timm model of the same architecture; its head is left as it is, whatever its classes.
    Returns the mask, so that training can keep applying it.
    """
    tensors, _ = read_tensors(Path(theta0))
    ticket = read_mask(Path(mask))
    load_backbone(model, tensors)
    apply_mask(model, ticket)
    return ticket
