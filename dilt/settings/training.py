"""The sections ``training`` and ``pruning``: how a network is trained, and pruned between trainings."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from dilt.settings.base import YAML_FLOAT, Count, Section, Share
from dilt.settings.pattern import PatternText, numbers

# Of optimizers: the peak learning rate and the weight decay of a training that gives none.
LEARNING_RATES = {"sgd": 0.1, "adamw": 0.001, "lamb": 0.005, "lion": 0.0003}
WEIGHT_DECAYS = {"sgd": 0.0005, "adamw": 0.01, "lamb": 0.02, "lion": 0.1}


def _by_optimizer(values: dict[str, float]) -> str:
    return ", ".join(f"{value:g} for {optimizer}" for optimizer, value in values.items())


def _exclusion(value: Any) -> Any:
    """One message, where pydantic would give one for the truth value and others for the list."""
    if isinstance(value, bool) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise ValueError("should be true, false or a list of names and patterns such as ['*.bias']")


def _length(value: Any) -> Any:
    """One message, where pydantic would give one for the number and another for the text."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and re.fullmatch(STEPS, value):
        return value
    raise ValueError("should be a whole number of epochs, from 0, or of steps, such as '500it'")


STEPS = r"[1-9]\d*it"  # open_lth's notation
Length = Annotated[
    int | str,
    BeforeValidator(_length),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": f"^{STEPS}$"}]}),
    Field(description="a number of epochs, or of steps (batches), such as 500it"),
]


def read_length(text: str) -> int | str:
    """A length from a command line or a path."""
    return int(text) if text.isdigit() else text


def in_steps(length: int | str, steps_per_epoch: int) -> int:
    """How many steps a number of epochs, or of steps, is."""
    return int(length.removesuffix("it")) if isinstance(length, str) else length * steps_per_epoch


class Views(Section):
    """How the images of a training are changed in each epoch; a part of the section ``training``.

    ``mixup`` and ``cutmix`` are the parameters of the beta distribution from which shares are drawn (Zhang et al. 2018,
    arXiv 1710.09412; Yun et al. 2019, arXiv 1905.04899). ``erasing`` is a probability (Zhong et al. 2020, arXiv
    1708.04896).
    """

    augmentation: Literal["none", "crop-flip", "crop", "resized-crop"] = "none"
    smallest_crop: Annotated[
        float, Field(gt=0, le=1, description="of resized-crop: smallest share of the area"), YAML_FLOAT
    ] = 0.08
    crop_from: Literal["prepared", "file"] = Field(
        "prepared", description="of resized-crop: from images as networks see them, or from the whole pictures"
    )
    auto_augment: str | None = Field(
        None, description="policy of colours and shapes: trivial, or timm's, such as rand-m9-mstd0.5-inc1, original, 3a"
    )
    color_jitter: Annotated[
        float, Field(ge=0, le=1, description="largest change of brightness, contrast and saturation"), YAML_FLOAT
    ] = 0.0
    erasing: Annotated[float, Field(ge=0, le=1, description="share of images with an erased part"), YAML_FLOAT] = 0.0
    erase_with: Literal["mean", "noise"] = "mean"
    mixup: Annotated[float, Field(ge=0, description="0: no mixing of pairs of images"), YAML_FLOAT] = 0.0
    cutmix: Annotated[float, Field(ge=0, description="0: no parts from other images"), YAML_FLOAT] = 0.0
    mixed_steps: Annotated[
        float, Field(gt=0, le=1, description="share of the steps whose images are mixed"), YAML_FLOAT
    ] = 1.0

    @property
    def one_at_a_time(self) -> bool:
        """Whether images are changed one at a time, on processors, and not in whole batches."""
        return self.auto_augment is not None or self.color_jitter > 0 or self.crop_from == "file"


class Training(Views):
    """One training from theta0 (or on from trained weights)."""

    epochs: Count = 30
    batch_size: Count = 64
    optimizer: Literal["sgd", "adamw", "lamb", "lion"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT] = Field(
        default_factory=lambda before: LEARNING_RATES[before.get("optimizer", "adamw")],
        description=f"at its peak; left out: {_by_optimizer(LEARNING_RATES)}",
    )
    momentum: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.9
    nesterov: bool = Field(False, description="of sgd: Nesterov's momentum")
    weight_decay: Annotated[float, Field(ge=0), YAML_FLOAT] = Field(
        default_factory=lambda before: WEIGHT_DECAYS[before.get("optimizer", "adamw")],
        description=f"left out: {_by_optimizer(WEIGHT_DECAYS)}",
    )
    weight_decay_exclude: Annotated[
        bool | list[str],
        Field(description="parameters without decay; true: as timm's optimizer factory has it; false: none"),
        BeforeValidator(_exclusion),
    ] = True
    layer_decay: Annotated[
        float | None, Field(gt=0, le=1, description="factor of the learning rate from a layer to the one before it")
    ] = None
    clip_norm: Annotated[float | None, Field(gt=0, description="largest norm of a step's gradient")] = None
    ema_decay: Annotated[
        float | None, Field(gt=0, lt=1, description="the network is the moving average of its weights")
    ] = None
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    milestones: list[Count] = Field(default_factory=list, description="of step: epochs after which the rate decays")
    decay: Annotated[float, Field(gt=0, lt=1, description="of step: factor at each milestone"), YAML_FLOAT] = 0.1
    warmup_epochs: Length = 0
    label_smoothing: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.0
    precision: Literal["float32", "tf32", "bfloat16", "auto"] = "float32"
    deterministic: bool = True
    compile: Literal["auto", "never", "always"] = "auto"
    batch_norm: Literal["local", "synchronised"] = "local"


class Rewinding(Section):
    """Late rewinding (Frankle et al. 2020): how long theta0 is trained, and where trainings from it begin."""

    rewind_epoch: Length = 0
    rewind_schedule: Literal["continue", "restart"] = Field(
        default="continue", description="trainings from theta0 go on from rewind_epoch, or begin at epoch 0"
    )

    @property
    def start(self) -> int | str:
        """Where in the schedule trainings from theta0 begin: epochs, or steps as ``500it``."""
        return self.rewind_epoch if self.rewind_schedule == "continue" else 0


class Pruning(Rewinding):
    """Iterative magnitude pruning."""

    rounds: Count = 10
    rate: Share = 0.2
    scope: Literal["global", "layerwise"] = "global"
    pattern: PatternText = None
    exclude: list[str] = Field(default_factory=list, description="weights never pruned, by name or shell pattern")

    def density(self, round_: int) -> float:
        """The share of prunable weights that a trajectory keeps after a round; under a pattern, N/M after the first."""
        if self.pattern is None or round_ == 0:
            return (1 - self.rate) ** round_
        most, group = numbers(self.pattern)
        return most / group * (1 - self.rate) ** (round_ - 1)
