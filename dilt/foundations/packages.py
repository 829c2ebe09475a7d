"""Whether packages are there that only some experiments need; nothing is imported to find out."""

from __future__ import annotations

from importlib.util import find_spec


def is_installed(package: str) -> bool:
    """Whether a package can be imported; a folder of that name in the working directory cannot."""
    found = find_spec(package)
    return found is not None and found.origin is not None
