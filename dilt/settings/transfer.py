"""The section ``transfer``: how tickets are judged on targets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from dilt.settings.base import YAML_FLOAT, Section
from dilt.settings.training import Training

Protocol = Literal["retrain", "finetune", "linear"]


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


def _may_lack_training(schema: dict[str, Any]) -> None:
    schema["required"].remove("training")


class Transfer(Section):
    """How tickets are judged on targets."""

    model_config = ConfigDict(json_schema_extra=_may_lack_training)

    protocols: list[Protocol] = Field(min_length=1)
    training: Annotated[Training, WithJsonSchema(_inheriting())]
    finetune_learning_rate: Annotated[float, Field(gt=0), YAML_FLOAT]
    penalties: list[Annotated[float, Field(gt=0), YAML_FLOAT]] = Field(min_length=1)
