"""The section ``instability``: which rewinding epochs are tried, and how finely lines between networks are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dilt.settings.base import Distinct, Section
from dilt.settings.training import Length


class Instability(Section):
    """Instability analysis (Frankle et al. 2020): errors on straight lines between trained networks."""

    rewind_epochs: Distinct[Length] = Field(
        default_factory=list, description="rewinding epochs to try besides pruning.rewind_epoch"
    )
    points: Annotated[int, Field(ge=3, description="of a line, both ends included; odd")] = 11
