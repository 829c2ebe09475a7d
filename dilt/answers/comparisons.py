"""The comparisons that answer the claims: each is a weighted sum of scores that a claim says is above zero.

`claim_language` reads them, `paper_claims` has those of the paper; `scores` computes the scores; `claim_table` adds
them up seed by seed, and comes to verdicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dilt.answers.claim_language import Term, Text
from dilt.answers.paper_claims import paper_claims
from dilt.answers.scores import NEARNESS, NEARNESSES, measured_in

if TYPE_CHECKING:
    import pandas as pd

    from dilt.settings.answers import OwnClaim
    from dilt.settings.experiment import Config


@dataclass(frozen=True)
class Comparison:
    """What is compared for a claim, which says that the sum of the terms is above zero.

    Attributes:
        round: the round of tickets that its scores are of.
        primary: whether the claim's verdict rests on it.
        decisive: whether it shares half of the level of "not supported".
    """

    claim: str
    round: int
    comparison: str
    ticket: str
    control: str
    measure: str
    primary: bool
    decisive: bool
    terms: tuple[Term, ...]


def claims_of(config: Config) -> dict[str, OwnClaim]:
    """All claims of an experiment by name: those asked of the paper's, then its own."""
    of_paper = paper_claims(
        config.tickets.claim_rounds,
        config.claims.asked,
        list(config.targets),
        config.transfer.protocols,
        config.tickets.named,
    )
    return of_paper | config.claims.own


def comparisons(claims: Mapping[str, OwnClaim], partitions: Sequence[str]) -> list[Comparison]:
    """Every comparison of the claims, those that decide first."""
    return [
        _comparison(name, claim, text, partitions, primary)
        for name, claim in claims.items()
        for texts, primary in ((claim.comparisons, True), (claim.besides, False))
        for text in texts
    ]


def _comparison(name: str, claim: OwnClaim, text: str, partitions: Sequence[str], primary: bool) -> Comparison:
    parts = Text.parse(text)
    decisive = primary and parts.control == claim.decisive
    found = (parts.ticket, parts.control, parts.measure, primary, decisive)
    return Comparison(name, claim.round, text, *found, parts.terms(partitions))


def evidence(partitions: Sequence[str], round_: int, compared: Sequence[str]) -> list[Comparison]:
    """Whether a specialist's layers lie nearer to its partition's trained network than those of other tickets do.

    For C2, by the scores of `scores.nearness`, averaged over partitions, in every geometry that layers are compared by.
    Specialists are compared with the core, with other partitions' specialists, with the null specialist, which alone
    tells what comes of class partitions, and with as many random weights, as far as their layers are compared.
    """
    null = "null-specialist-OWN@specialist-OWN"
    controls = ("core", "specialist-OTHER", null, "random@specialist-OWN")
    found = []
    for kind in NEARNESSES:
        for control in controls:
            text = f"specialist-OWN - {control} on {NEARNESS} by {kind}, OWN"
            terms = Text.parse(text).terms(partitions)
            if {term.ticket for term in terms} <= set(compared):
                measure = f"% of the core's distance by {kind}"
                found.append(Comparison("C2", round_, text, "specialist-OWN", control, measure, False, False, terms))
    return found


def terms_table(compared: Sequence[Comparison]) -> pd.DataFrame:
    """The terms of each difference: a row per term, with the table that its score is taken from.

    Returns:
        claim, comparison, ticket, control and measure as in the claim table; weight, term_ticket, term_measure, round
        and table.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "claim": comparison.claim,
            "comparison": comparison.comparison,
            "ticket": comparison.ticket,
            "control": comparison.control,
            "measure": comparison.measure,
            "weight": term.weight,
            "term_ticket": term.ticket,
            "term_measure": term.measure,
            "round": comparison.round,
            "table": measured_in(term.measure),
        }
        for comparison in compared
        for term in comparison.terms
    )
