"""Findings of one kind told as one: the first as an example, and how many more there are.

A finding is a line ``key: what is wrong; cure``, in which names and values stand in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EXAMPLES = 3  # of the others that are named too


def and_more(alike: Sequence[object]) -> str:
    """What to say behind the first of some findings that are alike."""
    return f" (and {len(alike) - 1} more like it)" if len(alike) > 1 else ""


def grouped(lines: Iterable[str]) -> list[str]:
    """One line for each kind: those that differ in quoted names, numbers, places in a list or targets are alike."""
    kinds: dict[str, list[str]] = {}
    for line in dict.fromkeys(lines):
        kinds.setdefault(_kind(line), []).append(line)
    return [_one(alike) for alike in kinds.values()]


def _one(alike: Sequence[str]) -> str:
    if len(alike) == 1:
        return alike[0]
    for told in (_name, _key):  # what tells them apart
        first, *others = dict.fromkeys(map(told, alike))
        if first and others:
            names = f": {', '.join(others[:EXAMPLES])}{', ...' if len(others) > EXAMPLES else ''}"
            return f"{alike[0]}{and_more(alike)[:-1]}{names})"
    return f"{alike[0]}{and_more(alike)}"


def _kind(line: str) -> str:
    told = re.sub(r"\.\d+((\.\w+)*): .*?: ", r"\1: ", line.partition(";")[0], count=1)  # a member of a list, its value
    told = re.sub(r"(?<= )(['\"]).*?\1(?=[ ,:;)\]]|$)", "''", told)
    told = re.sub(r"(\btargets)\.[^.:\s]+", r"\1.*", told)
    return re.sub(r"\.\d+(?=[.:])|\d+(\.\d+)?", "0", told)


def _name(line: str) -> str:
    """The first name in quotes."""
    found = re.search(r"(?<= )'.*?'(?=[ ,:;)\]]|$)", line)
    return found.group() if found else ""


def _key(line: str) -> str:
    """The key, in front or behind the name of a file."""
    parts = [part for part in line.split(": ")[:2] if re.fullmatch(r"[a-z][\w-]*(\.[\w -]+)+", part)]
    return parts[-1] if parts else ""
