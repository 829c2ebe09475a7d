"""Whether a file or folder is as it was, told without reading it: what was found out of it is not found out again."""

from __future__ import annotations

import os
import time
from pathlib import Path

SETTLED = 2 * 10**9  # nanoseconds after which a change gives a file or folder another time, on any file system

Stamp = tuple[int, ...]


def stamp(path: Path | str) -> Stamp | None:
    """Numbers that are others once the file or folder has changed; None if it has just changed.

    What changes within a tick of the file system's clock keeps its time.
    """
    found = os.stat(path)
    if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < SETTLED:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
