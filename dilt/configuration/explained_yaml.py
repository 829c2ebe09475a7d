"""Writes a short configuration as people write YAML: sections open, what is below in a line, reasons as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

WIDTH = 110  # columns of a line
OPEN = ("source",)  # sections with a line for each key


def written(values: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    """A configuration as text.

    Args:
        reasons: by place (``source.root``), why a key has its value; that of the whole by the empty place.
    """
    lines = [*_comment(reasons.get("", ""))]
    for key, value in values.items():
        lines += _comment(reasons.get(key, ""))
        if key not in OPEN:
            lines += _entry(key, value)
            continue
        lines.append(f"{key}:")
        for inner, member in value.items():
            below = [*_comment(reasons.get(f"{key}.{inner}", "")), *_entry(inner, member)]
            lines += [f"  {line}" for line in below]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, WIDTH - 2):
        yield f"# {line}"


def _entry(key: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and len(_flow(value)) + len(key) + 2 > WIDTH:
        return [f"{key}:", *(f"  {line}" for inner, member in value.items() for line in _entry(inner, member))]
    text = _flow(value)
    if len(key) + len(text) + 2 <= WIDTH:
        return [f"{key}: {text}"]
    first, *rest = textwrap.wrap(f"{key}: {text}", WIDTH, break_long_words=False, break_on_hyphens=False)
    return [first, *(f"  {line}" for line in rest)]


def _flow(value: Any) -> str:
    """A value in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
