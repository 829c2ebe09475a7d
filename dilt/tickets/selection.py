"""Which tickets an experiment can have: baselines, those made of partitions, and controls matched to them.

Which of them are trained follows from what reads them, in `answers.asked`; how each mask is made belongs to `making`.
"""

from collections.abc import Iterable, Sequence

from dilt.tickets.names import (
    CONSENSUS,
    CRITERIA,
    NULL_CORE,
    NULL_SPECIALIST,
    NULL_UNION,
    REINITIALISED,
    SPECIALIST,
    SPLIT_CORE,
    SPLIT_UNION,
    WITH_NULL,
    WITH_SPECIALIST,
    TicketName,
)

# Baselines, which figures show at every round whose tickets are trained.
BASELINES = ("dense", "lth", "random", "colt", "core", "union")
# x of a matched control x@y, for any y that is made of partitions: x brought to exactly y's number of weights.
CONTROLS = ("lth", "colt", "random", "shuffled", REINITIALISED, "initial-magnitude")
SAME_ROUNDS = "lth-same-rounds"
# What the core and the union are compared with, besides what partitions and their siblings have in common.
CORE_CONTROLS = tuple(
    f"{x}@core" for x in ("lth", SAME_ROUNDS, SPLIT_CORE, "random", "shuffled", REINITIALISED, "initial-magnitude")
)
UNION_CONTROLS = tuple(f"{x}@union" for x in ("lth", "colt", SPLIT_UNION, "random", "core+random"))


def possible_names(partitions: Sequence[str], defined: Iterable[str] = ()) -> list[str]:
    """Every ticket that an experiment can have, without those that join several specialists.

    Args:
        defined: names of the tickets that the user defines.
    """
    whole = [*_plain_names(partitions), *defined]
    return [*whole, *(name for y in whole for name in _controls_of(TicketName.parse(y), partitions))]


def is_possible(name: str, partitions: Sequence[str], defined: Iterable[str] = ()) -> bool:
    """Whether an experiment with these partitions and defined tickets can have a ticket of that name."""
    parsed = TicketName.parse(name)
    if parsed.draw > 1:
        return is_possible(str(parsed.first), partitions, defined)
    counted = parsed.counted
    # The core with all specialists of two partitions is the union.
    joins = (
        len(partitions) > 2
        and len(counted.partitions) > 1
        and list(counted.partitions) == [p for p in partitions if p in counted.partitions]
    )
    return (joins or str(counted) in [*_plain_names(partitions), *defined]) and name in (
        str(counted),
        *_controls_of(counted, partitions),
    )


def _plain_names(partitions: Sequence[str]) -> list[str]:
    """Tickets that are no controls x@y."""
    specialists = [f"specialist-{p}" for p in partitions]
    return [
        *BASELINES,
        *specialists,
        *(f"core+{s}" for s in specialists),
        *(f"consensus-{k}" for k in range(2, len(partitions))),
        *(f"null-{s}" for s in specialists),
    ]


def _controls_of(reference: TicketName, partitions: Sequence[str]) -> list[str]:
    """The matched controls that a ticket can have."""
    if reference.method == "lth":
        return [f"{method}@{reference}" for method in ("shuffled", REINITIALISED)]  # random@lth would be random
    if str(reference) in BASELINES and reference.method not in ("core", "union"):
        return []
    methods = list(CONTROLS)
    if reference.method == "core":
        methods += [SAME_ROUNDS, *(f"{NULL_CORE}-{p}" for p in partitions), SPLIT_CORE, *CRITERIA]
    if reference.method == "union":
        methods += [*(f"{NULL_UNION}-{p}" for p in partitions), SPLIT_UNION, *CRITERIA]
    if reference.method == SPECIALIST:
        methods += [f"{NULL_SPECIALIST}-{p}" for p in reference.partitions]
    if reference.method == WITH_SPECIALIST and len(reference.partitions) == 1:
        methods += [f"{WITH_NULL}-{p}" for p in reference.partitions]
    if reference.method in ("union", WITH_SPECIALIST, CONSENSUS):
        methods.append("core+random")
    return [f"{method}@{reference}" for method in methods]
