"""A network as a table: each weight and whether it is prunable, each block that is observed, and the totals.

`architectures` decides which weights and blocks these are; ``dilt models NAME`` prints the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import Any

from torch import nn

from dilt.networks import architectures, building
from dilt.networks.features import tensor

Row = tuple[str, ...]


def table(
    model: nn.Module,
    image_shape: Sequence[int],
    exclude: Sequence[str],
    layers: Sequence[str] | None,
    group: int = 1,
) -> str:
    """Weights, blocks with the shapes of their outputs for one image, and totals.

    Args:
        group: the M of an N:M pattern.

    Raises:
        ValueError: the model takes no such images, or a pattern or layer is not the model's.
    """
    everything = architectures.prunable(model)
    for pattern in exclude:
        if not any(fnmatch(name, pattern) for name in everything):
            raise ValueError(f"pruning.exclude: '{pattern}' matches no weight; without it, all that can be are listed")
    blocks = architectures.blocks(model, layers)
    outputs = _outputs(model, blocks, image_shape)
    shown = [(name, type(module).__name__, outputs.get(name, "not used")) for name, module in blocks.items()]
    prunable = architectures.prunable(model, exclude, group)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    weights = sum(parameter.numel() for parameter in prunable.values())
    return "\n".join(
        [
            *_aligned(("weight", "of", "shape", "number", "prunable"), _weights(model, exclude, group), right=(3,)),
            "",
            *_aligned(("block", "of", "output"), shown),
            "",
            *_aligned(("parameters", "number", "share", "tensors"), _totals(model, exclude, group), right=(1, 2, 3)),
            "",
            f"{weights:,} of {parameters:,} parameters are prunable ({weights / parameters:.1%}), "
            f"in {len(prunable)} weights; {len(blocks)} blocks are observed",
        ]
    )


def _weights(model: nn.Module, exclude: Sequence[str], group: int) -> list[Row]:
    """A row for every parameter but biases, normalisation and other vectors, which only the totals count."""
    parameters = dict(model.named_parameters())
    return [
        (
            name,
            type(model.get_submodule(name.rpartition(".")[0])).__name__,
            " x ".join(map(str, parameters[name].shape)),
            f"{parameters[name].numel():,}",
            "yes" if role == architectures.PRUNABLE else f"no: {role}",
        )
        for name, role in architectures.roles(model, exclude, group).items()
        if parameters[name].ndim > 1 and role not in ("bias", "normalisation")
    ]


def _totals(model: nn.Module, exclude: Sequence[str], group: int) -> list[Row]:
    parameters = dict(model.named_parameters())
    numbers: dict[str, list[int]] = {architectures.PRUNABLE: []}
    for name, role in architectures.roles(model, exclude, group).items():
        numbers.setdefault(role, []).append(parameters[name].numel())
    total = sum(map(sum, numbers.values()))
    return [(role, f"{sum(n):,}", f"{sum(n) / total:.1%}", str(len(n))) for role, n in numbers.items()]


def _outputs(model: nn.Module, blocks: dict[str, nn.Module], image_shape: Sequence[int]) -> dict[str, str]:
    found: dict[str, str] = {}

    def keep(name: str) -> Any:
        return lambda module, inputs, output: found.update(
            {name: " x ".join(map(str, tensor(output, num_images=1).shape[1:]))}
        )

    hooks = [module.register_forward_hook(keep(name)) for name, module in blocks.items()]
    try:
        building.check_images(model, image_shape)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _aligned(header: Row, rows: Sequence[Row], right: Sequence[int] = ()) -> list[str]:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]
