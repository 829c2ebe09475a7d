"""What follows from a network's structure: its head, the weights to prune, the blocks to observe, its stem.

Also defines the perceptron of the default experiment. Building networks belongs to `building`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from torch import Tensor, nn

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED, nn.Linear)
PRUNABLE = "prunable"


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
        self.num_features = self.head_hidden_size = width

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """How timm tells the layers of its networks, for layer-wise learning rates."""
        return {"blocks": r"^blocks\.(\d+)"}

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


def heads(model: nn.Module) -> tuple[str, ...]:
    """Prefixes of the names of the classifier head's tensors, such as ``fc.``; distilled models have two heads.

    They come from timm's ``pretrained_cfg['classifier']`` and ``get_classifier()``: only the former has auxiliary
    heads, only the latter has the whole of heads that normalise or have a hidden layer.
    """
    named = model.pretrained_cfg.get("classifier") or ()  # type: ignore[operator, union-attr]
    names = {named} if isinstance(named, str) else set(named)
    given = model.get_classifier() if hasattr(model, "get_classifier") else ()  # type: ignore[operator]
    found = {id(given)} if isinstance(given, nn.Module) else {id(classifier) for classifier in given}
    names |= {name for name, module in model.named_modules() if id(module) in found}
    return tuple(f"{name}." for name in sorted(names))


def classifiers(model: nn.Module, shape: tuple[int, ...]) -> list[nn.Linear | nn.Conv2d]:
    """The linear layers of the head whose weights have a shape (num_classes, num_features); or 1 x 1 convolutions."""
    head = heads(model)
    return [
        module
        for name, module in model.named_modules()
        if f"{name}.".startswith(head)
        and isinstance(module, nn.Linear | nn.Conv2d)
        and tuple(module.weight.shape) in (tuple(shape), (*shape, 1, 1))
    ]


def prunable(model: nn.Module, exclude: Sequence[str] = (), group: int = 1) -> dict[str, nn.Parameter]:
    """Conv and Linear weights of the backbone by name, but those that a pattern of ``exclude`` matches.

    Args:
        group: the M of an N:M pattern, which only weights can have whose inputs are whole groups of so many.

    Raises:
        ValueError: nothing is left to prune.
    """
    told = roles(model, exclude, group)
    found = {name: parameter for name, parameter in model.named_parameters() if told[name] == PRUNABLE}
    if not found and PRUNABLE in roles(model, exclude).values():
        raise ValueError(
            f"pruning.pattern: no weight of the model has inputs in whole groups of {group}; choose smaller groups, or "
            "another model"
        )
    if not found and exclude:
        raise ValueError(f"pruning.exclude: {list(exclude)} leaves no weight of the model to prune; exclude fewer")
    if not found:
        raise ValueError("model.name: no Conv or Linear weight to prune besides the head; choose another model")
    return found


def keeps_zeros(module: nn.Module) -> bool:
    """Whether a module transforms its weight before it convolves, but leaves zeros of it zero (`standardised`)."""
    return any(kind.__name__ == "KeepsZeros" for kind in type(module).__mro__)


def roles(model: nn.Module, exclude: Sequence[str] = (), group: int = 1) -> dict[str, str]:
    """Every parameter by name: ``prunable``, or why it is not.

    A parameter that modules share is listed once, under its first name. Grouped, depthwise and squeeze-excite
    convolutions are prunable like any other. Where inputs have to be in groups, a convolution of three channels is not,
    nor a depthwise one, whose outputs read one channel each, nor a transposed one.
    """
    head = heads(model)
    told: dict[str, str] = {}
    for name, parameter in model.named_parameters():
        owner, _, own = name.rpartition(".")
        module = model.get_submodule(owner)
        if name.startswith(head):
            told[name] = "head"
        elif isinstance(module, WEIGHTED) and own == "weight":
            pattern = next((pattern for pattern in exclude if fnmatch(name, pattern)), None)
            told[name] = PRUNABLE if pattern is None else f"excluded by '{pattern}'"
            if pattern is None and group > 1 and (isinstance(module, TRANSPOSED) or parameter.shape[1] % group):
                told[name] = f"inputs not in groups of {group}"
        elif isinstance(module, WEIGHTED) and own == "bias":
            told[name] = "bias"
        elif "norm" in type(module).__name__.lower():
            told[name] = "normalisation"
        else:
            told[name] = "neither Conv nor Linear"  # tokens, positions, layer scales, recurrent weights
    return told


def blocks(model: nn.Module, names: Sequence[str] | None = None) -> dict[str, nn.Module]:
    """The blocks whose outputs are representations, in depth order.

    They are what timm groups parameters into (``group_matcher``): residual, transformer or inverted residual blocks.
    Where timm has no groups, they are the composite members of sequences with no smaller such member inside; where
    there are no sequences, the model's own parts. A block has weights to prune and no part of the head.

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
    weights = [name for name, role in roles(model).items() if role == PRUNABLE]
    head = heads(model)
    candidates = {
        name: module
        for name, module in modules.items()
        if name
        and any(weight.startswith(f"{name}.") for weight in weights)
        and not any(part.startswith(f"{name}.") or f"{name}.".startswith(part) for part in head)
    }
    return _grouped(model, candidates) or _members(candidates, modules) or _children(candidates)


