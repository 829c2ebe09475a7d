"""The section ``model``: which network, and how it is built."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dilt.settings.base import Section

MLP_DEFAULTS = {"width": 96, "depth": 4}  # arguments of the model mlp


class Model(Section):
    """The network."""

    name: str = Field("resnet18", description="mlp, or any model name of timm")
    arguments: dict[str, Any] = Field(default_factory=dict, description="keyword arguments of the model")
    stem: Literal["standard", "cifar"] = Field("standard", description="cifar: the stem for images of 32 to 64 pixels")
    positions: Literal["learned", "sincos2d"] = Field(
        "learned", description="of a ViT's patches; sincos2d: fixed sines and cosines"
    )
    weights: str | None = Field(None, description="safetensors file of a pretrained model of that name; null: none")
