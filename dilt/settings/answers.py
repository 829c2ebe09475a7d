"""The section ``claims``: which are asked, one's own among them, and how they are decided."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, Count, Name, Section
from dilt.settings.tickets import CLAIMS, Claim

Texts = list[Annotated[str, Field(min_length=1)]]


class OwnClaim(Section):
    """A claim: a statement, and comparisons ``TICKET - CONTROL on MEASURE`` that say it in numbers.

    Attributes:
        comparisons: each says that its ticket does better than its control; the verdict rests on all of them.
        decisive: the control that has half of the level of "not supported"; None: all comparisons have equal shares.
        besides: comparisons that are shown and decide nothing.
    """

    statement: str = Field(min_length=1)
    round: Count
    comparisons: Texts = Field(min_length=1)
    decisive: str | None = Field(None, description="a control among the comparisons")
    besides: Texts = Field(default_factory=list)


class Claims(Section):
    """Which claims are asked, and the rule that turns paired differences into verdicts."""

    asked: list[Claim] = Field(default=list(CLAIMS))
    own: dict[Name, OwnClaim] = Field(default_factory=dict)
    confidence: Annotated[float, Field(ge=0.5, lt=1), YAML_FLOAT] = 0.95
    margin: Annotated[float, Field(ge=0, description="percentage points"), YAML_FLOAT] = 1.0
    looks: list[Count] = Field(default_factory=list, description="numbers of seeds at which verdicts are read")
    resamples: Annotated[int, Field(ge=100, description="of the test images")] = 4000

    @property
    def level(self) -> float:
        """Of one-sided tests, all looks together."""
        return (1 - self.confidence) / 2
