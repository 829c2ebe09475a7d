"""The section ``claims``: which are asked, and how they are decided."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, Section
from dilt.settings.tickets import CLAIMS, Claim


class Claims(Section):
    """Which claims are asked, and the rule that turns paired differences into verdicts."""

    asked: list[Claim] = Field(default=list(CLAIMS), min_length=1)
    confidence: Annotated[float, Field(ge=0.5, lt=1), YAML_FLOAT] = 0.95
    margin: Annotated[float, Field(ge=0, description="percentage points"), YAML_FLOAT] = 1.0
    resamples: Annotated[int, Field(ge=100, description="of the test images")] = 4000
