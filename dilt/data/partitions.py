"""Partitions: disjoint subsets of the source classes, chosen by list, by split or by a class table.

Works on class names alone; images are divided by `splitting`.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np

from dilt.foundations.error_lines import grouped
from dilt.foundations.tables import column_names, read_mapping

Partitions = dict[str, list[str]]


def split_contiguous(classes: Sequence[str], count: int) -> Partitions:
    """``count`` runs of neighbouring classes, as equal in size as can be."""
    return _named(np.array_split(np.array(classes, dtype=object), count))


def split_randomly(classes: Sequence[str], count: int, generator: np.random.Generator) -> Partitions:
    """``count`` random groups of classes, as equal in size as can be."""
    shuffled = generator.permutation(np.array(classes, dtype=object))
    return _named(np.array_split(shuffled, count))


def split_by_table(classes: Sequence[str], groups: Mapping[str, str], known: Sequence[str] | None = None) -> Partitions:
    """One partition per group of a class table, limited to ``classes``; groups in order of appearance.

    A row of ``alphabet`` stands for all classes ``alphabet/character`` that have no row of their own.

    Args:
        known: every class of the data; None where only loading them would tell.

    Raises:
        ValueError: classes have no group, or the table has some that the data lack.
    """
    lines = []
    if known is not None:
        whole = {row for name in known for row in _rows_for(name)}
        lines = [
            f"class '{name}' of the class table is not in the data; correct or remove its row"
            for name in groups
            if name not in whole
        ]
    partitions: Partitions = {}
    for name in classes:
        row = next((row for row in _rows_for(name) if row in groups), None)
        if row is None:
            lines.append(f"class '{name}' is not in the class table; give it a group or leave it out of classes")
        else:
            partitions.setdefault(groups[row], []).append(name)
    if lines:
        raise ValueError("; ".join(grouped(lines)))
    return partitions


def _rows_for(name: str) -> list[str]:
    """Names that stand for a class in a table, the most exact first: its own, or folders above it."""
    parts = name.split("/")
    return ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]


def read_class_table(path: Path, class_column: str, group_column: str) -> dict[str, str]:
    """Class to group, from a CSV with a row per class.

    Raises:
        ValueError: the file is not text, a column is missing, a class is in two groups or in none.
    """
    return read_mapping(path, class_column, group_column, "class", "group")


def find_columns(path: Path, classes: Sequence[str]) -> tuple[str, str]:
    """The columns of a table that name every class, and groups that can be partitions of them.

    Raises:
        ValueError: there are no two such columns, or the file is not text.
    """
    names = [name for name in column_names(path) if name]
    for class_column, group_column in permutations(names, 2):
        try:
            found = split_by_table(classes, read_class_table(path, class_column, group_column))
        except ValueError:
            continue
        if not check_partitions(found, classes):
            return class_column, group_column
    raise ValueError(
        f"{path}: none of its columns ({', '.join(names)}) names all classes, such as '{classes[0]}', beside one that "
        "puts them into groups of two and more; give a CSV with a row per class"
    )


def check_partitions(partitions: Mapping[str, Sequence[str]], classes: Sequence[str]) -> list[str]:
    """What is wrong with a choice of partitions, one line per finding; empty when all is well."""
    problems = []
    if len(partitions) < 2:
        return [f"{len(partitions)} partition(s) given; two or more are needed, add one"]
    owner: dict[str, str] = {}
    for partition, members in partitions.items():
        if len(members) < 2:
            problems.append(f"partition '{partition}' has {len(members)} class(es); a classifier needs two or more")
        for name in members:
            if name not in classes:
                problems.append(f"class '{name}' of '{partition}' is not a source class; remove it or correct its name")
            if owner.get(name) == partition:
                problems.append(f"class '{name}' is twice in '{partition}'; name it once")
            elif name in owner:
                problems.append(f"class '{name}' is in '{owner[name]}' and in '{partition}'; it may be in one only")
            owner.setdefault(name, partition)
    if missing := [name for name in classes if name not in owner]:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        problems.append(
            f"class '{missing[0]}'{more} is in no partition; add it to one or leave it out of source.classes"
        )
    return problems


def _named(groups: Sequence[np.ndarray]) -> Partitions:
    return {f"part-{number}": [str(name) for name in group] for number, group in enumerate(groups, 1)}
