"""What is wrong with the files of a data set, found without opening an image, as ``key: what is wrong; cure``.

Run before any job, and again when the data are loaded. What is wrong in folders is found by `folder_checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.packages import is_installed
from dilt.sources import folder_checks, image_groups, layouts

if TYPE_CHECKING:
    from dilt.settings.data import DataSet

# What timm's readers import, and what pip installs it by.
PACKAGES = {
    "hfds/": ("datasets", "'dilt[hf]'"),
    "hfids/": ("datasets", "'dilt[hf]'"),
    "wds/": ("webdataset", "'dilt[wds]'"),
    "tfds/": ("tensorflow_datasets", "tensorflow-datasets tensorflow"),
}


def findings(data: DataSet, whole: bool = True) -> Iterator[str]:
    """What is wrong with the files of a folder, a tar file or a standard layout; of others, the package that is absent.

    Args:
        whole: also read all of a tar file, however large.
    """
    if data.name in layouts.NAMES:
        yield from _layout_findings(data)
    elif data.name == "folder":
        found = list(folder_checks.findings(data))
        yield from found
        root = Path(data.root or "")
        if whole and not found and root.is_file():
            yield from folder_checks.tar_findings(root, data)
    else:
        yield from package_findings(data)


def package_findings(data: DataSet) -> Iterator[str]:
    """Which package the data set's reader needs and this installation lacks."""
    for reader, (package, wanted) in PACKAGES.items():
        if data.name.startswith(reader) and not is_installed(package):
            yield f"name: '{data.name}' needs the package {package}: pip install {wanted}"


def _layout_findings(data: DataSet) -> Iterator[str]:
    """What is wrong with a data set of a standard layout, as ``key: what is wrong; cure``."""
    held_out = layouts.HELD_OUT[data.name]
    if data.train_split != "train":
        yield f"train_split: '{data.train_split}', but {data.name} has train and {held_out}; set it to train"
    if data.test_split not in (None, held_out):
        yield (
            f"test_split: '{data.test_split}', but the other split of {data.name} with labels is {held_out}; name "
            "that, or set it to null to hold out test_share"
        )
    if data.image_size is None and data.name != layouts.TINY_IMAGENET:
        yield f"image_size: missing; images of {data.name} differ in size; give a size in pixels, such as 224"
    if data.root is None:
        yield f"root: missing; give the folder that {data.name} was unpacked into"
    elif not Path(data.root).is_dir():
        yield f"root: '{data.root}' is no folder; give the one that {data.name} was unpacked into"
    else:
        for place in layouts.needed_files(data.name, Path(data.root), test=data.test_split is not None):
            if not place.exists():
                yield f"root: no '{place}', which {data.name} has; unpack it again, or give another root"
                return


def list_findings(data: DataSet) -> Iterator[str]:
    """What is wrong with the lists of a data set whose files are there; ImageNet's training images are not listed."""
    try:
        if data.name != layouts.IMAGENET:
            layouts.index(data, data.train_split)
        if data.test_split is not None:
            layouts.index(data, data.test_split)
    except ValueError as error:
        yield str(error)


def group_findings(data: DataSet) -> Iterator[str]:
    """What is wrong with the choice of groups, found without images' names, as ``key: what is wrong; cure``."""
    choice = data.groups
    if choice is None:
        return
    if choice.by == "folder" and data.name != "folder":
        yield f"groups.by: folder, but {data.name} has its folders as they are; group by pattern or table"
    elif choice.by == "pattern":
        try:
            if not re.compile(choice.pattern).groups:
                yield (
                    f"groups.pattern: '{choice.pattern}' has no parentheses; put them around what images of one group "
                    r"have in common, as in '(patient\d+)_'"
                )
        except re.error as error:
            yield f"groups.pattern: '{choice.pattern}' is no regular expression ({error}); correct it"
    elif choice.by == "table":
        if not Path(choice.table).is_file():
            yield f"groups.table: '{choice.table}' does not exist; give a CSV with a row per image"
            return
        try:
            image_groups.read_groups(choice)
        except ValueError as error:
            yield f"groups.table: {error}"
