"""The section ``claims``: which are asked, and how they are decided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, Section

Claim = Literal["C1", "C2", "C3"]


class Claims(Section):
    """Which claims are asked, and the rule that turns paired differences into verdicts."""

    asked: list[Claim] = Field(default=["C1", "C2", "C3"], min_length=1)
    confidence: Annotated[float, Field(ge=0.5, lt=1), YAML_FLOAT] = 0.95
    margin: Annotated[float, Field(ge=0, description="percentage points"), YAML_FLOAT] = 1.0
    resamples: Annotated[int, Field(ge=100, description="of the test images")] = 4000
