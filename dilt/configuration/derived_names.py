"""What follows from a configuration before any job: the names of partitions, and the tickets that are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dilt.answers import asked
from dilt.data.partitions import read_class_table, split_by_table
from dilt.sources.data_catalog import known_classes

if TYPE_CHECKING:
    from dilt.settings.data import Source
    from dilt.settings.experiment import Config


def partition_names(source: Source) -> list[str]:
    """Names of the partitions, known before any data are loaded.

    Raises:
        ValueError: a class table lacks a class of the source.
    """
    choice = source.partitions
    if choice.by == "classes":
        return list(choice.classes)
    if choice.by == "table":
        groups = read_class_table(Path(choice.table), choice.class_column, choice.group_column)
        known = known_classes(source)
        return list(split_by_table(source.classes or list(known or groups), groups, list(known) if known else None))
    return [f"part-{number}" for number in range(1, choice.count + 1)]


def asked_tickets(config: Config) -> asked.Asked:
    """Every ticket that is made and trained, transferred or compared, with its round."""
    return asked.asked(config, partition_names(config.source))
