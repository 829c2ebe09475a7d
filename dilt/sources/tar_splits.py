"""Class folders in a tar file, ``[SPLIT/]CLASS/file``: its splits, and the images of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dilt.sources.folder_levels import SPLITS
from dilt.sources.names import has_image_name
from dilt.sources.tar_files import Member, members


def splits(root: Path) -> dict[str, str]:
    """The splits of a tar file and their folders, if all its images lie in two or more folders named like splits."""
    places = {tuple(_to_split(member.folders)) for member in members(root) if has_image_name(member.path)}
    if len(places) < 2 or not all(place and place[-1] in SPLITS for place in places):
        return {}
    return {place[-1]: "/".join(place) for place in sorted(places)}


def _to_split(folders: Sequence[str]) -> Sequence[str]:
    """The folders down to the first that is named like a split; none where there is none."""
    for depth, name in enumerate(folders, 1):
        if name in SPLITS:
            return folders[:depth]
    return ()


def images(root: Path, split: str) -> list[Member]:
    """The images of a split, or all where the tar file has no splits; paths below the split's folder."""
    found = [member for member in members(root) if has_image_name(member.path)]
    there = splits(root)
    if not there:
        return found
    folder = f"{there[split]}/"
    return [
        Member(one.path.removeprefix(folder), one.offset, one.size, one.is_link)
        for one in found
        if one.path.startswith(folder)
    ]


def others(root: Path) -> list[str]:
    """Names of the files that are no images."""
    return [member.path for member in members(root) if not has_image_name(member.path)]
