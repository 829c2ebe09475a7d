"""Trajectories: the IMP runs of an experiment, named by the data that each sees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dilt.data.partitions import Partitions

FULL = "full"
SIBLING = "-sibling"
SPLIT = re.compile(r"split-([1-9][0-9]*)")


def sibling(partition: str) -> str:
    """Name of the trajectory with the same classes and theta0 but another data order."""
    return partition + SIBLING


def splits(count: int) -> list[str]:
    """Names of the trajectories that each see all classes, but only one of ``count`` random parts of the images."""
    return [f"split-{number}" for number in range(1, count + 1)]


def split_number(trajectory: str) -> int | None:
    """Which part of the images a trajectory sees, from 1; None if all of its classes' images."""
    found = SPLIT.fullmatch(trajectory)
    return int(found[1]) if found else None


def trajectory_names(partitions: Sequence[str], with_splits: bool = False) -> list[str]:
    """The trajectories of the independent coupling: one per partition, all classes, one sibling per partition.

    Args:
        with_splits: whether there are random parts of the images too, as many as partitions.
    """
    return [*partitions, FULL, *map(sibling, partitions), *splits(len(partitions) if with_splits else 0)]


def trajectory_classes(trajectory: str, partitions: Partitions, classes: Sequence[str]) -> list[str]:
    """The classes that a trajectory sees: those of its partition, or all.

    Raises:
        ValueError: there is no such trajectory.
    """
    if trajectory == FULL or trajectory in splits(len(partitions)):
        return list(classes)
    partition = trajectory.removesuffix(SIBLING)
    if partition not in partitions:
        raise ValueError(
            f"no trajectory '{trajectory}'; there are full, one per partition of {list(partitions)}, and split-1 to "
            f"split-{len(partitions)}"
        )
    return partitions[partition]
