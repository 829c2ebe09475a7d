"""The comparisons that answer the three claims: each is a weighted sum of scores that a claim says is above zero.

`scores` computes the scores; `claim_table` adds them up seed by seed, and comes to verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dilt.answers.scores import ASSEMBLY, NEARNESS, SOURCE, TRANSFER, assembly_measure, measured_in
from dilt.assemblies.names import HEAD, LINEAR, MEAN, RETRAINED, THETA0
from dilt.settings.tickets import CLAIMS
from dilt.tickets.selection import CORE_CONTROLS, UNION_CONTROLS

if TYPE_CHECKING:
    import pandas as pd

Row = tuple[str, str, str, str, bool]  # words, ticket, control, measure, and whether the verdict rests on it


@dataclass(frozen=True)
class Term:
    """A weighted score: of a ticket, by a measure."""

    weight: float
    ticket: str
    measure: str


@dataclass(frozen=True)
class Comparison:
    """What is compared for a claim, which says that the sum of the terms is above zero.

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


def comparisons(
    partitions: Sequence[str], targets: Sequence[str], protocols: Sequence[str], claims: Sequence[str] = CLAIMS
) -> list[Comparison]:
    """Every comparison of the claims, in the order of the claims' numbers."""
    each = [f"{TRANSFER} to {target}, {protocol}" for target in targets for protocol in protocols]
    found = []
    for control in [*CORE_CONTROLS, "null-core"]:
        found.append(_difference("C1", "core", control, TRANSFER, partitions, primary=True))
        found += [_difference("C1", "core", control, m, partitions, primary=False) for m in [*each, SOURCE]]
    found += _specialist_comparisons(partitions)
    for control in ["colt", *UNION_CONTROLS, "null-union"]:
        found += [_difference("C3", "union", control, m, partitions, primary=True) for m in (SOURCE, TRANSFER)]
        found += [_difference("C3", "union", control, measure, partitions, primary=False) for measure in each]
    return [comparison for comparison in found if comparison.claim in claims]


def _difference(
    claim: str, ticket: str, control: str, measure: str, partitions: Sequence[str], primary: bool
) -> Comparison:
    """A ticket against a control of its size; a null is the mean over partitions of the partitions' nulls."""
    controls, name = [control], control
    if control.startswith("null-"):
        controls, name = [f"{control}-{p}@{ticket}" for p in partitions], f"{control}@{ticket}"
    terms = (Term(1, ticket, measure), *(Term(-1 / len(controls), each, measure) for each in controls))
    return Comparison(claim, f"{ticket} - {name}", ticket, name, measure, primary, terms)


def _specialist_comparisons(partitions: Sequence[str]) -> list[Comparison]:
    """The comparisons of C2, averaged over partitions."""
    rows: dict[Row, list[Term]] = {}
    for partition in partitions:
        others = [name for name in partitions if name != partition]
        found = _trained(partition, others) | _assembled(partition, others) | _removed(partition, others)
        for row, terms in found.items():
            rows.setdefault(row, []).extend(_scaled(terms, 1 / len(partitions)))
    return [Comparison("C2", *row, tuple(terms)) for row, terms in rows.items()]


def _trained(p: str, others: Sequence[str]) -> dict[Row, list[Term]]:
    """Tickets trained on all source classes, scored on those of partition p and of the others."""
    mine, score = f"specialist-{p}", f"{SOURCE}, {p}"
    special = _own_minus_others(score, others, lambda q: f"{SOURCE}, {q}", mine)
    null = _own_minus_others(score, others, lambda q: f"{SOURCE}, {q}", f"null-{mine}")
    words, joined, own = "specialist: own classes", "retrained on all classes: own classes", "own classes"
    difference = ("specialist: own minus other classes", "specialist", "null specialist", "own - other classes")
    return {
        (words, "specialist", "other partition's specialist", own, True): _than_others(p, others, "", score),
        (words, "specialist", "random@specialist", own, True): _less(mine, f"random@{mine}", score),
        (*difference, True): [*special, *_scaled(null, -1)],
        (joined, "core+specialist", "core+other specialist", own, True): _than_others(p, others, "core+", score),
        (joined, "core+specialist", "core+random", own, True): _less(f"core+{mine}", f"core+random@core+{mine}", score),
    }


