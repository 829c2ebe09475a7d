"""Checks of the section ``claims``: looks, and one's own claims, whose comparisons must name what can be scored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dilt.answers.claim_language import FORM, Text, has_placeholder
from dilt.answers.scores import ASSEMBLY, SOURCE, TRANSFER, assembly_measure
from dilt.assemblies import joining
from dilt.configuration import data_checks, derived_names
from dilt.configuration.data_checks import near
from dilt.settings.tickets import CLAIMS
from dilt.tickets.names import TicketName
from dilt.tickets.selection import is_possible, possible_names

if TYPE_CHECKING:
    from dilt.settings.answers import Claims, OwnClaim
    from dilt.settings.data import DataSet, Source
    from dilt.settings.tickets import Tickets
    from dilt.settings.transfer import Transfer


def claims(claims: Claims) -> Iterator[str]:
    """Claims that are asked, and looks at which they are read."""
    if not claims.asked and not claims.own:
        yield f"claims.asked: empty, and there is no claim in claims.own; ask some of {list(CLAIMS)} or write one"
    if claims.looks != sorted(set(claims.looks)) or 1 in claims.looks:
        yield f"claims.looks: {claims.looks} should be ascending numbers of seeds, each two or more"


def target_names(targets: Iterable[str]) -> Iterator[str]:
    """Targets that comparisons cannot name."""
    for target in targets:
        if has_placeholder(target):
            yield f"targets.{target}: OWN and OTHER stand for partitions in comparisons; choose another name"


def own(
    claims: Claims, tickets: Tickets, source: Source, targets: Mapping[str, DataSet], transfer: Transfer
) -> Iterator[str]:
    """One's own claims."""
    if not claims.own or list(data_checks.partitions(source)):  # which names there are follows from partitions
        return
    partitions = derived_names.partition_names(source)
    known = _measures(partitions, list(targets), list(transfer.protocols))
    for partition in partitions:
        if has_placeholder(partition):
            yield f"source.partitions: '{partition}', but OWN and OTHER stand for partitions; choose another name"
    for name, claim in claims.own.items():
        if name in CLAIMS:
            yield f"claims.own.{name}: is a claim of the paper (claims.asked); choose another name"
        for key, texts in (("comparisons", claim.comparisons), ("besides", claim.besides)):
            for place, text in enumerate(texts):
                for finding in _comparison(text, partitions, tickets.define, known):
                    yield f"claims.own.{name}.{key}.{place}: {finding}"
        yield from _decisive(name, claim)
        yield from _assembly_round(name, claim, tickets.claim_rounds.C2)
        texts = claim.comparisons + claim.besides
        twice = [text for text in texts if texts.count(text) > 1]
        if twice:
            yield f"claims.own.{name}: '{twice[0]}' stands there twice; write each comparison once"


def _comparison(text: str, partitions: Sequence[str], defined: Iterable[str], measures: Sequence[str]) -> Iterator[str]:
    try:
        parts = Text.parse(text)
    except ValueError as error:
        yield str(error)
        return
    terms = parts.terms(partitions)
    for measure in dict.fromkeys(term.measure for term in terms):
        if measure not in measures:
            yield f"'{text}': '{measure}' is no measure of this experiment{near(measure, measures)}"
            return
    for name in dict.fromkeys(term.ticket for term in terms if not term.measure.startswith(f"{ASSEMBLY},")):
        if (parsed := TicketName.parse(name)).draw > 1:
            yield f"'{text}': draws of a ticket are compared as one, their mean; write {parsed.first}"
        elif not is_possible(name, partitions, defined):
            yield f"'{text}': '{name}' is no ticket of this experiment{near(name, possible_names(partitions, defined))}"
    for term in terms:
        assemblies = [name for name, measure in _assemblies(partitions) if measure == term.measure]
        if assemblies and term.ticket not in assemblies:
            yield f"'{text}': '{term.ticket}' has no score by '{term.measure}'{near(term.ticket, assemblies)}"
    if not any(term.weight for term in terms) or parts.ticket == parts.control:
        yield f"'{text}': compares a ticket with itself; write {FORM}"


def _decisive(name: str, claim: OwnClaim) -> Iterator[str]:
    if claim.decisive is None:
        return
    try:
        controls = list(dict.fromkeys(Text.parse(text).control for text in claim.comparisons))
    except ValueError:
        return  # told already
    if claim.decisive not in controls:
        yield (
            f"claims.own.{name}.decisive: '{claim.decisive}' is no control of its comparisons"
            f"{near(claim.decisive, controls)}"
        )


def _assembly_round(name: str, claim: OwnClaim, of_assemblies: int) -> Iterator[str]:
    """Assemblies are of one round."""
    for text in claim.comparisons + claim.besides:
        if f" {ASSEMBLY}," in text and claim.round != of_assemblies:
            yield (
                f"claims.own.{name}.round: {claim.round}, but assemblies are of round {of_assemblies} "
                f"(tickets.claim_rounds.C2), so '{text}' has no score; give a claim of its own that round"
            )
            return


def _measures(partitions: Sequence[str], targets: Sequence[str], protocols: Sequence[str]) -> list[str]:
    """Every measure that the experiment has."""
    on_target = [f"{TRANSFER} to {target}" for target in targets]
    of_assemblies = dict.fromkeys(measure for _, measure in _assemblies(partitions))
    by_protocol = [f"{where}, {protocol}" for where in (TRANSFER, *on_target) for protocol in protocols]
    of_classes = [f"{SOURCE}, {partition}" for partition in partitions]
    return [SOURCE, *of_classes, TRANSFER, *on_target, *by_protocol, *of_assemblies]


def _assemblies(partitions: Sequence[str]) -> list[tuple[str, str]]:
    """Every assembly with every measure that it has a score by."""
    return [(name, assembly_measure(partition, *how)) for partition, name, *how in joining.scored(partitions)]
