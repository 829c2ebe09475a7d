"""The section ``tickets``: which there are, which are trained, and where claims are read."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from dilt.settings.base import Count, Distinct, Name, Section

Claim = Literal["C1", "C2", "C3"]  # of the paper; each needs tickets of its own
CLAIMS: tuple[Claim, ...] = get_args(Claim)


class ClaimRounds(Section):
    """The round at which each claim of the paper is read; that of C2 is also that of assemblies and of layers."""

    C1: Count = Field(default=6, description="left out: the middle one of tickets.rounds")
    C2: Count = Field(default=8, description="left out: the last of tickets.rounds")
    C3: Count = Field(default=8, description="left out: the last of tickets.rounds")


class Tickets(Section):
    """Which tickets there are, which rounds' are trained, and where claims are read.

    The default rounds are those of ten rounds of pruning; `configuration.derived_defaults` fits them to other numbers.
    """

    rounds: Distinct[Count] = Field(
        [3, 6, 8],
        min_length=1,
        description="left out: about 0.3 and 0.6 of pruning.rounds, and two rounds before their last",
    )
    claim_rounds: ClaimRounds = Field(ClaimRounds(), description="left out: those of the single claims")
    draws: Count = Field(1, description="of every random, shuffled and re-initialised ticket; scores are averaged")
    names: Distinct[str] = Field(default_factory=list, description="tickets besides those that claims and figures read")
    match: Literal["weights", "effective"] = Field(
        "weights", description="what x@y has as many of as y: weights, or those on a path from input to output"
    )
    define: dict[Name, str] = Field(default_factory=dict, description="tickets of your own: masks' algebra by name")

    @property
    def named(self) -> list[str]:
        """The tickets that the user asks for: those of their own, then those named."""
        return [*self.define, *self.names]
