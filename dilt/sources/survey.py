"""Looks through a folder of images that nothing is known of: splits, classes, groups, numbers and sizes.

Names are listed and headers of a sample of images read; no image is decoded. What to make of it is left to
`configuration.proposal`.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilt.sources.folder_levels import Levels
from dilt.sources.image_folders import entries, images_per_class, is_folder, is_image, listing
from dilt.sources.names import natural

TRAIN, TEST = ("train", "training"), ("test", "val", "valid", "validation", "eval")
HERE = "."  # the split of a folder whose class folders lie right below it
SAMPLE = 400  # images whose headers are read
# What stands before the number of an image, as in patient07_003.png.
GROUP = r"([^/]*\d+)[_-][^/_-]*\.\w+$"
DEEPEST = 3  # folders between a split and its images


@dataclass(frozen=True)
class Survey:
    """What a folder of images holds.

    Attributes:
        root: the folder.
        train_split, test_split: folders below it; `HERE` where classes lie in the folder itself, None where none is.
        class_depth: folders that name a class.
        classes: number of training images of each, in natural order of names.
        test_images: of all classes.
        sizes: width and height of a sample of the training images, the right way up.
        groups: images that a group has on average, where file names show groups (`GROUP`); None where they do not.
        unreadable: of the sample, images whose header cannot be read.
    """

    root: Path
    train_split: str
    test_split: str | None
    class_depth: int
    classes: Mapping[str, int]
    test_images: int
    sizes: Sequence[tuple[int, int]]
    groups: float | None
    unreadable: Sequence[Path]

    @property
    def images(self) -> int:
        """Training images."""
        return sum(self.classes.values())

    @property
    def short_side(self) -> int:
        """Median of the images' short sides, in pixels."""
        return _median([min(size) for size in self.sizes])

    @property
    def elongation(self) -> float:
        """Median of long side over short side."""
        return _median([round(100 * max(size) / min(size)) for size in self.sizes]) / 100


def look_at(root: Path) -> Survey:
    """Look through a folder.

    Raises:
        ValueError: there is no such folder, or it has no class folders with images.
    """
    if not root.is_dir():
        raise ValueError(f"{root}: no such folder; give the folder that has a folder of images for each class")
    folders = {entry.name.lower(): entry.name for entry in entries(root) if is_folder(entry)}
    train = next((folders[name] for name in TRAIN if name in folders), HERE)
    depth = _depth(root / train)
    levels = Levels(depth)
    counts = images_per_class(root / train, levels)
    classes = {name: counts[name] for name in sorted(counts, key=lambda name: (natural(name), name)) if counts[name]}
    if len(classes) < 2:
        raise ValueError(
            f"{root / train}: {len(classes)} folder(s) with images; a classifier needs two classes or more"
        )
    test = None if train == HERE else next((folders[name] for name in TEST if name in folders), None)
    tested = {} if test is None else images_per_class(root / test, levels)
    if set(classes) - {name for name, number in tested.items() if number}:
        test, tested = None, {}  # images without labels, or of some classes only
    files = [file for _, file in listing(root / train, levels)]
    sizes, unreadable = _sizes([root / train / file for file in _sample(files)])
    if not sizes:
        raise ValueError(f"{unreadable[0]}: cannot be read as an image, nor can {len(unreadable) - 1} more")
    return Survey(root, train, test, depth, classes, sum(tested.values()), sizes, _grouped(files), unreadable)


def _depth(split: Path) -> int:
    """Folders between a split and most of its images.

    Raises:
        ValueError: images lie in no folder, or there are none.
    """
    found: Counter[int] = Counter()
    level = [split]
    for depth in range(DEEPEST + 1):
        inside = [entry for folder in level for entry in entries(folder)]
        found[depth] = sum(map(is_image, inside))
        level = [Path(entry.path) for entry in inside if is_folder(entry)]
    depth = max(found, key=lambda depth: found[depth])
    if depth == 0 and found[0]:
        raise ValueError(
            f"{split}: its images lie in no class folder; put those of each class into a folder of its own"
        )
    if not found[depth]:
        there = ", ".join(sorted(entry.name for entry in entries(split))[:8]) or "nothing"
        raise ValueError(f"{split}: no images in {DEEPEST} levels of folders; there is {there}")
    return depth


def _sample(files: Sequence[str]) -> list[str]:
    """Files spread evenly over all classes."""
    step = math.ceil(len(files) / SAMPLE)
    return list(files[::step])


def _sizes(files: Sequence[Path]) -> tuple[list[tuple[int, int]], list[Path]]:
    """Width and height of images, the right way up; and the files that are none."""
    from PIL import ExifTags, Image

    sizes, unreadable = [], []
    for file in files:
        try:
            with Image.open(file) as image:
                turned = image.getexif().get(ExifTags.Base.Orientation, 1) > 4
                sizes.append((image.height, image.width) if turned else image.size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            unreadable.append(file)
    return sizes, unreadable


def _grouped(files: Sequence[str]) -> float | None:
    """Images of a group on average, if all names show one and groups are of few images in many."""
    found = [re.search(GROUP, file) for file in files]
    if not all(found):
        return None
    groups = Counter(each[1] for each in found if each)
    classes = len({os.path.dirname(file) for file in files})
    return len(files) / len(groups) if 3 * classes <= len(groups) <= len(files) / 2 else None


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]
