"""Pretrained weights of a local safetensors file, as theta0's backbone.

Timm loads and adapts them, as it does those that it downloads; here it is made sure that they are the model's, all of
them and no head. Pickled files, which can run code, are refused by `consistency`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from dilt.architectures import heads, prunable


@dataclass(frozen=True)
class PretrainedBackbone:
    """A file's tensors but its head's.

    Attributes:
        tensors: what timm loads while it creates the model.
        stem: what the model gets afterwards, when it has its cifar stem.
    """

    tensors: dict[str, Tensor]
    stem: dict[str, Tensor]

    @property
    def loading(self) -> dict[str, Any]:
        """Arguments of timm's ``create_model``. Weights of no classes: timm then leaves any head as it was drawn."""
        overlay = {"state_dict": self.tensors, "num_classes": 0, "custom_load": False}
        return {"pretrained": True, "pretrained_cfg_overlay": overlay}

    def finish(self, model: nn.Module) -> None:
        """What remains to be done with the created model."""
        model.pretrained_cfg.pop("state_dict")  # type: ignore[operator, union-attr]  # it would be kept in memory
        model.load_state_dict(self.stem, strict=False)


def read_backbone(weights: str, model: nn.Module, redrawn: Sequence[str]) -> PretrainedBackbone:
    """The backbone in a file.

    Args:
        model: what the file has to fit; it needs no memory for its weights.
        redrawn: weights of the model that have another shape than timm's; the file's are taken if they have it too.

    Raises:
        ValueError: as `check_weights`.
    """
    check_weights(model, weights)
    tensors = {name: tensor for name, tensor in load_file(weights).items() if not name.startswith(heads(model))}
    stem = {name: tensors.pop(name) for name in redrawn}
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    return PretrainedBackbone(tensors, {name: tensor for name, tensor in stem.items() if tensor.shape == shapes[name]})


def check_weights(model: nn.Module, weights: str) -> None:
    """Whether a file has the model's backbone, told from its header.

    Heads may differ, as may what timm adapts: the convolution that reads the image, and tables of positions.

    Raises:
        ValueError: the file is not one of safetensors, or belongs to another model.
    """
    try:
        with safe_open(weights, framework="pt") as file:
            given = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # no mapping
    except SafetensorError as error:
        raise ValueError(
            f"model.weights: '{weights}' is not readable as safetensors ({error}); save it anew"
        ) from error
    head = heads(model)
    expected = {name for name in model.state_dict() if not name.startswith(head)}
    extra = {name for name in given if name.endswith((".weight", ".bias")) and not name.startswith(head)}
    missing = {name for name in expected - given.keys() if not name.endswith("num_batches_tracked")}
    first = model.pretrained_cfg.get("first_conv") or ()  # type: ignore[operator, union-attr]
    adapted = {f"{name}.weight" for name in ([first] if isinstance(first, str) else first)}
    odd = [f"'{name}' is not in the file" for name in sorted(missing)]
    odd += [f"'{name}' is not in the model" for name in sorted(extra - expected)]
    odd += [
        f"'{name}' is {_shape(given[name])} in the file, {_shape(weight.shape)} in the model"
        for name, weight in prunable(model).items()
        if name in given and name not in adapted and given[name] != tuple(weight.shape)
    ]
    if odd:
        raise ValueError(
            f"model.weights: '{weights}' is of another model: {odd[0]}; choose the model that it was saved from"
        )


def _shape(sizes: Sequence[int]) -> str:
    return " x ".join(map(str, sizes))
