"""The section ``tickets``: which there are, which are trained, and where claims are read."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from dilt.settings.base import Count, Section

Claim = Literal["C1", "C2", "C3"]  # each needs tickets of its own
CLAIMS: tuple[Claim, ...] = get_args(Claim)


class Tickets(Section):
    """Which tickets there are, which rounds' are trained, and where claims are read."""

    rounds: list[Count] = Field(min_length=1)
    claim_round: Count
    names: list[str] = Field(default_factory=list, description="tickets besides baselines; completed as claims need")
