"""Folders of images, ``SPLIT/CLASS/file`` below a root: looked through before any image is opened.

Decoding the images is the business of `loading`.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dilt.settings import DataSet

EXTENSIONS = (".png", ".jpg", ".jpeg")  # what timm reads


def images_per_class(split: Path) -> dict[str, int]:
    """The class folders of a split and the number of image files in each."""
    folders = [entry for entry in _entries(split) if _is_folder(entry)]
    return {folder.name: sum(map(_has_image_name, _names(folder.path))) for folder in folders}


def first_image(split: Path) -> Path | None:
    """Any one image of a split; None where there is none."""
    for folder in _entries(split):
        for name in _names(folder.path):
            if _has_image_name(name):
                return Path(folder.path) / name
    return None


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
        yield from _split_findings(root, "train_split", data.train_split)
        for name, number in images_per_class(root / data.train_split).items():
            folder = root / data.train_split / name
            if number == 0 and name in (data.classes or [name]) and _is_open(folder):
                yield f"root: '{folder}' has no images; add some, or leave the class out"
        if data.test_split is not None:
            yield from _split_findings(root, "test_split", data.test_split)
            yield from _test_findings(root, data.train_split, data.test_split, data.classes)


def member_findings(tar_file: Path) -> Iterator[str]:
    """What is wrong with the members of a tar file, all of which must be read for it."""
    try:
        with tarfile.open(tar_file) as tar:
            members = tar.getmembers()
    except (tarfile.TarError, OSError, EOFError) as error:
        yield f"root: '{tar_file}' is damaged ({error}); make it again from the class folders"
        return
    images = [member for member in members if _has_image_name(member.name)]
    if not images and not any(member.name.endswith(".tar") for member in members):
        yield f"root: '{tar_file}' has no images ({', '.join(EXTENSIONS)}); make it again from the class folders"
    if links := [member.name for member in images if not member.isfile()]:
        more = _and_more(links)
        yield f"root: '{tar_file}': '{links[0]}' is a link{more}; make the file again with tar --dereference"
    if loose := [member.name for member in images if not os.path.dirname(os.path.normpath(member.name))]:
        yield f"root: '{tar_file}': '{loose[0]}' is in no class folder{_and_more(loose)}; move it into one"


def _tar_findings(root: Path, data: DataSet) -> Iterator[str]:
    if root.suffix != ".tar":
        yield f"root: '{root}' is a file but no .tar; give the folder of the images, or a tar file of class folders"
    elif not os.access(root, os.R_OK):
        yield f"root: '{root}' cannot be read; allow it with chmod u+r"
    elif not tarfile.is_tarfile(root):
        yield f"root: '{root}' is not readable as a tar file; make it again from the class folders"
    elif data.test_split is not None:
        yield f"test_split: '{data.test_split}', but a tar file has no splits; set it to null to hold out test_share"


def _split_findings(root: Path, key: str, split: str) -> Iterator[str]:
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
    for entry in _entries(folder):
        _note(found, entry, _top_finding(entry, homes))
        if _is_folder(entry):
            for file in _entries(entry.path):
                _note(found, file, _inner_finding(file, homes))
    for alike in found.values():
        yield f"root: {alike[0]}{_and_more(alike)}"


def _note(found: dict[str, list[str]], entry: os.DirEntry[str], what: str | None) -> None:
    """Sort an entry by what is wrong with it (where a link leads aside): a thousand alike are one finding."""
    if what is not None:
        found.setdefault(what.partition("'")[0], []).append(f"'{entry.path}' {what}")


def _and_more(alike: Sequence[str]) -> str:
    return f" (and {len(alike) - 1} more like it)" if len(alike) > 1 else ""


def _top_finding(entry: os.DirEntry[str], homes: Sequence[Path]) -> str | None:
    """What is wrong with an entry beside the class folders."""
    if _is_folder(entry) and not _is_open(entry.path):
        return "cannot be read; allow it with chmod u+rx"
    if _is_image(entry):
        return "is an image in no class folder; move it into the folder of its class"
    return None if os.path.isfile(entry.path) else _link_finding(entry, homes)


def _inner_finding(entry: os.DirEntry[str], homes: Sequence[Path]) -> str | None:
    """What is wrong with an entry of a class folder."""
    if link := _link_finding(entry, homes):
        return link
    if _is_folder(entry):
        return "is a folder inside a class folder; move its images up, or remove it"
    if not entry.name.startswith(".") and not (_has_image_name(entry.name) and entry.is_file()):
        return f"is not an image file; move it out of the class folder ({', '.join(EXTENSIONS)} are images)"
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


def _test_findings(root: Path, train: str, test: str, classes: Sequence[str] | None) -> Iterator[str]:
    """Classes that are on one side only."""
    if train == test:
        yield f"test_split: '{test}' is the training split; name another folder, or set it to null to hold out a share"
        return
    if not ((root / train).is_dir() and (root / test).is_dir()):
        return
    trained = {name for name, number in images_per_class(root / train).items() if number}
    tested = {name for name, number in images_per_class(root / test).items() if number}
    if missing := sorted(trained.intersection(classes or trained) - tested):
        more = _and_more(missing)
        yield f"test_split: class '{missing[0]}' has no images in '{root / test}'; add some, or leave it out{more}"
    if foreign := sorted(tested - trained):
        more = _and_more(foreign)
        yield f"test_split: class '{foreign[0]}' of '{root / test}' has no training images; add some or remove it{more}"


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What a folder holds, by name; nothing where it cannot be read, which is a finding of its own."""
    if not _is_open(folder):
        return []
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _names(folder: str) -> list[str]:
    return os.listdir(folder) if _is_open(folder) else []


def _is_open(folder: Path | str) -> bool:
    return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or links to one; false where the link ends in itself."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _is_image(entry: os.DirEntry[str]) -> bool:
    return _has_image_name(entry.name) and not _is_folder(entry)


def _has_image_name(name: str) -> bool:
    return name.lower().endswith(EXTENSIONS)
