"""Which tickets are trained, transferred and compared in which round: those that a claim, a figure or the user asks.

Claims name the tickets of their comparisons at their own rounds; the figure of accuracy over density shows the
baselines at ``tickets.rounds``; ``tickets.names`` are asked for there too. Nothing else is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dilt.answers.comparisons import Comparison, claims_of, comparisons
from dilt.answers.scores import SOURCE, TRANSFER
from dilt.tickets import algebra
from dilt.tickets.names import CRITERIA, NULL_SPECIALIST, SPECIALIST, SPLIT_CORE, SPLIT_UNION, TicketName
from dilt.tickets.selection import BASELINES, SAME_ROUNDS

if TYPE_CHECKING:
    from dilt.settings.experiment import Config

DENSE = "dense"
Run = tuple[int, str]  # a ticket of a round


@dataclass(frozen=True)
class Asked:
    """The tickets of an experiment, each with its round, in the order of rounds.

    Attributes:
        trained: on the source; their masks are made.
        transferred: to every target.
        compared: at ``geometry_round``, layer by layer.
        geometry_round: that of C2, whose evidence the distances are; assemblies are of the same round.
        made_of: the names in the definitions of the user's own tickets.
    """

    trained: list[Run]
    transferred: list[Run]
    compared: list[str]
    geometry_round: int
    made_of: list[str]

    @property
    def rounds(self) -> list[int]:
        """The rounds that have trained tickets, in order."""
        return sorted({round_ for round_, _ in self.trained})

    @property
    def tickets(self) -> list[str]:
        """The names of all trained tickets, each once."""
        return list(dict.fromkeys(ticket for _, ticket in self.trained))

    @property
    def needs_splits(self) -> bool:
        """Whether a ticket is made of trajectories on random parts of the images."""
        return bool({SPLIT_CORE, SPLIT_UNION} & self._methods)

    @property
    def needs_saliencies(self) -> bool:
        """Whether a ticket is made by ranking the weights of theta0."""
        return bool({*CRITERIA} & self._methods)

    @property
    def _methods(self) -> set[str]:
        return {TicketName.parse(ticket).method for ticket in (*self.tickets, *self.made_of)}

    @property
    def same_rounds(self) -> list[int]:
        """The rounds at which LTH in as many rounds as the core is asked for."""
        return [round_ for round_, ticket in self.trained if ticket == f"{SAME_ROUNDS}@core"]


def asked(config: Config, partitions: Sequence[str]) -> Asked:
    """What an experiment's claims, figures and user ask for."""
    compared = comparisons(claims_of(config), partitions)
    at, user = config.tickets.claim_rounds.C2, config.tickets.named
    layers = config.distances.tickets or default_compared(partitions)
    transferring = _tickets(compared, TRANSFER)
    transferred = [*transferring, *((round_, name) for round_ in _rounds(transferring) for name in user)]
    trained = [
        *((round_, name) for round_ in config.tickets.rounds for name in (*BASELINES, *user) if name != DENSE),
        *_tickets(compared, SOURCE),
        *transferred,
        *((at, name) for name in layers),
    ]
    if DENSE not in [name for _, name in trained]:  # the same network in every round: where nothing else asks for it
        trained.append((min(config.tickets.rounds), DENSE))
    draws = config.tickets.draws
    made_of = [part.name for text in config.tickets.define.values() for part in algebra.parse(text).names()]
    return Asked(_ordered(trained, draws), _ordered(transferred, draws), list(layers), at, made_of)


def default_compared(partitions: Sequence[str]) -> list[str]:
    """The tickets whose layers are compared where ``distances.tickets`` names none; references come besides."""
    specialists = [f"{SPECIALIST}-{p}" for p in partitions]
    nulls = [f"{NULL_SPECIALIST}-{p}@{SPECIALIST}-{p}" for p in partitions]
    return [DENSE, "lth", "core", "union", *specialists, *nulls]


def _tickets(compared: Iterable[Comparison], kind: str) -> list[Run]:
    """The tickets that comparisons score by a kind of measure, with their rounds."""
    terms = [(comparison.round, term) for comparison in compared for term in comparison.terms]
    return [(round_, term.ticket) for round_, term in terms if term.measure.replace(",", " ").split()[0] == kind]


def _rounds(runs: Iterable[Run]) -> list[int]:
    return list(dict.fromkeys(round_ for round_, _ in runs))


def _ordered(runs: Iterable[Run], draws: int) -> list[Run]:
    """Every draw of each, once; rounds ascending, in a round the baselines first and the others in their order."""
    drawn = [
        (round_, str(name))
        for round_, ticket in dict.fromkeys(runs)
        for name in TicketName.parse(ticket).first.draws(draws)
    ]
    first = {name: place for place, name in enumerate(BASELINES)}
    return sorted(dict.fromkeys(drawn), key=lambda run: (run[0], first.get(run[1], len(first))))
