"""The section ``transfer``: how tickets are judged on targets."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, WithJsonSchema

from dilt.settings.base import YAML_FLOAT, Distinct, Section
from dilt.settings.training import Training

Protocol = Literal["retrain", "finetune", "linear"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


def _inheriting() -> dict[str, Any]:
    """The JSON schema of a training that has another's values wherever it gives none."""
    whole = Training.model_json_schema()
    properties = {
        key: {part: told for part, told in value.items() if part != "default"}
        for key, value in whole["properties"].items()
    }
    described = "As training on the source, whose values it has where it gives none."
    return {name: part for name, part in whole.items() if name != "required"} | {
        "properties": properties,
        "description": described,
    }


def _tenth(rate: float) -> float:
    return float(f"{rate / 10:.6g}")  # not 0.00030000000000000003


class Transfer(Section):
    """How tickets are judged on targets."""

    protocols: Distinct[Protocol] = Field(list(PROTOCOLS), min_length=1)
    training: Annotated[Training, WithJsonSchema(_inheriting())] = Field(
        default=Training(),
        description="as training on the source, whose values it has where it gives none; left out: those",
    )
    finetune_learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT] = Field(
        default_factory=lambda before: _tenth(before.get("training", Training()).learning_rate),
        description="at its peak; left out: a tenth of training's",
    )
    penalties: Distinct[Annotated[float, Field(gt=0), YAML_FLOAT]] = Field(
        [0.01, 0.1, 1.0, 10.0],
        min_length=1,
        description="inverse regularisation strengths of linear heads: a smaller one regularises more",
    )
