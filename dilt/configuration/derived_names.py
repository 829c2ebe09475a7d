"""What follows from a configuration before any job: the names of partitions and tickets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dilt.data.partitions import read_class_table, split_by_table
from dilt.sources.data_catalog import known_classes
from dilt.tickets import selection

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


def ticket_names(config: Config) -> list[str]:
    """Every ticket that is made and trained, in the order of the report."""
    return selection.ticket_names(partition_names(config.source), config.tickets.names, config.claims.asked)


def completion(config: Config) -> str | None:
    """If a configuration names tickets, but not all that its claims need: a line on those that are added; else None."""
    partitions, named = partition_names(config.source), config.tickets.names
    needs = {claim: [t for t in selection.needed(claim, partitions) if t not in named] for claim in config.claims.asked}
    missing = ", ".join(f"{', '.join(names)} (for {claim})" for claim, names in needs.items() if names)
    return f"tickets.names: completed with what the claims asked need: {missing}" if named and missing else None
