"""What lies in a folder of images, looked through once a process: checks of a configuration ask a dozen times."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dilt.foundations.stamps import Stamp, stamp
from dilt.sources.names import has_image_name


class Contents(NamedTuple):
    """What lies in a folder.

    Attributes:
        images: number of entries with an image's name.
        plain: whether all entries are files; else there are folders, links, or things that are neither.
    """

    images: int
    plain: bool


def contents(folder: Path | str) -> Contents:
    """What lies in a folder now; nothing in one that cannot be read, which is not plain either."""
    if not is_open(folder):
        return Contents(0, plain=False)
    found = stamp(folder)
    return _look_through(folder) if found is None else _settled(folder, found)


def is_open(folder: Path | str) -> bool:
    """Whether the path is a folder that can be read."""
    return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)


@cache
def _settled(folder: Path | str, found: Stamp) -> Contents:
    """Kept until the folder changes."""
    return _look_through(folder)


def _look_through(folder: Path | str) -> Contents:
    images, plain = 0, True
    with os.scandir(folder) as entries:
        for entry in entries:
            images += has_image_name(entry.name)
            plain = plain and entry.is_file(follow_symlinks=False)
    return Contents(images, plain)
