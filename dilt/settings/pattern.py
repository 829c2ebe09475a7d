"""The form of ``pruning.pattern``: null, or N:M as text."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

NUMBERS = re.compile(r"([1-9][0-9]*):([1-9][0-9]*)", re.ASCII)


def numbers(text: str) -> tuple[int, int]:
    """N and M of N:M.

    Raises:
        ValueError: the text has another form, or N is not below M.
    """
    found = NUMBERS.fullmatch(text)
    if found is None or int(found[1]) >= int(found[2]):
        raise ValueError('should be null, or N:M in quotes, with N from 1 and below M, such as "2:4"')
    return int(found[1]), int(found[2])


def _checked(value: Any) -> Any:
    """One message, where pydantic would give one for the type and another for the form."""
    if value is not None:
        numbers(value if isinstance(value, str) else "")
    return value


PatternText = Annotated[
    str | None,
    Field(description="N:M: of every M weights along a layer's inputs at most N live, from the first round on"),
    BeforeValidator(_checked),
]
