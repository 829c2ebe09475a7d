"""Lists folders of images, ``SPLIT/CLASS/file`` below a root, without opening an image.

Reading the images is left to `streams`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from dilt.sources.folder_contents import contents, is_open
from dilt.sources.folder_levels import Levels
from dilt.sources.names import has_image_name, is_hidden, natural


def listing(split: Path, levels: Levels) -> Iterator[tuple[str, str]]:
    """Class and path from the split of every image."""
    found = [
        (name, os.path.join(os.path.relpath(folder, split), file))
        for name, folder in class_folders(split, levels)
        for file in filter(has_image_name, _names(folder))
    ]
    # The same on every machine: names that tie in natural order (IMG_3 and img_3) are sorted as they are written.
    yield from sorted(found, key=lambda image: (natural(image[1]), image[1]))


def others(split: Path, levels: Levels) -> list[str]:
    """Names of the files below a split that are no images, hidden ones aside."""
    return [
        entry.name for _, entry in tree(split, levels.number) if not is_folder(entry) and not has_image_name(entry.name)
    ]


def passed_over(names: Sequence[str]) -> str:
    """The line about files that are no images: how many there are of each suffix."""
    counts = Counter(os.path.splitext(name)[1].lower() or "no suffix" for name in names)
    told = ", ".join(
        f"{number} {suffix}" for suffix, number in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return f"passed over {len(names)} file(s) that are no images: {told}"


def images_per_class(split: Path, levels: Levels) -> dict[str, int]:
    """The classes of a split and the number of image files of each."""
    counts: dict[str, int] = {}
    for name, folder in class_folders(split, levels):
        counts[name] = counts.get(name, 0) + contents(folder).images
    return counts


def first_image(split: Path, levels: Levels) -> Path | None:
    """Any one image of a split; None where there is none."""
    for _, folder in class_folders(split, levels):
        for name in _names(folder):
            if has_image_name(name):
                return Path(folder) / name
    return None


def class_folders(split: Path, levels: Levels) -> Iterator[tuple[str, str]]:
    """Class and path of every folder that holds the images of one class (of one group, where folders name groups)."""
    for folders, entry in tree(split, levels.number - 1):
        if len(folders) == levels.number - 1 and is_folder(entry):
            yield levels.class_name([*folders, entry.name]), entry.path


def tree(split: Path, depth: int) -> Iterator[tuple[list[str], os.DirEntry[str]]]:
    """The entries of a split with up to ``depth`` folders above them, and these; a folder comes before its entries."""
    waiting: list[tuple[list[str], os.DirEntry[str]]] = [([], entry) for entry in reversed(entries(split))]
    while waiting:
        folders, entry = waiting.pop()
        yield folders, entry
        if len(folders) < depth and is_folder(entry):
            inside = [*folders, entry.name]
            waiting += [(inside, below) for below in reversed(entries(entry.path))]


def entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """The entries of a folder, by name, without hidden ones; none where it cannot be read, which checks report."""
    if not is_open(folder):
        return []
    with os.scandir(folder) as found:
        return sorted((entry for entry in found if not is_hidden(entry.name)), key=lambda entry: entry.name)


def has_folders_only(folder: str) -> bool:
    """Whether a folder has folders of images, but no images."""
    inside = entries(folder)
    return not any(map(is_image, inside)) and any(contents(entry.path).images for entry in inside if is_folder(entry))


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if is_open(folder) else []


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or links to one; false where the link leads to itself."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def is_image(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file with an image's name."""
    return has_image_name(entry.name) and not is_folder(entry)
