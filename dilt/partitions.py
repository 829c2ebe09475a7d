"""Partitions: disjoint subsets of the source classes, chosen by list, by split or by a class table.

Works on class names alone; which images belong to a class is the business of `datasets`.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

Partitions = dict[str, list[str]]


def split_contiguous(classes: Sequence[str], count: int) -> Partitions:
    """``count`` runs of neighbouring classes, as equal in size as can be."""
    return _named(np.array_split(np.array(classes, dtype=object), count))


def split_randomly(classes: Sequence[str], count: int, generator: np.random.Generator) -> Partitions:
    """``count`` random groups of classes, as equal in size as can be."""
    shuffled = generator.permutation(np.array(classes, dtype=object))
    return _named(np.array_split(shuffled, count))


def split_by_table(classes: Sequence[str], groups: Mapping[str, str]) -> Partitions:
    """One partition per group of a class table, limited to ``classes``; groups in order of appearance."""
    partitions: Partitions = {}
    for name in classes:
        if name not in groups:
            raise ValueError(f"class '{name}' is not in the class table; give it a group or leave it out of classes")
        partitions.setdefault(groups[name], []).append(name)
    return partitions


def read_class_table(path: Path, class_column: str, group_column: str) -> dict[str, str]:
    """Class to group, from a CSV with a row per class.

    Raises:
        ValueError: a column is missing; the message names it and the ones there are.
    """
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for column in (class_column, group_column):
        if not rows or column not in rows[0]:
            raise ValueError(f"{path}: no column '{column}'; it has {', '.join(rows[0]) if rows else 'no rows'}")
    return {row[class_column]: row[group_column] for row in rows}


def check_partitions(partitions: Mapping[str, Sequence[str]], classes: Sequence[str]) -> list[str]:
    """What is wrong with a choice of partitions, one line per finding; empty when all is well."""
    problems = []
    if len(partitions) < 2:
        problems.append(f"{len(partitions)} partition(s) given; two or more are needed")
    owner: dict[str, str] = {}
    for partition, members in partitions.items():
        if len(members) < 2:
            problems.append(f"partition '{partition}' has {len(members)} class(es); a classifier needs two or more")
        for name in members:
            if name not in classes:
                problems.append(f"class '{name}' of '{partition}' is not among the source classes {list(classes)}")
            if name in owner:
                problems.append(f"class '{name}' is in '{owner[name]}' and in '{partition}'; it may be in one only")
            owner.setdefault(name, partition)
    for name in classes:
        if name not in owner:
            problems.append(f"class '{name}' is in no partition; add it to one or leave it out of source.classes")
    return problems


def _named(groups: Sequence[np.ndarray]) -> Partitions:
    return {f"part-{number}": [str(name) for name in group] for number, group in enumerate(groups, 1)}
