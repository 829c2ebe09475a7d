"""Descriptions of an exported ticket: timm's config.json, with a part for dilt, and a model card in words.

Pure functions of what was exported; `export_folder` writes and reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dilt.settings.networks import Model
from dilt.tickets.masks import Mask

SHOWN = 4  # digits of densities and accuracies


@dataclass(frozen=True)
class Card:
    """What is known of an exported ticket.

    Attributes:
        model: the network, without settings that load pretrained weights.
        classes: class names, in the order of the head's outputs.
        image_shape: (channels, height, width).
        mean, std: what images are normalised with, per channel, in units of 0 to 1.
        resize: how images were made square.
        origin: where the network comes from: its mask in words, digests, versions; experiment and seed where known.
        scores: rows of test accuracies (fractions), each with what it was measured on.
        standardised: whether weights are standardised before they convolve, so that in timm's network pruned weights
            would not convolve as zero.
    """

    model: Model
    classes: Sequence[str]
    image_shape: Sequence[int]
    mean: Sequence[float]
    std: Sequence[float]
    resize: Literal["squash", "crop"]
    origin: Mapping[str, Any]
    scores: Sequence[Mapping[str, Any]]
    standardised: bool = False

    @property
    def loads_in_timm(self) -> bool:
        """Whether timm's ``create_model`` makes the same network.

        timm has no perceptron and no cifar stem, and does not keep zeros where weights are standardised.
        """
        return self.model.name != "mlp" and self.model.stem == "standard" and not self.standardised

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of timm's ``create_model``, number of classes aside."""
        return {"in_chans": self.image_shape[0], **self.model.arguments}

    @property
    def images(self) -> dict[str, Any]:
        """What a ``pretrained_cfg`` of timm's says about how images are made."""
        return {
            "input_size": list(self.image_shape),
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "squash" if self.resize == "squash" else "center",
            "mean": list(self.mean),
            "std": list(self.std),
        }


def config(card: Card, mask: Mask, effective: Mask, timm_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of config.json, as timm's ``create_model("local-dir:FOLDER")`` reads it.

    Args:
        effective: the mask's weights that are on a path from an input to an output of the network.
        timm_cfg: the ``pretrained_cfg`` of the network that timm builds, which names its first layer and its head.
    """
    kept = ("classifier", "first_conv", "fixed_input_size")
    return {
        # No name of timm's if timm would build another network: it then refuses instead of loading it wrongly.
        "architecture": card.model.name.partition(".")[0]
        if card.loads_in_timm
        else f"{card.model.name} of dilt, which dilt.load_exported makes",
        "num_classes": len(card.classes),
        "label_names": list(card.classes),
        "model_args": card.arguments if card.loads_in_timm else {},
        "pretrained_cfg": {key: timm_cfg[key] for key in kept if key in timm_cfg}
        | {"num_classes": len(card.classes), **card.images},
        "dilt": {
            "model": card.model.model_dump(),
            "image_shape": list(card.image_shape),
            "origin": dict(card.origin),
            "density": mask.density,
            "live": mask.count,
            "prunable": mask.size,
            "effective": effective.count,
            "effective_density": effective.density,
            "layers": {
                name: {
                    "weights": mask[name].size,
                    "live": mask.counts[name],
                    "density": mask.densities[name],
                    "effective": effective.counts[name],
                    "effective_density": effective.densities[name],
                }
                for name in mask.names
            },
            "scores": [dict(row) for row in card.scores],
        },
    }


def loading(card: Card, folder: str) -> str:
    """Python that loads the exported ticket from a folder."""
    if not card.loads_in_timm:
        return f'import dilt\n\nmodel = dilt.load_exported("{folder}")'
    given = "".join(f", {key}={value!r}" for key, value in card.arguments.items())
    return (
        "import timm\n\n"
        f'model = timm.create_model("local-dir:{folder}", pretrained=True)  # or, by name:\n'
        f'model = timm.create_model("{card.model.name}", checkpoint_path="{folder}/model.safetensors", '
        f"num_classes={len(card.classes)}{given}, pretrained_cfg_overlay={card.images!r})"
    )


def readme(card: Card, mask: Mask, effective: Mask, folder: str) -> str:
    """The model card: Markdown with front matter, as model hubs read it.

    Args:
        effective: the mask's weights that are on a path from an input to an output of the network.
    """
    origin = [f"- {key.replace('_', ' ')}: {value}" for key, value in card.origin.items()]
    scores = [
        f"| {row['measured_on']} | {row['protocol']} | {row['images']} | {float(row['accuracy']):.{SHOWN}f} |"
        for row in card.scores
    ]
    densities = [
        f"| {name} | {mask[name].size} | {mask.counts[name]} | {mask.densities[name]:.{SHOWN}f} | "
        f"{effective.counts[name]} | {effective.densities[name]:.{SHOWN}f} |"
        for name in mask.names
    ]
    norm = f"mean {[round(value, SHOWN) for value in card.mean]}, std {[round(value, SHOWN) for value in card.std]}"
    shape = " x ".join(map(str, card.image_shape))
    return "\n".join(
        [
            "---",
            f"library_name: {'timm' if card.loads_in_timm else 'dilt'}",
            "pipeline_tag: image-classification",
            "tags: [lottery-ticket, pruning, dilt]",
            "---",
            f"# {card.model.name}: ticket '{card.origin['mask']}'",
            "",
            f"{mask.count} of {mask.size} prunable weights live (density {mask.density:.{SHOWN}f}, sparsity "
            f"{1 - mask.density:.{SHOWN}f}); the others are",
            "zero in `model.safetensors`, and `mask.safetensors` has one bit for each. Training revives them,",
            f"unless `dilt.load_exported('{folder}')` loads the network, or one that was loaded otherwise is kept",
            f"sparse by `dilt.keep_sparse(model, dilt.read_mask('{folder}/mask.safetensors'))`.",
            "",
            f"{effective.count} of them are on a path from an input to an output of the network (effective density",
            f"{effective.density:.{SHOWN}f}): an image reaches them, and an output depends on what they give.",
            "",
            "```python",
            loading(card, folder),
            "```",
            "",
            f"Images of {shape}, in units of 0 to 1, normalised with {norm} (exactly: config.json).",
            f"Classes: {', '.join(card.classes)}.",
            "",
            "## Origin",
            "",
            *origin,
            "",
            "## Test accuracy of the ticket after training",
            "",
            *(
                ["| measured on | protocol | images | accuracy |", "| --- | --- | --- | --- |", *scores]
                if scores
                else ["Not measured."]
            ),
            "",
            "## Density",
            "",
            "| layer | weights | live | density | effective | effective density |",
            "| --- | --- | --- | --- | --- | --- |",
            *densities,
            "",
        ]
    )
