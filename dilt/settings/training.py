"""The sections ``training`` and ``pruning``: how a network is trained, and pruned between trainings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dilt.settings.base import YAML_FLOAT, Count, Section, Share
from dilt.settings.pattern import PatternText, numbers

# Of optimizers: the peak learning rate and the weight decay of a training that gives none.
LEARNING_RATES = {"sgd": 0.1, "adamw": 0.001}
WEIGHT_DECAYS = {"sgd": 0.0005, "adamw": 0.01}


def _by_optimizer(values: dict[str, float]) -> str:
    return ", ".join(f"{value:g} for {optimizer}" for optimizer, value in values.items())


def _exclusion(value: Any) -> Any:
    """One message, where pydantic would give one for the truth value and others for the list."""
    if isinstance(value, bool) or (isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return value
    raise ValueError("should be true, false or a list of names and patterns such as ['*.bias']")


class Training(Section):
    """One training from theta0 (or on from trained weights)."""

    epochs: Count = 30
    batch_size: Count = 64
    optimizer: Literal["sgd", "adamw"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT] = Field(
        default_factory=lambda before: LEARNING_RATES[before.get("optimizer", "adamw")],
        description=f"at its peak; left out: {_by_optimizer(LEARNING_RATES)}",
    )
    momentum: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.9
    weight_decay: Annotated[float, Field(ge=0), YAML_FLOAT] = Field(
        default_factory=lambda before: WEIGHT_DECAYS[before.get("optimizer", "adamw")],
        description=f"left out: {_by_optimizer(WEIGHT_DECAYS)}",
    )
    weight_decay_exclude: Annotated[
        bool | list[str],
        Field(description="parameters without decay; true: as timm's optimizer factory has it; false: none"),
        BeforeValidator(_exclusion),
    ] = True
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    milestones: list[Count] = Field(default_factory=list, description="of step: epochs after which the rate decays")
    decay: Annotated[float, Field(gt=0, lt=1, description="of step: factor at each milestone"), YAML_FLOAT] = 0.1
    warmup_epochs: Annotated[int, Field(ge=0)] = 0
    label_smoothing: Annotated[float, Field(ge=0, lt=1), YAML_FLOAT] = 0.0
    augmentation: Literal["none", "crop-flip", "crop", "resized-crop"] = "none"
    precision: Literal["float32", "tf32", "bfloat16", "auto"] = "float32"
    deterministic: bool = True
    compile: Literal["auto", "never", "always"] = "auto"
    batch_norm: Literal["local", "synchronised"] = "local"


class Rewinding(Section):
    """Late rewinding (Frankle et al. 2020): how long theta0 is trained, and where trainings from it begin."""

    rewind_epoch: Annotated[int, Field(ge=0)] = 0
    rewind_schedule: Literal["continue", "restart"] = Field(
        default="continue", description="trainings from theta0 go on from rewind_epoch, or begin at epoch 0"
    )

    @property
    def start_epoch(self) -> int:
        """The epoch of the schedule, from 0, at which trainings from theta0 begin."""
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
