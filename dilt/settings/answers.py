"""The section ``claims``: which are asked, one's own among them, and how they are decided."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, Count, Distinct, Name, Section
from dilt.settings.tickets import CLAIMS, Claim

Texts = list[Annotated[str, Field(min_length=1)]]


class OwnClaim(Section):
    """A claim: a statement, and comparisons ``TICKET - CONTROL on MEASURE`` that say it in numbers."""

    statement: str = Field(min_length=1, description="the claim in words")
    round: Count = Field(description="the round at which it is read")
    comparisons: Texts = Field(
        min_length=1,
        description="each says that its ticket does better than its control; the verdict rests on all of them",
    )
    decisive: str | None = Field(
        None, description='control that has half of the level of "not supported"; null: all have equal shares'
    )
    besides: Texts = Field(default_factory=list, description="comparisons that are shown and decide nothing")


class Claims(Section):
    """Which claims are asked, and the rule that turns paired differences into verdicts."""

    asked: Distinct[Claim] = Field(default=list(CLAIMS))
    own: dict[Name, OwnClaim] = Field(default_factory=dict)
    confidence: Annotated[float, Field(ge=0.5, lt=1), YAML_FLOAT] = 0.95
    margin: Annotated[float, Field(ge=0, description="percentage points"), YAML_FLOAT] = 1.0
    looks: list[Count] = Field(default_factory=list, description="numbers of seeds at which verdicts are read")
    resamples: Annotated[int, Field(ge=100, description="of the test images")] = 4000

    @property
    def level(self) -> float:
        """Of one-sided tests, all looks together."""
        return (1 - self.confidence) / 2
