"""Which tickets an experiment has: baselines, those that its claims compare, and others by name.

How each mask is made belongs to `making`.
"""

from collections.abc import Sequence

from dilt.settings.tickets import CLAIMS
from dilt.tickets.names import CONSENSUS, REINITIALISED, WITH_SPECIALIST, TicketName

# Baselines that every experiment has, and figures show.
ALWAYS = ("dense", "lth", "random", "colt", "core", "union")
# x of a matched control x@y, for any y that is made of partitions: x brought to exactly y's number of weights.
CONTROLS = ("lth", "colt", "random", "shuffled", REINITIALISED, "initial-magnitude")
SAME_ROUNDS = "lth-same-rounds"
# What the core and the union are compared with, besides what partitions and their siblings have in common.
CORE_CONTROLS = tuple(
    f"{x}@core" for x in ("lth", SAME_ROUNDS, "random", "shuffled", REINITIALISED, "initial-magnitude")
)
UNION_CONTROLS = tuple(f"{x}@union" for x in ("lth", "colt", "random", "core+random"))


def ticket_names(partitions: Sequence[str], names: Sequence[str] = (), claims: Sequence[str] = CLAIMS) -> list[str]:
    """Every ticket of an experiment, in the order of the report: baselines, what its claims need, others named."""
    wanted = [*ALWAYS, *(name for claim in CLAIMS if claim in claims for name in needed(claim, partitions)), *names]
    return list(dict.fromkeys(wanted))


def needed(claim: str, partitions: Sequence[str]) -> list[str]:
    """The tickets that a claim compares, baselines aside."""
    specialists = [f"specialist-{p}" for p in partitions]
    found = {
        "C1": [*CORE_CONTROLS, *(f"null-core-{p}@core" for p in partitions)],
        "C2": [
            *specialists,
            *(f"core+{s}" for s in specialists),
            *(f"null-{s}" for s in specialists),
            *(f"random@{s}" for s in specialists),
            *(f"core+random@core+{s}" for s in specialists),
        ],
        "C3": [*UNION_CONTROLS, *(f"null-union-{p}@union" for p in partitions)],
    }
    return found[claim]


def possible_names(partitions: Sequence[str]) -> list[str]:
    """Every ticket that an experiment can have, without those that join several specialists."""
    whole = _plain_names(partitions)
    return [*whole, *(name for y in whole for name in _controls_of(TicketName.parse(y), partitions))]


def is_possible(name: str, partitions: Sequence[str]) -> bool:
    """Whether an experiment with these partitions can have a ticket of that name."""
    counted = TicketName.parse(name).counted
    # The core with all specialists of two partitions is the union.
    joins = (
        len(partitions) > 2
        and len(counted.partitions) > 1
        and list(counted.partitions) == [p for p in partitions if p in counted.partitions]
    )
    return (joins or str(counted) in _plain_names(partitions)) and name in (
        str(counted),
        *_controls_of(counted, partitions),
    )


def _plain_names(partitions: Sequence[str]) -> list[str]:
    """Tickets that are no controls x@y."""
    specialists = [f"specialist-{p}" for p in partitions]
    return [
        *ALWAYS,
        *specialists,
        *(f"core+{s}" for s in specialists),
        *(f"consensus-{k}" for k in range(2, len(partitions))),
        *(f"null-{s}" for s in specialists),
    ]


def _controls_of(reference: TicketName, partitions: Sequence[str]) -> list[str]:
    """The matched controls that a ticket can have."""
    if str(reference) in ALWAYS and reference.method not in ("core", "union"):
        return []
    methods = list(CONTROLS)
    if reference.method == "core":
        methods += [SAME_ROUNDS, *(f"null-core-{p}" for p in partitions)]
    if reference.method == "union":
        methods += [f"null-union-{p}" for p in partitions]
    if reference.method in ("union", WITH_SPECIALIST, CONSENSUS):
        methods.append("core+random")
    return [f"{method}@{reference}" for method in methods]
