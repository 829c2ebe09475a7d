"""Names of assemblies, and which of them are retrained, and kinds of lines; `joining` and `lines` make them."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from dilt.tickets.names import WITH_SPECIALIST, TicketName

# Whose weights an assembly's core has, besides one partition's; how it is read out.
MEAN, THETA0 = "mean", "theta0"
HEAD, LINEAR, RETRAINED = "head", "linear", "retrained"
# Straight lines between networks: of a partition and its sibling, of two partitions.
OF_SIBLINGS, OF_PARTITIONS = "siblings", "partitions"
FEW_PARTITIONS = 3  # with at most this many, every subset of specialists is assembled


def row_key(row: Mapping[str, str]) -> str:
    """The key of a row of the table of assemblies: ``<partition>/<assembly>/<core_from>/<readout>``."""
    return "/".join(row[column] for column in ("partition", "assembly", "core_from", "readout"))


def assembly_name(specialists: Sequence[str]) -> str:
    """The core with some partitions' specialists, such as ``core+specialist-low+specialist-high``."""
    return str(TicketName(WITH_SPECIALIST, tuple(specialists)))


def subsets(partitions: Sequence[str]) -> list[tuple[str, ...]]:
    """The sets of specialists that are put together: each specialist alone and all; for few partitions every set."""
    sizes = range(1, len(partitions) + 1) if len(partitions) <= FEW_PARTITIONS else (1, len(partitions))
    return [chosen for size in sizes for chosen in combinations(partitions, size)]


def retrained_names(partitions: Sequence[str]) -> list[tuple[str, str]]:
    """The assemblies that are trained from theta0 on one partition's classes: pairs of partition and assembly."""
    shared = ["core", *(assembly_name([name]) for name in partitions)]
    return [
        (partition, assembly)
        for partition in partitions
        for assembly in [*shared, f"core+random@{assembly_name([partition])}", "union"]
    ]
