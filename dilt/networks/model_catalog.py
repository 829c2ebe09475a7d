"""Which models there are, and what is known of them without building one or importing torch and timm.

Building them belongs to `building`.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.settings.networks import MLP_DEFAULTS

if TYPE_CHECKING:
    from dilt.settings.networks import Model


@cache
def timm_models() -> frozenset[str]:
    """Names that timm registers, read from its source."""
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        return frozenset()
    names: set[str] = set()
    for source in (Path(spec.origin).parent / "models").glob("*.py"):
        names.update(re.findall(r"^@register_model\s+def (\w+)\(", source.read_text(), re.MULTILINE))
    return frozenset(names)


def model_names() -> frozenset[str]:
    """Every name that `model.name` may have, without timm's weight tags (``resnet50.a1_in1k``)."""
    return timm_models() | {"mlp"}


def known_weights(model: Model) -> dict[str, int] | None:
    """Prunable weights and their numbers (inputs aside); None where only building the model would tell."""
    if model.name != "mlp":
        return None
    arguments = MLP_DEFAULTS | model.arguments
    width, depth = int(arguments["width"]), int(arguments["depth"])
    return {f"blocks.{index}.linear.weight": width * width for index in range(depth)}


def known_layers(model: Model) -> list[str] | None:
    """Blocks whose activations can be taken; None where only building the model would tell."""
    weights = known_weights(model)
    return None if weights is None else [name.rpartition(".linear")[0] for name in weights]
