"""Builds the networks that experiments begin with: pretrained by timm, from a safetensors file, or not pretrained.

Timm loads and adapts the weights of a file, as it does those that it downloads; this module makes sure that they are
the model's, all of them and no head. Pickled files, which can run code, are refused by `configuration.checks`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dilt.foundations.randomness import derive_seed
from dilt.foundations.storage import Tensors
from dilt.networks import building
from dilt.networks.architectures import heads, prunable, use_cifar_stem
from dilt.networks.weight_files import FLOATING, INTEGER, SHARD, ForeignWeights, open_weights
from dilt.settings.networks import Model

# Floating-point tensors that follow from the architecture, as older versions of timm saved them; and tensors that only
# pretraining needs.
IGNORED = (
    "attn_mask",
    "relative_coords_table",
    "inv_freq",
    "mask_token",
    "num_batches_tracked",
    "relative_position_index",
)


@dataclass(frozen=True)
class PretrainedBackbone:
    """A file's tensors without its head's.

    Attributes:
        tensors: what timm loads while it creates the model.
        stem: what the model gets afterwards, when it has its cifar stem.
    """

    tensors: dict[str, Tensor]
    stem: dict[str, Tensor]

    @property
    def loading(self) -> dict[str, Any]:
        """Arguments of timm's ``create_model``. With ``num_classes`` 0 timm leaves any head as it was drawn."""
        overlay = {"state_dict": self.tensors, "num_classes": 0, "custom_load": False}
        return {"pretrained": True, "pretrained_cfg_overlay": overlay}

    def finish(self, model: nn.Module) -> None:
        """What remains to be done with the created model."""
        model.pretrained_cfg.pop("state_dict")  # type: ignore[operator, union-attr]  # it would be kept in memory
        model.load_state_dict(self.stem, strict=False)


def build(settings: Model, image_shape: Sequence[int], classes: Sequence[str], seed: int) -> nn.Module:
    """A network from which theta0 is taken: with timm's weights (``model.arguments: {pretrained: true}``), those of a
    file (``model.weights``) or weights drawn from the seed.

    A pretrained head is left out, and the stem too if ``model.stem`` gives it another shape: these are drawn.

    Args:
        image_shape: (channels, height, width).

    Raises:
        ValueError: the model cannot be built from its arguments, or the weights are another's or not finite.
    """
    if settings.name == "mlp" or not (settings.weights or settings.arguments.get("pretrained")):
        return building.build(settings, image_shape, classes, seed)
    torch.manual_seed(derive_seed(seed, "theta0"))
    if not settings.weights:
        model = building.create(settings, image_shape, len(classes), {"pretrained": True})
        _require_finite(model, settings)
        return model
    found = _read_for(settings, settings.weights, image_shape, len(classes))
    try:
        model = building.create(settings, image_shape, len(classes), found.loading)
    except ValueError as error:
        reason = textwrap.shorten(str(error.__cause__), 300)
        raise ValueError(
            f"model.weights: '{settings.weights}' does not fit {settings.name} ({reason}); choose the model that it "
            "was saved from"
        ) from error
    found.finish(model)
    return model


def _require_finite(model: nn.Module, settings: Model) -> None:
    """Make sure that what timm has downloaded can be trained."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(
                f"model.arguments.pretrained: '{name}' of {settings.name} has values NaN or infinite; delete timm's "
                "download, or choose other weights"
            )


def _read_for(settings: Model, weights: str, image_shape: Sequence[int], num_classes: int) -> PretrainedBackbone:
    empty = building.skeleton(settings.model_copy(update={"stem": "standard"}), image_shape, num_classes)
    redrawn = use_cifar_stem(empty, settings.name) if settings.stem == "cifar" else []
    return read_backbone(weights, empty, redrawn)


def read_backbone(weights: str, model: nn.Module, redrawn: Sequence[str]) -> PretrainedBackbone:
    """The backbone in a file; what is done to its names and types is printed.

    Args:
        model: what the file has to fit; it needs no memory for its weights.
        redrawn: weights of the model that have another shape than timm's; the file's are taken if they have it too.

    Raises:
        ValueError: as `check_weights`.
    """
    file = _fitting(model, weights)
    for line in file.told():
        print(line, flush=True)
    tensors = {name: torch.from_numpy(array) for name, array in _read(file, model).items()}
    stem = {name: tensors.pop(name) for name in redrawn}
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    return PretrainedBackbone(tensors, {name: tensor for name, tensor in stem.items() if tensor.shape == shapes[name]})


def check_weights(model: nn.Module, weights: str) -> None:
    """Make sure that a file has the model's backbone, all of it finite.

    Heads may differ, as may what timm adapts: the convolution that reads the image, and tables of positions.

    Raises:
        ValueError: the file is not one of safetensors, belongs to another model, or has weights that are not finite
            floating point.
    """
    _read(_fitting(model, weights), model)


def _read(file: ForeignWeights, model: nn.Module) -> Tensors:
    head, own = heads(model), model.state_dict()
    wanted = [name for name in file.names if name in own and not name.startswith(head)]
    floating = {name for name in wanted if own[name].is_floating_point()}
    return file.read([name for name in wanted if name in floating], [name for name in wanted if name not in floating])


def _fitting(model: nn.Module, weights: str) -> ForeignWeights:
    """The file, checked to have the names, types and shapes of the model."""
    head, own = heads(model), model.state_dict()
    expected = {name for name in own if not name.startswith(head)}
    file = open_weights(weights, f"model.weights: '{weights}'", own)
    given = {name: file.shapes[full] for name, full in file.names.items()}
    coded = sorted(
        name for name in expected & given.keys() if own[name].is_floating_point() and not _floats(file, name)
    )
    if coded:
        file.read(coded[:1])  # raises an error that says so
    extra = {
        name
        for name, full in file.names.items()
        if not name.startswith(head) and file.types[full] not in INTEGER and name.rpartition(".")[2] not in IGNORED
    }
    missing = {name for name in expected - given.keys() if not name.endswith("num_batches_tracked")}
    first = model.pretrained_cfg.get("first_conv") or ()  # type: ignore[operator, union-attr]
    adapted = {f"{name}.weight" for name in ([first] if isinstance(first, str) else first)}
    fixed = {name for name in prunable(model) if name not in adapted}
    fixed |= {name for name, parameter in model.named_parameters() if parameter.ndim == 1}
    odd = [f"'{name}' is not in the file{_hint(weights)}" for name in sorted(missing)]
    odd += [f"'{name}' is not in the model{_hint(name)}" for name in sorted(extra - expected)]
    odd += [
        f"'{name}' is {_shape(given[name])} in the file, {_shape(own[name].shape)} in the model"
        for name in own
        if name in given and name in fixed & expected and given[name] != tuple(own[name].shape)
    ]
    if odd:
        raise ValueError(
            f"model.weights: '{weights}' is of another model: {odd[0]}; choose the model that it was saved from"
        )
    return file


def _floats(file: ForeignWeights, name: str) -> bool:
    return file.types[file.names[name]] in FLOATING


def _hint(name: str) -> str:
    """What a name says about why a file and a model differ."""
    if SHARD.search(name):
        return " (one of several that belong together: join them with safetensors.torch.save_file)"
    if "lora" in name.lower():
        return " (an adapter: merge it into the weights first)"
    return ""


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes)) or "a number"
