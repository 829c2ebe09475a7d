"""Comparisons as text, ``TICKET - CONTROL on MEASURE``, and as weighted sums of scores.

========================================================  =============================================================
``core - lth@core on transfer``                           a ticket, its control, and what both are measured by
``specialist-OWN - specialist-OTHER on source, OWN``      OWN stands for each partition in turn, OTHER for those besides
                                                          it; the mean over all of them is compared
``dense - core on source, low minus source, high``        the difference of two measures
========================================================  =============================================================

Measures, all test accuracies: ``source``; ``source, PARTITION`` (its classes); ``transfer`` (mean over targets and
protocols); ``transfer, PROTOCOL``; ``transfer to TARGET``; ``transfer to TARGET, PROTOCOL``; ``assembly, PARTITION,
CORE_FROM, READOUT``, whose tickets are assemblies (`assemblies.joining`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

OWN, OTHER = "OWN", "OTHER"
FORM = "TICKET - CONTROL on MEASURE"
_PLACEHOLDER = re.compile(rf"\b(?:{OWN}|{OTHER})\b")


@dataclass(frozen=True)
class Term:
    """A weighted score: of a ticket, by a measure.

    Attributes:
        of_control: whether it is the control's score, not the ticket's.
    """

    weight: float
    ticket: str
    measure: str
    of_control: bool


@dataclass(frozen=True)
class Text:
    """The parts of a comparison's text; ``measures`` are one, or two whose difference is meant."""

    ticket: str
    control: str
    measures: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Text:
        """The parts.

        Raises:
            ValueError: the text has another form; the message quotes it.
        """
        found = re.fullmatch(r"(\S+) - (\S+) on (\S.*)", text)
        measures = tuple(found[3].split(" minus ")) if found else ()
        if not found or len(measures) > 2:
            raise ValueError(f"'{text}': should be {FORM}, such as 'core - lth@core on transfer'")
        return cls(found[1], found[2], measures)

    @property
    def measure(self) -> str:
        """The measure in words."""
        return " minus ".join(self.measures)

    def terms(self, partitions: Sequence[str]) -> tuple[Term, ...]:
        """The weighted scores whose sum is the difference of ticket and control, each once.

        OTHER is averaged within each partition that stands for OWN, then all are averaged.
        """
        weights: dict[tuple[str, str, bool], float] = {}
        sides = ((1.0, self.ticket, False), (-1.0, self.control, True))
        for sign, name, of_control in sides:
            for place, measure in enumerate(self.measures):
                for share, (ticket, by) in _filled((name, measure), partitions):
                    key = (ticket, by, of_control)
                    weights[key] = weights.get(key, 0.0) + (-sign if place else sign) * share
        return tuple(Term(weight, *key) for key, weight in weights.items())


def has_placeholder(name: str) -> bool:
    """Whether a part of the name would be read as a stand-in for partitions."""
    return bool(_PLACEHOLDER.search(name))


def _filled(words: tuple[str, str], partitions: Sequence[str]) -> Iterator[tuple[float, tuple[str, str]]]:
    """Ticket and measure with partitions in place of OWN and OTHER, and the share that each has in the mean."""
    there = {name for word in words for name in _PLACEHOLDER.findall(word)}
    for own in partitions if there else partitions[:1]:
        others = [name for name in partitions if name != own] if OTHER in there else [own]
        for other in others:
            ticket, measure = (_named(word, {OWN: own, OTHER: other}) for word in words)
            yield 1 / len(others) / (len(partitions) if there else 1), (ticket, measure)


def _named(word: str, partitions: Mapping[str, str]) -> str:
    """A word with partitions in place of OWN and OTHER."""
    return _PLACEHOLDER.sub(lambda found: partitions[found[0]], word)
