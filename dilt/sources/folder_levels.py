"""The folders above an image: which name its class, and which its group.

Works on names alone; what lies in folders is looked through by `image_folders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dilt.foundations.error_lines import and_more
from dilt.sources.names import natural

if TYPE_CHECKING:
    from dilt.settings.data import DataSet

SPLITS = ("train", "training", "val", "valid", "validation", "eval", "test")  # folders that are no part of a class


@dataclass(frozen=True)
class Levels:
    """The folders between a split and its images: those that name the class, and one that names the group.

    Attributes:
        depth: folders that name a class.
        group: where the folder of the group is, seen from those of the class; None where there is none.
    """

    depth: int = 1
    group: Literal["below", "above"] | None = None

    @classmethod
    def of(cls, data: DataSet) -> Levels:
        """The levels of a data set."""
        return cls(data.class_depth, data.groups.folder if data.groups and data.groups.by == "folder" else None)

    @property
    def number(self) -> int:
        """Folders above an image."""
        return self.depth + (self.group is not None)

    def class_name(self, folders: Sequence[str]) -> str:
        """The class, ``alphabet/character``, from the folders above an image."""
        return "/".join(folders[1:] if self.group == "above" else folders[: self.depth])

    def shown(self) -> str:
        """The folders in words."""
        own = "/".join(["CLASS"] * self.depth)
        return {"above": f"GROUP/{own}", "below": f"{own}/GROUP", None: own}[self.group]


def labels_by_folders(folders: Sequence[Sequence[str]], levels: Levels) -> tuple[list[int], list[str]]:
    """Label of every image, by the folders above it, and the class names, in natural order.

    Raises:
        ValueError: an image has fewer folders above it than name its class and group.
    """
    if short := ["/".join(names) for names in folders if len(names) < levels.number]:
        raise ValueError(
            f"class_depth: images of '{short[0]}'{and_more(short)} have too few folders above them; they should lie in "
            f"{levels.shown()}"
        )
    names = [levels.class_name(above[-levels.number :]) for above in folders]
    classes = sorted(set(names), key=lambda name: (natural(name), name))
    place = {name: label for label, name in enumerate(classes)}
    return [place[name] for name in names], classes


def require_distinct(folders: Sequence[Sequence[str]]) -> None:
    """Make sure that each class has one folder, or one in each split, where a folder's own name is the class.

    Raises:
        ValueError: folders of one name lie in several other folders.
    """
    parents: dict[str, dict[str, str]] = {}  # class to its folders: path above to whole path
    for *above, name in {tuple(names): None for names in folders}:
        if not above or above[-1] not in SPLITS:
            parents.setdefault(name, {})["/".join(above)] = "/".join([*above, name])
    if several := [list(places.values()) for places in parents.values() if len(places) > 1]:
        raise ValueError(
            f"class_depth: images in '{several[0][0]}' and in '{several[0][1]}' would be one class"
            f"{and_more(several)}; set class_depth: 2 for classes such as '{'/'.join(several[0][0].split('/')[-2:])}'"
        )
