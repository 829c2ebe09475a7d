"""The section ``evaluation``: what is measured of trained networks on test images, beside accuracy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import Distinct, Section

CLEAN = "none"  # the corruption of images as they are
Corruption = Literal["noise", "blur", "brightness", "contrast", "pixelate"]
Severity = Annotated[int, Field(ge=1, le=5)]


class Evaluation(Section):
    """What is measured of trained networks on test images, and what is kept of it."""

    keep_logits: bool = True
    corruptions: Distinct[Corruption] = Field(default=["noise", "blur", "brightness", "contrast"])
    severity: Severity = 3
