"""What all sections of the configuration are made of: strict types, and names, numbers and shares.

Sections have modules of their own, alone or with related ones, so that an edited key reruns only stages that read it.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Item = TypeVar("Item")
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _number(value: Any) -> Any:
    """YAML takes 1e-3, which has no point, for text."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+\.?\d*[eE][+-]?\d+", value):
        return float(value)
    return value


def _class_name(value: Any) -> Any:
    """A number as the name of a class; but not ``no``, ``on`` or ``true``, which YAML takes for booleans."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _distinct(values: list[Item]) -> list[Item]:
    if twice := [value for value, count in Counter(values).items() if count > 1]:
        raise ValueError(f"names {twice[0]!r} twice; name each once")
    return values


Name = Annotated[str, Field(pattern=NAME, max_length=64, description="a name that can be a folder")]
YAML_FLOAT = BeforeValidator(_number)
Share = Annotated[float, Field(gt=0, lt=1), YAML_FLOAT]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
ClassName = Annotated[str, BeforeValidator(_class_name)]
Distinct = Annotated[list[Item], AfterValidator(_distinct), Field(json_schema_extra={"uniqueItems": True})]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, true and "3" are no numbers, values are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
