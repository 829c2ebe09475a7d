"""A cache of facts about networks that take seconds to find out; it lies in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dilt.foundations.storage import canonical, read_json, write_json


def folder() -> Path:
    """The folder of the cache, by the XDG base directory specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dilt"


def kept(module: str, asked: Mapping[str, Any], find_out: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer to a question about a network, found out once with the same code, timm and torch.

    Args:
        module: the module that finds such answers; the last part of its name is the name of their folder.
        asked: the question, JSON-able.
        find_out: finds the answer, JSON-able too.
    """
    from dilt.jobs.fingerprint import code_digest

    told = f"{canonical(asked)} timm {version('timm')} torch {version('torch')} {code_digest(module)}"
    file = folder() / module.rpartition(".")[2] / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"
    try:
        found: dict[str, Any] = read_json(file)
    except (OSError, ValueError):
        found = find_out()
        try:
            write_json(file, found)
        except OSError as error:
            print(f"{file}: not kept ({error.strerror}); it will be found out again, in seconds", flush=True)
    return found