def _assembled(p: str, others: Sequence[str]) -> dict[Row, list[Term]]:
    """Core and specialists put together for partition p, with their trained weights or retrained from theta0."""
    mine, rows = f"core+specialist-{p}", {}
    words, gain = "assembly: own classes", "assembly: gain of own classes"
    for core_from, readout in ((MEAN, HEAD), (MEAN, LINEAR), (p, HEAD), (THETA0, RETRAINED)):
        score, primary = assembly_measure(p, core_from, readout), (core_from, readout) == (MEAN, HEAD)
        measure = f"{ASSEMBLY}, {'own' if core_from == p else core_from}, {readout}"
        other = (words, "core+specialist", "core+other specialist", measure, primary)
        rows[other] = _than_others(p, others, "core+", score)
        if core_from != p:
            rows[words, "core+specialist", "core+random", measure, primary] = _less(mine, f"core+random@{mine}", score)
        if core_from == MEAN:
            null = f"null-core-{p}"
            rows[gain, "specialist on core", "null specialist on null core", measure, primary] = [
                *_less(f"core+part-specialist-{p}", "core", score),
                *_less(null, f"{null}+part-null-specialist-{p}", score),
            ]
    return rows


def _removed(p: str, others: Sequence[str]) -> dict[Row, list[Term]]:
    """Partition p's network without its specialist: on p's classes by either head, on others' by linear heads."""
    rows = {}
    for readout in (HEAD, LINEAR):
        score, measure = assembly_measure(p, p, readout), f"{ASSEMBLY}, own, {readout}"
        for left, without, control in (
            ("random", "specialist", "random weights"),
            ("smallest", "specialist", "smallest weights"),
            ("part-null-specialist", "part-specialist", "null specialist"),
        ):
            row = ("ablation: own classes", f"without {control}", "without specialist", measure)
            primary = (left, readout) == ("random", HEAD)
            rows[*row, primary] = _less(f"intact-{left}", f"intact-{without}", score)

    def lost(ticket: str) -> list[Term]:
        own = assembly_measure(p, p, LINEAR)
        return _own_minus_others(own, others, lambda q: assembly_measure(q, p, LINEAR), ticket)

    row = ("ablation: own minus other classes", "intact", "without specialist", f"{ASSEMBLY}, own, {LINEAR}")
    rows[*row, False] = [*lost("intact"), *_scaled(lost("intact-specialist"), -1)]
    return rows


def _less(ticket: str, control: str, measure: str) -> list[Term]:
    return [Term(1, ticket, measure), Term(-1, control, measure)]


def _than_others(p: str, others: Sequence[str], before: str, measure: str) -> list[Term]:
    """Partition p's specialist against the mean of the other partitions' specialists."""
    rest = [Term(-1 / len(others), f"{before}specialist-{q}", measure) for q in others]
    return [Term(1, f"{before}specialist-{p}", measure), *rest]


def _own_minus_others(own: str, others: Sequence[str], measure: Callable[[str], str], ticket: str) -> list[Term]:
    """One ticket's score by its own measure, minus the mean of its scores by the other partitions' measures."""
    return [Term(1, ticket, own), *(Term(-1 / len(others), ticket, measure(q)) for q in others)]


def _scaled(terms: Sequence[Term], factor: float) -> list[Term]:
    return [Term(factor * term.weight, term.ticket, term.measure) for term in terms]


def evidence(partitions: Sequence[str]) -> list[Comparison]:
    """Whether a specialist's layers lie nearer to its partition's trained network than those of other tickets do.

    For C2, by the scores of `scores.nearness`, averaged over partitions. Specialists are compared with the core, with
    other partitions' specialists and, since sparse tickets may be far from everything, with as many random weights.
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
    """The terms of each difference: a row per term, with the table that its score is taken from.

    Returns:
        claim, comparison, ticket, control and measure as in the claim table; weight, term_ticket, term_measure and
        table.
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
            "table": measured_in(term.measure),
        }
        for comparison in compared
        for term in comparison.terms
    )
