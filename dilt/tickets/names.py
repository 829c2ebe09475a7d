"""Names of tickets, taken apart into their parts here and nowhere else.

========================  ===========================================================================================
``core``, ``lth``, ...    by themselves
``specialist-low``        of one partition; so are ``null-specialist-low``, ``null-core-low`` and ``null-union-low``
``core+specialist-low``   the core with one or more specialists, ``core+specialist-low+specialist-high``; with a null,
                          ``core+null-specialist-low``
``consensus-2``           what at least two partitions kept
``lth@core``              ``lth`` brought to exactly the number of weights of ``core``
``random~2@core``         its second draw; ``random@core`` is the first
========================  ===========================================================================================

`selection` decides which of them an experiment has, `making` makes their masks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

SPECIALIST, WITH_SPECIALIST, CONSENSUS = "specialist", "core+specialist", "consensus"
NULL_SPECIALIST, NULL_CORE, NULL_UNION = "null-specialist", "null-core", "null-union"
WITH_NULL = "core+null-specialist"
OF_ONE_PARTITION = (SPECIALIST, NULL_SPECIALIST, NULL_CORE, NULL_UNION, WITH_NULL)
REINITIALISED = "reinit"
# Criteria that rank weights at initialisation (`networks.saliency_criteria`), and the methods of their tickets.
CRITERIA = ("snip", "grasp", "synflow")
SPLIT_CORE, SPLIT_UNION = "split-core", "split-union"
# Methods that draw at random: a seed can have several tickets of them, whose scores are averaged.
DRAWN = ("random", "shuffled", "core+random", REINITIALISED)
_LATER_DRAW = re.compile(r"(.+)~([2-9]|[1-9][0-9]+)")


def read_run(name: str) -> tuple[int, str]:
    """Round and ticket of ``ROUND/TICKET``, as command lines name the tickets of several rounds.

    Raises:
        ValueError: it has another form.
    """
    round_, slash, ticket = name.partition("/")
    if not (slash and ticket and round_.isdecimal()):
        raise ValueError(f"'{name}': should be ROUND/TICKET, such as 3/core")
    return int(round_), ticket


@dataclass(frozen=True)
class TicketName:
    """The parts of a ticket's name.

    Attributes:
        method: how its mask is made, such as ``lth``, ``core+specialist`` or ``null-core``.
        partitions: whose specialists, or whose null, it is.
        votes: of ``consensus-2``, the partitions that must have kept a weight; else None.
        reference: the ticket whose number of weights it has; None where it has its own.
        draw: of several random tickets of a seed, from 1.
    """

    method: str
    partitions: tuple[str, ...] = ()
    votes: int | None = None
    reference: TicketName | None = None
    draw: int = 1

    @classmethod
    def parse(cls, name: str) -> TicketName:
        """The parts of a name; `selection.is_possible` says whether an experiment can have such a ticket."""
        own, _, reference = name.partition("@")
        of = cls.parse(reference) if reference else None
        again = _LATER_DRAW.fullmatch(own)
        if again and again[1] in DRAWN:
            return cls(again[1], reference=of, draw=int(again[2]))
        first, *others = own.split("+")
        if first == "core" and others and all(part.startswith(f"{SPECIALIST}-") for part in others):
            return cls(WITH_SPECIALIST, tuple(part.removeprefix(f"{SPECIALIST}-") for part in others), reference=of)
        for method in OF_ONE_PARTITION:
            if own.startswith(f"{method}-"):
                return cls(method, (own.removeprefix(f"{method}-"),), reference=of)
        votes = own.removeprefix(f"{CONSENSUS}-")
        if votes != own and votes.isdecimal():
            return cls(CONSENSUS, votes=int(votes), reference=of)
        return cls(own, reference=of)

    def __str__(self) -> str:
        """The name again."""
        if self.method == WITH_SPECIALIST and self.partitions:
            own = "+".join(["core", *(f"{SPECIALIST}-{name}" for name in self.partitions)])
        else:
            own = "-".join([self.method, *self.partitions, *([] if self.votes is None else [str(self.votes)])])
        own += f"~{self.draw}" if self.draw > 1 else ""
        return own if self.reference is None else f"{own}@{self.reference}"

    @property
    def counted(self) -> TicketName:
        """The ticket whose number of weights this one has: its reference, or itself."""
        return self.reference or self

    @property
    def family(self) -> str:
        """The name without its partitions and draw: ``core+specialist+specialist``, ``null-core@core``."""
        method = self.method
        if method == WITH_SPECIALIST and self.partitions:
            method = "+".join(["core", *[SPECIALIST] * len(self.partitions)])
        own = method if self.votes is None else f"{method}-{self.votes}"
        return own if self.reference is None else f"{own}@{self.reference.family}"

    @property
    def first(self) -> TicketName:
        """The first draw of the same ticket: ``random@core`` of ``random~2@core``; itself if nothing is drawn."""
        return replace(self, draw=1)

    def draws(self, count: int) -> list[TicketName]:
        """All ``count`` draws of a ticket that is drawn at random; else the ticket alone."""
        return [replace(self, draw=draw) for draw in range(1, (count if self.method in DRAWN else 1) + 1)]

    @property
    def starts_anew(self) -> bool:
        """Whether the ticket starts from another initialisation than theta0, as ``reinit@core`` does."""
        return self.method == REINITIALISED
