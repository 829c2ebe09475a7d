"""Folders of images, ``SPLIT/CLASS/file`` below a root: looked through before any image is opened.

Decoding the images is the business of `loading`.
"""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.findings import and_more
from dilt.sources.levels import Levels, natural

if TYPE_CHECKING:
    from dilt.settings.data import DataSet

# What torchvision's ImageFolder takes for an image, and what else Pillow reads without loss into 8 bits.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    *(".gif", ".jfif", ".jpe", ".pbm", ".pnm", ".tga"),
)
ASIDE = ("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information")  # made by systems, no classes


def listing(split: Path, levels: Levels) -> Iterator[tuple[str, str]]:
    """Class and path from the split of every image."""
    found = [
        (name, os.path.join(os.path.relpath(folder, split), file))
        for name, folder in _class_folders(split, levels)
        for file in filter(has_image_name, _names(folder))
    ]
    # The same on every machine: names that tie in natural order (IMG_3 and img_3) are told apart as they are.
    yield from sorted(found, key=lambda image: (natural(image[1]), image[1]))


def others(split: Path, levels: Levels) -> list[str]:
    """Names of the files below a split that are no images, hidden ones aside."""
    return [
        entry.name
        for _, entry in _tree(split, levels.number)
        if not _is_folder(entry) and not has_image_name(entry.name)
    ]


