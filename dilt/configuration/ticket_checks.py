"""Checks of the tickets that a configuration defines: their names, and the algebra of masks that each is.

Findings read ``key: what is wrong; cure`` and point at a character. Reading the algebra belongs to `tickets.algebra`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dilt.answers.claim_language import has_placeholder
from dilt.configuration import data_checks, derived_names
from dilt.configuration.data_checks import near
from dilt.grouping.chains import is_reference
from dilt.tickets.algebra import Expression, Named, complaint, cycle, parse
from dilt.tickets.names import CRITERIA, SPLIT_CORE, SPLIT_UNION, TicketName
from dilt.tickets.selection import CONTROLS, SAME_ROUNDS, is_possible, possible_names
from dilt.tickets.trajectories import trajectory_names

if TYPE_CHECKING:
    from dilt.settings.data import Source
    from dilt.settings.tickets import Tickets
    from dilt.settings.training import Pruning


def definitions(tickets: Tickets, pruning: Pruning, source: Source) -> Iterator[str]:
    """What is wrong with the tickets that the user defines."""
    if not tickets.define or list(data_checks.partitions(source)):  # which names there are follows from partitions
        return
    partitions = derived_names.partition_names(source)
    parsed: dict[str, Expression] = {}
    for name, text in tickets.define.items():
        if _is_taken(name, partitions):
            yield f"tickets.define.{name}: the name '{name}' means something else; choose another"
            continue
        try:
            parsed[name] = parse(text)
        except ValueError as error:
            yield f"tickets.define.{name}: {error}"
    for name, expression in parsed.items():
        for part in expression.names():
            if words := _wrong(part, tickets, pruning.rounds, partitions):
                finding = complaint(tickets.define[name], part.position, str(part), words)
                yield f"tickets.define.{name}: {finding}"
    if circle := cycle(parsed):
        yield (
            f"tickets.define.{circle[0]}: made of itself, as {' needs '.join(circle)}; define one of them by "
            "trajectories and other tickets alone"
        )


def _is_taken(name: str, partitions: Sequence[str]) -> bool:
    """Whether the name is a trajectory's, another ticket's, another network's, or read as a kind of ticket."""
    taken = {*trajectory_names(partitions), *CONTROLS, SAME_ROUNDS, SPLIT_CORE, SPLIT_UNION, *CRITERIA}
    read_otherwise = is_reference(name) or TicketName.parse(name) != TicketName(name) or has_placeholder(name)
    return name in taken or data_checks.is_reserved(name) or is_possible(name, partitions) or read_otherwise


def _wrong(part: Named, tickets: Tickets, rounds: int, partitions: Sequence[str]) -> str | None:
    """What is wrong with a name in a definition, or with its round; None if nothing is."""
    trajectories = trajectory_names(partitions)
    if part.name not in trajectories and not is_possible(part.name, partitions, tickets.define):
        known = [*trajectories, *possible_names(partitions, tickets.define)]
        cure = _meant_difference(part.name, known) or near(part.name, known)
        return f"no trajectory or ticket of this experiment{cure}"
    if part.round is not None and part.round > rounds:
        return f"there are {rounds} rounds (pruning.rounds); name one of them"
    if TicketName.parse(part.name).method == SAME_ROUNDS:
        return "is pruned only where it is trained, so nothing can be made of it; name another ticket"
    return None


def _meant_difference(name: str, known: Sequence[str]) -> str | None:
    """The words after an unknown name that is two known ones with a hyphen between."""
    places = [place for place, letter in enumerate(name) if letter == "-"]
    for left, right in ((name[:place], name[place + 1 :]) for place in places):
        if left in known and right in known:
            return f"; the difference is written with spaces, {left} - {right}"
    return None
