"""Trajectories: the IMP runs of an experiment, named by the data that each sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dilt.data.partitions import Partitions

FULL = "full"
SIBLING = "-sibling"


def sibling(partition: str) -> str:
    """Name of the trajectory with the same classes and theta0 but another data order."""
    return partition + SIBLING


def trajectory_names(partitions: Sequence[str]) -> list[str]:
    """The trajectories of the independent coupling: one per partition, all classes, one sibling per partition."""
    return [*partitions, FULL, *map(sibling, partitions)]


def trajectory_classes(trajectory: str, partitions: Partitions, classes: Sequence[str]) -> list[str]:
    """The classes that a trajectory sees: those of its partition, or all.

    Raises:
        ValueError: there is no such trajectory.
    """
    if trajectory == FULL:
        return list(classes)
    partition = trajectory.removesuffix(SIBLING)
    if partition not in partitions:
        raise ValueError(f"no trajectory '{trajectory}'; there are full and one per partition of {list(partitions)}")
    return partitions[partition]
