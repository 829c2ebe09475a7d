"""Builds networks by name: the backbone from theta0 or drawn from the seed, the head drawn from the seed.

Models are timm's, and a small perceptron for the default experiment, whose jobs then need not import timm. Pretrained
networks are built by `pretrained`; a model's structure is read by `architectures`, names are listed by `model_catalog`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dilt.foundations.randomness import derive_seed
from dilt.networks.states import load_backbone
from dilt.settings.networks import MLP_DEFAULTS, Model

if TYPE_CHECKING:
    from torch import nn


def build(
    settings: Model,
    image_shape: Sequence[int],
    classes: Sequence[str],
    seed: int,
    theta0: Mapping[str, NDArray[Any]] | None = None,
) -> nn.Module:
    """A network with a head for ``classes``, its backbone from ``theta0`` or drawn from the seed.

    With theta0 the head's weights follow from the seed and its classes alone. Nothing pretrained is loaded here, but by
    `pretrained.build`.

    Args:
        image_shape: (channels, height, width).
        theta0: backbone tensors as `states.backbone` gives them.

    Raises:
        ValueError: the model cannot be built from its arguments, or theta0 belongs to another network.
    """
    import torch

    torch.manual_seed(derive_seed(seed, "head", *classes) if theta0 is not None else derive_seed(seed, "theta0"))
    model = create(settings, image_shape, len(classes))
    if theta0 is not None:
        load_backbone(model, theta0)
    return model


def create(
    settings: Model, image_shape: Sequence[int], num_classes: int, loading: dict[str, Any] | None = None
) -> nn.Module:
    """A network of random weights, drawn from torch's own generator.

    Args:
        loading: arguments of timm's ``create_model`` that load weights; None: no weights are loaded.

    Raises:
        ValueError: the model cannot be built from its arguments.
    """
    from dilt.networks.architectures import MLP, use_cifar_stem

    channels, height, width = image_shape
    if settings.name == "mlp":
        return MLP(channels * height * width, num_classes, **(MLP_DEFAULTS | settings.arguments))
    import timm

    from dilt.networks.standardised import keep_zeros

    arguments = {"in_chans": channels, **settings.arguments, "pretrained": False}
    try:
        model: nn.Module = timm.create_model(settings.name, num_classes=num_classes, **(arguments | (loading or {})))
    except (TypeError, RuntimeError, AssertionError, OSError) as error:
        reason = textwrap.shorten(str(error), 300)
        raise ValueError(
            f"model.arguments: {settings.name} cannot be built from {arguments} ({reason}); correct the arguments"
        ) from error
    if settings.stem == "cifar":
        use_cifar_stem(model, settings.name)
    if settings.positions == "sincos2d":
        from dilt.networks.positions import fix_positions

        fix_positions(model, settings.name)
    keep_zeros(model)
    return model


def skeleton(settings: Model, image_shape: Sequence[int], num_classes: int) -> nn.Module:
    """A network without memory for its weights, to read its structure from; no weights are loaded.

    Raises:
        ValueError: the model cannot be built from its arguments.
    """
    import torch

    with torch.device("meta"):
        return create(settings, image_shape, num_classes)


def check_images(model: nn.Module, image_shape: Sequence[int]) -> None:
    """Put one blank image through the model.

    Raises:
        ValueError: the model is made for images of another size.
    """
    import torch

    training = model.training
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *image_shape, device=next(model.parameters()).device))
    except Exception as error:  # whatever a network of others may raise
        shape, reason = " x ".join(map(str, image_shape)), " ".join(str(error).split())
        raise ValueError(
            f"image_size: the model takes no images of {shape} ({reason}); change it or model.arguments, where ViTs "
            "have img_size and patch_size"
        ) from error
    finally:
        model.train(training)
