"""Which images belong together: those of one patient, film or street sign, by name, folder or table.

Works on names alone. Keeping a group on one side of every split is left to `data.splitting`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.error_lines import and_more
from dilt.foundations.tables import read_mapping
from dilt.sources.folder_levels import Levels

if TYPE_CHECKING:
    from dilt.settings.data import DataSet, GroupChoice, TableGroups


def groups_of(names: Sequence[str], data: DataSet) -> list[str]:
    """The group of every image.

    Args:
        names: paths from the root, or in a tar file.

    Raises:
        ValueError: images have no group.
    """
    choice = data.groups
    assert choice is not None
    find, lacks, cure = _finder(choice, Levels.of(data))
    found = [find(name) for name in names]
    if lone := [name for name, group in zip(names, found, strict=True) if not group]:
        raise ValueError(f"groups.{choice.by}: {lacks} '{lone[0]}'{and_more(lone)}; {cure}")
    return [group for group in found if group]


def require_apart(groups: Sequence[str], train: Sequence[str], test: Sequence[str], data: DataSet) -> None:
    """Make sure that no group is in the training split and in the test split that the data come with.

    Args:
        groups: of the training images.
        train, test: names of the images.

    Raises:
        ValueError: test images have no group, or one that training images have.
    """
    trained = dict(zip(groups, train, strict=True))
    tested = dict(zip(groups_of(test, data), test, strict=True))
    if shared := sorted(set(trained) & set(tested)):
        raise ValueError(
            f"groups: '{shared[0]}' is in '{data.train_split}' ('{trained[shared[0]]}') and in '{data.test_split}' "
            f"('{tested[shared[0]]}'){and_more(shared)}; move its images to one of them, or set test_split to null to "
            "hold out whole groups"
        )


def _finder(choice: GroupChoice, levels: Levels) -> tuple[Callable[[str], str | None], str, str]:
    """A function from a name to its group or None, and the error's words for None: what lacks a group, and the cure."""
    if choice.by == "pattern":
        pattern = re.compile(choice.pattern)

        def matched(name: str) -> str | None:
            match = pattern.search(name)
            return "/".join(part or "" for part in match.groups()).strip("/") if match else None

        return matched, f"'{choice.pattern}' finds no group in", "widen the pattern; it is searched in the whole path"
    if choice.by == "folder":

        def above(name: str) -> str | None:
            folders = name.split("/")[:-1][-levels.number :]
            return None if len(folders) < levels.number else folders[0 if levels.group == "above" else -1]

        return above, "no folder tells the group of", f"images should lie in {levels.shown()}"
    groups = read_groups(choice)

    def listed(name: str) -> str | None:
        return next((groups[end] for end in _endings(name) if end in groups), None)

    return listed, f"'{choice.table}' has no row for", f"add one with its path or file name as '{choice.image_column}'"


def read_groups(choice: TableGroups) -> dict[str, str]:
    """The group of every image that a table names; raises ValueError that names file, line and column."""
    return read_mapping(Path(choice.table), choice.image_column, choice.group_column, "image", "group")


def _endings(name: str) -> Iterator[str]:
    """Names that an image may have in a table: its path or any end of it, longest first, with and without extension."""
    parts = name.split("/")
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        yield end
        yield end.rpartition(".")[0]
