"""The comparisons that answer the three claims: each a weighted sum of scores, to be larger than zero.

What a score is, `scores` says; `claims` takes them seed by seed to a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dilt.scores import NEARNESS, SOURCE, TRANSFER, measured_in

if TYPE_CHECKING:
    import pandas as pd

CORE_CONTROLS = ("lth@core", "random@core", "initial-magnitude@core")
UNION_CONTROLS = ("colt", "colt@union", "lth@union", "random@union")


@dataclass(frozen=True)
class Term:
    """A weighted score: of a ticket, by a measure."""

    weight: float
    ticket: str
    measure: str


@dataclass(frozen=True)
class Comparison:
    """What is compared for a claim: the sum of the terms is to be larger than zero.

    Attributes:
        primary: whether the claim's verdict rests on it.
    """

    claim: str
    comparison: str
    ticket: str
    control: str
    measure: str
    primary: bool
    terms: tuple[Term, ...]


def comparisons(partitions: Sequence[str], targets: Sequence[str], protocols: Sequence[str]) -> list[Comparison]:
    """Every comparison of every claim."""
    each = [f"{TRANSFER} to {target}, {protocol}" for target in targets for protocol in protocols]
    found = []
    for control in CORE_CONTROLS:
        found.append(_difference("C1", "core", control, TRANSFER, primary=True))
        found += [_difference("C1", "core", control, measure, primary=False) for measure in [*each, SOURCE]]
    found += _specialist_comparisons(partitions)
    for control in UNION_CONTROLS:
        found += [_difference("C3", "union", control, measure, primary=True) for measure in (SOURCE, TRANSFER)]
        found += [_difference("C3", "union", control, measure, primary=False) for measure in each]
    return found


def _difference(claim: str, ticket: str, control: str, measure: str, primary: bool) -> Comparison:
    terms = (Term(1, ticket, measure), Term(-1, control, measure))
    return Comparison(claim, f"{ticket} - {control}", ticket, control, measure, primary, terms)


def _specialist_comparisons(partitions: Sequence[str]) -> list[Comparison]:
    """Averages over partitions p; q stands for the others."""
    share = 1 / len(partitions)
    own, matched, special, assembled, random, ablated = [], [], [], [], [], []
    for p in partitions:
        others = [q for q in partitions if q != p]
        mine, score, assembly = f"specialist-{p}", f"{SOURCE}, {p}", f"assembly, {p}"
        own += [Term(share, mine, score), *(Term(-share / len(others), f"specialist-{q}", score) for q in others)]
        matched += [Term(share, mine, score), Term(-share, f"random@{mine}", score)]
        for weight, ticket in ((share, mine), (-share, f"null-{mine}")):
            special.append(Term(weight, ticket, score))
            special += [Term(-weight / len(others), ticket, f"{SOURCE}, {q}") for q in others]
        joined = Term(share, f"core+{mine}", assembly)
        assembled += [joined, *(Term(-share / len(others), f"core+specialist-{q}", assembly) for q in others)]
        random += [joined, Term(-share, "core+random", assembly)]
        ablated += [Term(share, "intact-random", assembly), Term(-share, "intact-specialist", assembly)]

    rows: list[tuple[str, str, str, str, list[Term]]] = [
        ("specialist: own classes", "specialist", "other partition's specialist", "own classes", own),
        ("specialist: own classes", "specialist", "random@specialist", "own classes", matched),
        ("specialist: own minus other classes", "specialist", "null specialist", "own - other classes", special),
        ("assembly: own classes", "core+specialist", "core+other specialist", "assembly", assembled),
        ("assembly: own classes", "core+specialist", "core+random", "assembly", random),
        ("ablation: own classes", "without random weights", "without specialist", "assembly", ablated),
    ]
    return [
        Comparison("C2", words, ticket, control, measure, True, tuple(terms))
        for words, ticket, control, measure, terms in rows
    ]


def evidence(partitions: Sequence[str]) -> list[Comparison]:
    """Whether a specialist's layers lie nearer to its partition's trained network than those of other tickets do.

    For C2, by the scores of `nearness`, averaged over partitions p: nearer than the core's, than those of the other
    partitions' specialists, and, since sparse tickets may be far from everything, than those of as many random weights.
    """
    share = 1 / len(partitions)
    core, other, random = [], [], []
    for p in partitions:
        others = [q for q in partitions if q != p]
        mine, score = f"specialist-{p}", f"{NEARNESS}, {p}"
        core += [Term(share, mine, score), Term(-share, "core", score)]
        other += [Term(share, mine, score), *(Term(-share / len(others), f"specialist-{q}", score) for q in others)]
        random += [Term(share, mine, score), Term(-share, f"random@{mine}", score)]
    rows = {"core": core, "other partition's specialist": other, "random@specialist": random}
    words, measure = "evidence: nearer to its trained network", "% of the core's distance"
    return [
        Comparison("C2", words, "specialist", control, measure, False, tuple(terms)) for control, terms in rows.items()
    ]


def terms_table(compared: Sequence[Comparison]) -> pd.DataFrame:
    """What each difference is made of: a row per term, with the table that its score is taken from.

    Returns:
        claim, comparison, control, measure, as the claim table has them; weight, term_ticket, term_measure, table.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            "claim": comparison.claim,
            "comparison": comparison.comparison,
            "control": comparison.control,
            "measure": comparison.measure,
            "weight": term.weight,
            "term_ticket": term.ticket,
            "term_measure": term.measure,
            "table": measured_in(term.measure),
        }
        for comparison in compared
        for term in comparison.terms
    )
