"""Dates of files after the computer's clock was set back: results from before are dated in the future then.

Snakemake ends each job whose input is newer than its output, and removes the output, until the clock has caught up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

SECONDS = 1.0  # that clocks of a file server and of this computer may differ


def date_now(*folders: Path) -> str:
    """Date all results of the future now; gives a line that says so, or an empty one if there are none."""
    now = time.time()
    ahead = {path: date - now for path, date in _dates(folders) if date > now + SECONDS}
    for path in ahead:
        with suppress(OSError):  # it belongs to another, or has just gone
            os.utime(path, (now, now))  # one date for all: none is newer than what was made of it
    if not ahead:
        return ""
    minutes = max(ahead.values()) / 60
    return (
        f"{len(ahead)} results are dated up to {minutes:,.0f} minutes in the future: was the clock set back? Dated now."
    )


def _dates(folders: tuple[Path, ...]) -> Iterator[tuple[Path, float]]:
    """All files with their dates; of a store of arrays its root metadata, which stands for it."""
    for folder in folders:
        for place, below, files in os.walk(folder):
            if place.endswith(".zarr"):
                below.clear()
                files = [name for name in files if name == "zarr.json"]
            for path in (Path(place, name) for name in files):
                with suppress(OSError):
                    yield path, path.stat().st_mtime
