"""What is wrong with a folder or a tar file of images, found without opening one, as ``key: what is wrong; cure``.

Run before any job, and again when the data are loaded.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.error_lines import and_more
from dilt.sources.folder_contents import contents, is_open
from dilt.sources.folder_levels import Levels
from dilt.sources.image_folders import (
    class_folders,
    entries,
    has_folders_only,
    images_per_class,
    is_folder,
    is_image,
    tree,
)
from dilt.sources.names import EXTENSIONS, has_image_name
from dilt.sources.tar_files import members
from dilt.sources.tar_splits import splits

if TYPE_CHECKING:
    from dilt.settings.data import DataSet


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
    elif not is_open(root):
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
        there = ", ".join(sorted(entry.name for entry in entries(root) if is_folder(entry))[:12]) or "no folder"
        yield f"{key}: no folder '{split}' in '{root}', which has {there}; name the folder of the images"
        return
    if not is_open(folder):
        yield f"root: '{folder}' cannot be read; allow it with chmod u+rx"
        return
    if not any(is_folder(entry) for entry in entries(folder)):
        yield f"{key}: no class folders in '{folder}'; put the images of each class into a folder of its own there"
    homes = [Path(os.path.realpath(place)) for place in (root, folder)]
    found: dict[str, list[str]] = {}
    for folders, entry in tree(folder, levels.number - 1):
        _note(found, entry, _top_finding(entry, homes, levels))
        holds_images = len(folders) == levels.number - 1 and is_folder(entry)
        if holds_images and not contents(entry.path).plain:
            for below in entries(entry.path):
                _note(found, below, _inner_finding(below, homes))
    for alike in found.values():
        yield f"root: {alike[0]}{and_more(alike)}"


def _note(found: dict[str, list[str]], entry: os.DirEntry[str], what: str | None) -> None:
    """Sort an entry by what is wrong with it, wherever its link leads, so that a thousand alike are one finding."""
    if what is not None:
        found.setdefault(what.partition("'")[0], []).append(f"'{entry.path}' {what}")


def _top_finding(entry: os.DirEntry[str], homes: Sequence[Path], levels: Levels) -> str | None:
    """What is wrong with an entry beside the class folders."""
    if is_folder(entry) and not is_open(entry.path):
        return "cannot be read; allow it with chmod u+rx"
    if is_image(entry):
        if levels.number > 1:
            return f"lies too high for {levels.shown()}; move it down, or correct class_depth and groups"
        return "is an image in no class folder; move it into the folder of its class"
    return None if os.path.isfile(entry.path) else _link_finding(entry, homes)


def _inner_finding(entry: os.DirEntry[str], homes: Sequence[Path]) -> str | None:
    """What is wrong with an entry of a class folder."""
    if link := _link_finding(entry, homes):
        return link
    if is_folder(entry) and has_folders_only(os.path.dirname(entry.path)):
        return (
            "is a folder inside a class folder that has no images of its own; if both name the class "
            "(alphabet/character), add one to class_depth; if one names a patient or such, set groups: {by: folder}"
        )
    if is_folder(entry):
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
    counts = images_per_class(split, levels)
    without = {name for name in counts if not counts[name] and name in (classes or counts)}
    unread = {
        name
        for name, folder in class_folders(split, levels)
        if name in without and (not is_open(folder) or has_folders_only(folder))
    }
    if empty := [name for name in counts if name in without - unread]:
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


def tar_findings(root: Path, data: DataSet) -> Iterator[str]:
    """What is wrong with a tar file, as ``key: what is wrong; cure``; all of the file is read for it."""
    try:
        found = [member for member in members(root) if has_image_name(member.path)]
    except ValueError as error:
        yield str(error)
        return
    if not found:
        yield f"root: '{root}' has no images ({', '.join(EXTENSIONS)}); make it again from the class folders"
    if links := [member.path for member in found if member.is_link]:
        more = and_more(links)
        yield f"root: '{root}': '{links[0]}' is a link{more}; make the file again with tar --dereference"
    if loose := [member.path for member in found if not member.folders]:
        yield f"root: '{root}': '{loose[0]}' is in no class folder{and_more(loose)}; move it into one"
    yield from split_findings(root, data)


def split_findings(root: Path, data: DataSet) -> Iterator[str]:
    """What is wrong with the splits that the configuration wants from a readable tar file."""
    there = splits(root)
    for key, split in (("train_split", data.train_split), ("test_split", data.test_split)):
        if there and split is not None and split not in there:
            yield f"{key}: '{split}', but '{root}' has the splits {', '.join(there)}; name one of them"
    if not there and data.test_split is not None:
        yield f"test_split: '{data.test_split}', but '{root}' has no splits; set it to null to hold out test_share"
    if there and data.test_split is None and len(there) > 1:
        rest = [name for name in there if name != data.train_split]
        yield f"test_split: null, but '{root}' has the splits {', '.join(there)}; name one, such as {rest[0]}"
    elif there and data.test_split == data.train_split:
        yield f"test_split: '{data.test_split}' is the training split; name another"