def passed_over(names: Sequence[str]) -> str:
    """What to say of files that are no images: how many of each suffix."""
    counts = Counter(os.path.splitext(name)[1].lower() or "no suffix" for name in names)
    told = ", ".join(
        f"{number} {suffix}" for suffix, number in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return f"passed over {len(names)} file(s) that are no images: {told}"


def images_per_class(split: Path, levels: Levels) -> dict[str, int]:
    """The classes of a split and the number of image files of each."""
    counts: dict[str, int] = {}
    for name, folder in _class_folders(split, levels):
        counts[name] = counts.get(name, 0) + sum(map(has_image_name, _names(folder)))
    return counts


def first_image(split: Path, levels: Levels) -> Path | None:
    """Any one image of a split; None where there is none."""
    for _, folder in _class_folders(split, levels):
        for name in _names(folder):
            if has_image_name(name):
                return Path(folder) / name
    return None


def _class_folders(split: Path, levels: Levels) -> Iterator[tuple[str, str]]:
    """Class and path of every folder that has images of one class, and of one group where folders tell it."""
    for folders, entry in _tree(split, levels.number - 1):
        if len(folders) == levels.number - 1 and _is_folder(entry):
            yield levels.class_name([*folders, entry.name]), entry.path


def _tree(split: Path, depth: int) -> Iterator[tuple[list[str], os.DirEntry[str]]]:
    """What a split holds, down to what so many folders hold, with the folders above it; each in front of its own."""
    waiting: list[tuple[list[str], os.DirEntry[str]]] = [([], entry) for entry in reversed(_entries(split))]
    while waiting:
        folders, entry = waiting.pop()
        yield folders, entry
        if len(folders) < depth and _is_folder(entry):
            inside = [*folders, entry.name]
            waiting += [(inside, below) for below in reversed(_entries(entry.path))]


def findings(data: DataSet) -> Iterator[str]:
    """What is wrong with the files of a folder data set, as ``key: what is wrong; cure``."""
    if data.root is None:
        yield "root: missing; a folder data set needs the folder of its images"
        return
    root = Path(data.root)
    if not root.exists():
        yield f"root: '{root}' does not exist; give the folder that holds '{data.train_split}'"
    elif not root.is_dir():
        yield from _tar_findings(root, data)
    elif not _is_open(root):
        yield f"root: '{root}' cannot be read; allow it with chmod u+rx"
    else:
        levels = Levels.of(data)
        yield from _split_findings(root, "train_split", data.train_split, levels)
        yield from _empty_findings(root / data.train_split, levels, data.classes)
        if data.test_split is not None:
            yield from _split_findings(root, "test_split", data.test_split, levels)
            yield from _test_findings(root, data.train_split, data.test_split, data.classes, levels)


def _tar_findings(root: Path, data: DataSet) -> Iterator[str]:
    if root.suffix != ".tar":
        yield f"root: '{root}' is a file but no .tar; give the folder of the images, or a tar file of class folders"
    elif not os.access(root, os.R_OK):
        yield f"root: '{root}' cannot be read; allow it with chmod u+r"
    elif not tarfile.is_tarfile(root):
        yield f"root: '{root}' is not readable as a tar file; make it again from the class folders"


def _split_findings(root: Path, key: str, split: str, levels: Levels) -> Iterator[str]:
    folder = root / split
    if not folder.is_dir():
        there = ", ".join(sorted(entry.name for entry in _entries(root) if _is_folder(entry))[:12]) or "no folder"
        yield f"{key}: no folder '{split}' in '{root}', which has {there}; name the folder of the images"
        return
    if not _is_open(folder):
        yield f"root: '{folder}' cannot be read; allow it with chmod u+rx"
        return
    if not any(_is_folder(entry) for entry in _entries(folder)):
        yield f"{key}: no class folders in '{folder}'; put the images of each class into a folder of its own there"
    homes = [Path(os.path.realpath(place)) for place in (root, folder)]
    found: dict[str, list[str]] = {}
    for folders, entry in _tree(folder, levels.number):
        inner = len(folders) == levels.number
        _note(found, entry, _inner_finding(entry, homes) if inner else _top_finding(entry, homes, levels))
    for alike in found.values():
        yield f"root: {alike[0]}{and_more(alike)}"


def _note(found: dict[str, list[str]], entry: os.DirEntry[str], what: str | None) -> None:
    """Sort an entry by what is wrong with it (where a link leads aside): a thousand alike are one finding."""
    if what is not None:
        found.setdefault(what.partition("'")[0], []).append(f"'{entry.path}' {what}")


def _top_finding(entry: os.DirEntry[str], homes: Sequence[Path], levels: Levels) -> str | None:
    """What is wrong with an entry beside the class folders."""
    if _is_folder(entry) and not _is_open(entry.path):
        return "cannot be read; allow it with chmod u+rx"
    if _is_image(entry):
        if levels.number > 1:
            return f"lies too high for {levels.shown()}; move it down, or correct class_depth and groups"
        return "is an image in no class folder; move it into the folder of its class"
    return None if os.path.isfile(entry.path) else _link_finding(entry, homes)


def _inner_finding(entry: os.DirEntry[str], homes: Sequence[Path]) -> str | None:
    """What is wrong with an entry of a class folder."""
    if link := _link_finding(entry, homes):
        return link
    if _is_folder(entry) and _has_folders_only(os.path.dirname(entry.path)):
        return (
            "is a folder inside a class folder that has no images of its own; if both name the class "
            "(alphabet/character), add one to class_depth; if one names a patient or such, set groups: {by: folder}"
        )
    if _is_folder(entry):
        return "is a folder inside a class folder; move its images up, or remove it"
    if has_image_name(entry.name) and not entry.is_file():
        return "is neither a file nor a folder; remove it"
    return None


def _link_finding(entry: os.DirEntry[str], homes: Sequence[Path]) -> str | None:
    if not entry.is_symlink():
        return None
    end = Path(os.path.realpath(entry.path))
    if not end.exists():
        return f"is a symbolic link to '{end}', which does not exist; remove the link or restore the file"
    if not any(end.is_relative_to(home) for home in homes):
        return (
            f"is a symbolic link out of the folder, to '{end}'; copy the file, or give the folder it leads to as root"
        )
    return None


def _empty_findings(split: Path, levels: Levels, classes: Sequence[str] | None) -> Iterator[str]:
    """Classes without images."""
    unread = {
        name for name, folder in _class_folders(split, levels) if not _is_open(folder) or _has_folders_only(folder)
    }
    counts = images_per_class(split, levels)
    if empty := [name for name in counts if not counts[name] and name in (classes or counts) and name not in unread]:
        place = split / ("*" if levels.group == "above" else "") / empty[0]
        yield f"root: '{place}' has no images; add some, or leave the class out{and_more(empty)}"


def _test_findings(root: Path, train: str, test: str, classes: Sequence[str] | None, levels: Levels) -> Iterator[str]:
    """Classes that are on one side only."""
    if train == test:
        yield f"test_split: '{test}' is the training split; name another folder, or set it to null to hold out a share"
        return
    if not ((root / train).is_dir() and (root / test).is_dir()):
        return
    trained = {name for name, number in images_per_class(root / train, levels).items() if number}
    tested = {name for name, number in images_per_class(root / test, levels).items() if number}
    if missing := sorted(trained.intersection(classes or trained) - tested):
        more = and_more(missing)
        yield f"test_split: class '{missing[0]}' has no images in '{root / test}'; add some, or leave it out{more}"
    if foreign := sorted(tested - trained):
        more = and_more(foreign)
        yield f"test_split: class '{foreign[0]}' of '{root / test}' has no training images; add some or remove it{more}"


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What a folder holds, by name; nothing where it cannot be read, which is a finding of its own."""
    if not _is_open(folder):
        return []
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not is_hidden(entry.name)), key=lambda entry: entry.name)


def _has_folders_only(folder: str) -> bool:
    """Whether a folder has folders of images, but no images."""
    entries = _entries(folder)
    return not any(map(_is_image, entries)) and any(
        any(map(has_image_name, _names(entry.path))) for entry in entries if _is_folder(entry)
    )


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if _is_open(folder) else []


def _is_open(folder: Path | str) -> bool:
    return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or links to one; false where the link ends in itself."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _is_image(entry: os.DirEntry[str]) -> bool:
    return has_image_name(entry.name) and not _is_folder(entry)


def has_image_name(name: str) -> bool:
    """Whether a file's name is that of an image."""
    return name.lower().endswith(EXTENSIONS) and not is_hidden(os.path.basename(name))


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that systems and editors put beside what is meant: neither class nor image."""
    return (name.startswith(".") and name not in (".", "..")) or name in ASIDE
