"""Networks: built by name, from theta0, pretrained weights or drawn from the seed, with heads drawn from the seed.

Models are timm's, plus a small perceptron for the default experiment, which spares its jobs timm's import. What follows
from a model's structure is told by `architectures`; which names exist, by `model_catalog`.
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

    from dilt.networks.pretrained import PretrainedBackbone


def build(
    settings: Model,
    image_shape: Sequence[int],
    classes: Sequence[str],
    seed: int,
    theta0: Mapping[str, NDArray[Any]] | None = None,
) -> nn.Module:
    """A network with a head for ``classes``, its backbone from ``theta0`` or drawn from the seed.

    The head's weights follow from the seed and its classes alone. Pretrained weights are loaded only when there is
    no ``theta0`` yet: timm's (``model.arguments: {pretrained: true}``) or those of a file (``model.weights``), whose
    head is left out, and whose stem too if ``model.stem`` is one of another shape.

    Args:
        image_shape: (channels, height, width).
        theta0: backbone tensors as `backbone` gives them.

    Raises:
        ValueError: the model cannot be built from its arguments, or theta0 belongs to another network.
    """
    import torch

    torch.manual_seed(derive_seed(seed, "head", *classes) if theta0 is not None else derive_seed(seed, "theta0"))
    model = _create(settings, image_shape, len(classes), pretrained=theta0 is None)
    if theta0 is not None:
        load_backbone(model, theta0)
    return model


def _create(settings: Model, image_shape: Sequence[int], num_classes: int, pretrained: bool) -> nn.Module:
    from dilt.networks.architectures import MLP, use_cifar_stem

    channels, height, width = image_shape
    if settings.name == "mlp":
        return MLP(channels * height * width, num_classes, **(MLP_DEFAULTS | settings.arguments))
    import timm

    arguments = {"in_chans": channels, **settings.arguments}
    arguments["pretrained"] = pretrained and bool(arguments.get("pretrained", False))
    found = _pretrained(settings, image_shape, num_classes) if pretrained and settings.weights else None
    loading = found.loading if found else {}
    try:
        model: nn.Module = timm.create_model(settings.name, num_classes=num_classes, **(arguments | loading))
    except (TypeError, RuntimeError, AssertionError, OSError) as error:
        reason = textwrap.shorten(str(error), 300)
        if found:
            raise ValueError(
                f"model.weights: '{settings.weights}' does not fit {settings.name} ({reason}); choose the "
                "model that it was saved from"
            ) from error
        raise ValueError(
            f"model.arguments: {settings.name} cannot be built from {arguments} ({reason}); correct the arguments"
        ) from error
    if settings.stem == "cifar":
        use_cifar_stem(model, settings.name)
    from dilt.networks.standardised import keep_zeros

    keep_zeros(model)
    if found:
        found.finish(model)
    if arguments["pretrained"]:
        _require_finite(model, settings)
    return model


def _require_finite(model: nn.Module, settings: Model) -> None:
    """Make sure that what timm has downloaded can be trained."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(
                f"model.arguments.pretrained: '{name}' of {settings.name} has values NaN or infinite; delete timm's "
                "download, or choose other weights"
            )


def _pretrained(settings: Model, image_shape: Sequence[int], num_classes: int) -> PretrainedBackbone:
    from dilt.networks.architectures import use_cifar_stem
    from dilt.networks.pretrained import read_backbone

    assert settings.weights is not None
    empty = skeleton(settings.model_copy(update={"stem": "standard"}), image_shape, num_classes)
    redrawn = use_cifar_stem(empty, settings.name) if settings.stem == "cifar" else []
    return read_backbone(settings.weights, empty, redrawn)


def skeleton(settings: Model, image_shape: Sequence[int], num_classes: int) -> nn.Module:
    """A network without memory for its weights, of which none are loaded: it tells what the real one is made of.

    Raises:
        ValueError: the model cannot be built from its arguments.
    """
    import torch

    with torch.device("meta"):
        return _create(settings, image_shape, num_classes, pretrained=False)


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
