"""Descriptions of an exported network: the parts of timm's config.json that dilt adds, and a model card for hubs.

Pure functions of what was exported; `export_folder` writes and reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dilt.settings.networks import Model
from dilt.tickets.masks import Mask

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCard

TEMPLATE = Path(__file__).parent / "templates/card.md.jinja"
ON_THE_HUB = ("hfds/", "hfids/")  # before names of data sets that the Hugging Face Hub has


@dataclass(frozen=True)
class Program:
    """A file with the network as a program, and how far it was found to agree with the network.

    Attributes:
        name: of the file.
        difference: the largest between outputs, as a fraction of the largest output.
        images: on which, in words.
    """

    name: str
    difference: float
    images: str

    def __str__(self) -> str:
        largest = f"{self.difference:.1g} of the largest"
        return f"{self.name}: outputs differ from the network's by at most {largest}, on {self.images}"


@dataclass(frozen=True)
class Card:
    """What is known of an exported ticket.

    Attributes:
        model: the network, without settings that load pretrained weights.
        classes: class names, in the order of the head's outputs.
        image_shape: (channels, height, width).
        mean, std: what images are normalised with, per channel, in units of 0 to 1.
        resize: how images were made square.
        crop_share: of cropped images, the square's side as a share of the shorter side.
        origin: where the network comes from: its mask in words, digests, versions; experiment and seed where known.
        scores: rows of test accuracies (fractions), each with what it was measured on.
        standardised: whether weights are standardised before they convolve, so that in timm's network pruned weights
            would not convolve as zero.
        trained: whether the scores are of the weights here, not of what becomes of them by training.
        licence: of the weights, as model hubs write it, such as ``mit``; None: the card names none.
        programs: files with the network as a program.
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
    trained: bool = True
    licence: str | None = None
    programs: Sequence[Program] = ()
    crop_share: float = 1.0

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
            "crop_pct": self.crop_share,
            "crop_mode": "squash" if self.resize == "squash" else "center",
            "mean": list(self.mean),
            "std": list(self.std),
        }


def pretrained_cfg(card: Card, timm_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The network's ``pretrained_cfg``, from which timm writes config.json.

    Args:
        timm_cfg: that of the network as timm builds it, which names its first layer and its head; what it says of
            weights that timm offers is left out.
    """
    kept = ("classifier", "first_conv", "fixed_input_size")
    # No name of timm's if timm would build another network: it then refuses instead of loading it wrongly.
    unknown = f"{card.model.name} of dilt, which dilt.load_exported makes"
    return {
        "architecture": card.model.name.partition(".")[0] if card.loads_in_timm else unknown,
        **{key: timm_cfg[key] for key in kept if key in timm_cfg},
        "num_classes": len(card.classes),
        **card.images,
    }


def about(card: Card, mask: Mask, effective: Mask) -> dict[str, Any]:
    """The part of config.json that is dilt's.

    Args:
        effective: the mask's weights that are on a path from an input to an output of the network.
    """
    return {
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
    }


def metadata(card: Card, mask: Mask) -> dict[str, Any]:
    """What goes into a program's file: the images that it wants, in timm's words, its classes, mask and origin."""
    return {
        "architecture": card.model.name,
        **card.images,
        "label_names": list(card.classes),
        "live": mask.count,
        "prunable": mask.size,
        "origin": dict(card.origin),
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


def results(card: Card) -> list[EvalResult]:
    """The test accuracies, as model hubs list them: fractions, by data set, classes and protocol."""
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="image-classification",
            dataset_type=_data_set(row["data"]),
            dataset_name=f"{row['data']} ({row['measured_on']})",
            dataset_config=row["measured_on"],
            dataset_split="test",
            metric_type="accuracy",
            metric_value=row["accuracy"],
            metric_name=f"accuracy ({row['protocol']})",
        )
        for row in card.scores
    ]


def model_card(card: Card, mask: Mask, effective: Mask, folder: str) -> ModelCard:
    """The model card: Markdown with front matter, as model hubs read it.

    Args:
        effective: the mask's weights that are on a path from an input to an output of the network.
        folder: name of the exported folder.
    """
    from huggingface_hub import ModelCard, ModelCardData

    data = str(card.origin.get("data", ""))
    told = ModelCardData(
        model_name=f"{card.model.name}, {card.origin['mask']}",
        library_name="timm" if card.loads_in_timm else "dilt",
        license=card.licence.lower() if card.licence else None,
        pipeline_tag="image-classification",
        tags=["lottery-ticket", "pruning", "dilt", *(["onnx"] if _has_onnx(card) else [])],
        datasets=[_data_set(data)] if data.startswith(ON_THE_HUB) else None,
        eval_results=results(card) or None if card.trained else None,
    )
    made: ModelCard = ModelCard.from_template(
        told,
        template_path=str(TEMPLATE),
        card=card,
        mask=mask,
        effective=effective,
        folder=folder,
        code=loading(card, folder),
    )
    return made


def _has_onnx(card: Card) -> bool:
    return any(program.name.endswith(".onnx") for program in card.programs)


def _data_set(name: str) -> str:
    """A data set's name without the reader that timm gets it by, such as ``torch/``."""
    reader, _, rest = name.partition("/")
    return rest or reader