def _grouped(model: nn.Module, candidates: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Modules that timm numbers as blocks; a stage that it numbers as a whole is replaced by its ``blocks``."""
    matcher = getattr(model, "group_matcher", lambda coarse: None)(coarse=False)
    told = matcher.get("blocks", []) if isinstance(matcher, dict) else []
    if not isinstance(told, str | list | tuple):
        return {}
    # A pattern with a suffix puts what it matches, such as a downsampling, into the group of another.
    patterns = [told] if isinstance(told, str) else [pattern for pattern, suffix in told if suffix is None]
    numbered = [re.compile(pattern) for pattern in patterns if re.compile(pattern).groups]
    found = {name for name in candidates if any(pattern.fullmatch(name) for pattern in numbered)}
    inner = {name: [other for other in candidates if re.fullmatch(rf"{name}\.blocks\.\w+", other)] for name in found}
    chosen = {part for name in found for part in inner[name] or [name]}
    return {name: module for name, module in candidates.items() if name in chosen}


def _members(candidates: Mapping[str, nn.Module], modules: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    composite = {
        name: module
        for name, module in candidates.items()
        if isinstance(modules[name.rpartition(".")[0]], nn.Sequential | nn.ModuleList)
        and any(True for _ in module.children())
    }
    return {
        name: module
        for name, module in composite.items()
        if not any(other.startswith(f"{name}.") for other in composite)
    }


def _children(candidates: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: module for name, module in candidates.items() if "." not in name}


def use_cifar_stem(model: nn.Module, name: str) -> list[str]:
    """Give a model made for ImageNet the stem that is usual for small images, which keeps their resolution.

    For ResNets a 3 x 3 convolution of stride 1 without pooling (He et al. 2016, section 4.2); for EfficientNets and
    MobileNets, whose stem is one 3 x 3 convolution, a stride of 1. New weights are drawn as timm's ResNets draw them.

    Returns:
        Names of the weights that were drawn anew.

    Raises:
        ValueError: the model has no such stem.
    """
    outer = "conv1" if hasattr(model, "maxpool") else "conv_stem"
    stem = getattr(model, outer, None)
    inside = stem.named_modules(prefix=outer) if stem is not None else ()
    path, convolution = next(((path, part) for path, part in inside if isinstance(part, nn.Conv2d)), ("", None))
    if convolution is None:
        raise ValueError(f"model.stem: {name} has no cifar stem; {_instead(model)}")
    if outer == "conv1":
        model.maxpool = nn.Identity()
    if convolution.kernel_size[0] <= 3:
        convolution.stride = (1, 1)
        return []
    channels = convolution.in_channels, convolution.out_channels
    small = nn.Conv2d(*channels, kernel_size=3, padding=1, bias=False, device=convolution.weight.device)
    nn.init.kaiming_normal_(small.weight, mode="fan_out", nonlinearity="relu")
    model.set_submodule(path, small)
    return [f"{path}.weight"]


def _instead(model: nn.Module) -> str:
    if hasattr(model, "patch_embed"):
        return "remove it and give model.arguments a size of image and patch, such as {img_size: 32, patch_size: 4}"
    first = next((part for part in model.modules() if isinstance(part, nn.Conv2d)), None)
    if first is not None and first.kernel_size == first.stride and first.stride[0] > 1:
        return "remove it and give model.arguments a smaller patch, such as {patch_size: 1}"
    return "remove it, or choose a ResNet, EfficientNet or MobileNet"
