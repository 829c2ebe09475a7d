"""Findings of one kind made one line: the first as an example, and how many more there are.

A finding is a line ``key: what is wrong; cure``, in which names and values stand in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

EXAMPLES = 3  # names of other findings that the line has
MANY = 5  # up to this many findings that differ in their keys alone have lines of their own


def and_more(alike: Sequence[object]) -> str:
    """The words behind the first of some findings of one kind: how many more there are."""
    return f" (and {len(alike) - 1} more like it)" if len(alike) > 1 else ""


def grouped(lines: Iterable[str]) -> list[str]:
    """One line for each kind of finding.

    Findings are of one kind if they differ in quoted names, numbers, places in a list or targets alone; or if there are
    more than `MANY` that say the same of several keys of one section.
    """
    return _together(_together(lines, _kind, 1), _kind_in_section, MANY)


def _together(lines: Iterable[str], kind: Callable[[str], str], most: int) -> list[str]:
    """Lines by kind, in order of appearance; kinds of more than ``most`` lines are made one line."""
    kinds: dict[str, list[str]] = {}
    for line in dict.fromkeys(lines):
        kinds.setdefault(kind(line), []).append(line)
    return [line for alike in kinds.values() for line in (alike if len(alike) <= most else [_one(alike)])]


def _one(alike: Sequence[str]) -> str:
    for told in (_name, _key):  # what tells them apart
        first, *others = dict.fromkeys(map(told, alike))
        if first and others:
            names = f": {', '.join(others[:EXAMPLES])}{', ...' if len(others) > EXAMPLES else ''}"
            return f"{alike[0]}{and_more(alike)[:-1]}{names})"
    return f"{alike[0]}{and_more(alike)}"


def _kind(line: str) -> str:
    told = re.sub(r"\.\d+((\.\w+)*): .*?: ", r"\1: ", line.partition(";")[0], count=1)  # a member of a list, its value
    told = re.sub(r"(?<= )(['\"]).*?\1(?=[ ,:;)\]]|$)", "''", told)
    told = re.sub(r"\b(targets|partitions\.classes)\.[^.:]+", r"\1.*", told)
    return re.sub(r"\.\d+(?=[.:])|\d+(\.\d+)?", "0", told)


def _kind_in_section(line: str) -> str:
    key = _key(line)
    return _kind(line.replace(key, key.rpartition(".")[0], 1)) if key else line


def _name(line: str) -> str:
    """The first name in quotes."""
    found = re.search(r"(?<= )'.*?'(?=[ ,:;)\]]|$)", line)
    return found.group() if found else ""


def _key(line: str) -> str:
    """The key, in front or behind the name of a file."""
    parts = [part for part in line.split(": ")[:2] if re.fullmatch(r"[a-z][\w-]*(\.[\w -]+)+", part)]
    return parts[-1] if parts else ""
