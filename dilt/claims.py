"""The three claims of DESIGN section 1 as comparisons of scores, and the table that answers them.

A comparison is a weighted sum of scores, taken seed by seed; `statistics` turns its replicates into a verdict. Scores
are test accuracies; evidence from the geometry of layers stands beside them and decides nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.references import TRAINED
from dilt.settings import Claims
from dilt.statistics import Estimate, Verdict, judge, judge_claim, paired_interval

if TYPE_CHECKING:
    import pandas as pd

STATEMENTS = {
    "C1": "The core ticket transfers better than standard tickets of exactly its density.",
    "C2": "Specialists serve their own partition, and assemble with the core.",
    "C3": "The union outperforms COLT's consensus and tickets of exactly its density.",
}
CORE_CONTROLS = ("lth@core", "random@core", "initial-magnitude@core")
UNION_CONTROLS = ("colt", "colt@union", "lth@union", "random@union")
SOURCE, TRANSFER, NEARNESS = "source", "transfer", "nearness"


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


def nearness(distances: pd.DataFrame, partitions: Sequence[str]) -> pd.DataFrame:
    """Scores of tickets by their nearness to each partition's trained network: seed, ticket, measure, score.

    The score is minus the ticket's distance, averaged over layers and each to the same layer, as a fraction of the
    core's: the core has -1, a network that is no different from the trained one 0. No rows without trained networks.

    Args:
        distances: of all seeds, a row per pair of layers, as `compare` writes it.
    """
    import pandas as pd

    same = distances[distances["layer_a"] == distances["layer_b"]]
    directed = pd.concat(
        same.assign(ticket=same[f"ticket_{near}"], network=same[f"ticket_{far}"]) for near, far in ("ab", "ba")
    )
    mean = directed.groupby(["network", "seed", "ticket"])["gw_distance"].mean()
    parts = [pd.DataFrame(columns=["seed", "ticket", "measure", "score"])]
    for partition in partitions:
        if (network := f"{TRAINED}{partition}") in mean.index:
            relative = -mean[network] / mean[network].xs("core", level="ticket")
            parts.append(relative.rename("score").reset_index().assign(measure=f"{NEARNESS}, {partition}"))
    together: pd.DataFrame = pd.concat(parts[1:] or parts, ignore_index=True)
    return together


def measures(ticket_scores: pd.DataFrame, transfer: pd.DataFrame, assembly: pd.DataFrame) -> pd.DataFrame:
    """All test accuracies (fractions) in one tidy table: seed, ticket, measure, score."""
    import pandas as pd

    source = ticket_scores.assign(
        measure=np.where(ticket_scores["classes"] == "all", SOURCE, SOURCE + ", " + ticket_scores["classes"])
    )
    each = transfer.assign(measure=TRANSFER + " to " + transfer["target"] + ", " + transfer["protocol"])
    mean = transfer.groupby(["seed", "ticket"], as_index=False)["accuracy"].mean().assign(measure=TRANSFER)
    parts = assembly.rename(columns={"assembly": "ticket"}).assign(measure="assembly, " + assembly["partition"])
    columns = ["seed", "ticket", "measure", "accuracy"]
    together: pd.DataFrame = pd.concat([table[columns] for table in (source, mean, each, parts)], ignore_index=True)
    return together.rename(columns={"accuracy": "score"})


def claim_table(scores: pd.DataFrame, compared: Sequence[Comparison], settings: Claims) -> pd.DataFrame:
    """A row per comparison: mean difference in percentage points, interval, number of seeds, effect, verdict.

    Args:
        scores: results of `measures` and `nearness`.

    Raises:
        ValueError: a score is missing for a seed.
    """
    import pandas as pd

    by_seed = scores.pivot(index=["ticket", "measure"], columns="seed", values="score")
    replicates = dict(zip(by_seed.index, by_seed.to_numpy(dtype=float), strict=True))
    rows = []
    for comparison in compared:
        estimate = _estimate(replicates, comparison, settings.confidence)
        rows.append(
            {
                "claim": comparison.claim,
                "comparison": comparison.comparison,
                "ticket": comparison.ticket,
                "control": comparison.control,
                "measure": comparison.measure,
                "primary": comparison.primary,
                "difference_points": estimate.mean,
                "low_points": estimate.low,
                "high_points": estimate.high,
                "effect": estimate.effect,
                "seeds": estimate.num_seeds,
                "verdict": judge(estimate, settings.margin),
            }
        )
    return pd.DataFrame(rows)


def verdict_table(claims: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each claim: claim, statement, verdict."""
    import pandas as pd

    primary = claims[claims["primary"]]
    rows = []
    for claim, statement in STATEMENTS.items():
        found: list[Verdict] = list(primary.loc[primary["claim"] == claim, "verdict"])
        rows.append({"claim": claim, "statement": statement, "verdict": judge_claim(found)})
    return pd.DataFrame(rows)


def read_claims(path: Path | str) -> pd.DataFrame:
    """A ``claims.csv`` as a table, for notebooks."""
    import pandas as pd

    table: pd.DataFrame = pd.read_csv(path)
    return table


def as_text(claims: pd.DataFrame, verdicts: pd.DataFrame) -> str:
    """The verdicts with the primary comparisons that they rest on, for a terminal."""
    lines = []
    for verdict in verdicts.to_dict("records"):
        lines += [f"{verdict['claim']} {verdict['verdict'].upper()}: {verdict['statement']}"]
        rows = claims[(claims["claim"] == verdict["claim"]) & claims["primary"]]
        for row in rows.to_dict("records"):
            what = f"{row['ticket']} - {row['control']} ({row['measure']})"
            interval = f"{row['difference_points']:+6.1f} [{row['low_points']:+6.1f}, {row['high_points']:+6.1f}]"
            lines.append(f"   {what:<66} {interval} points, {row['seeds']} seeds  {row['verdict']}")
    return "\n".join(lines)


def main() -> None:
    """Print the claim table of an experiment, and where its figures and report are."""
    parser = argparse.ArgumentParser(prog="python -m dilt.claims", description=main.__doc__)
    parser.add_argument("tables", type=Path, help="folder of claims.csv, such as results/digits/tables")
    folder = parser.parse_args().tables
    try:
        table, verdicts = read_claims(folder / "claims.csv"), read_claims(folder / "verdicts.csv")
    except FileNotFoundError as error:
        sys.exit(f"{error.filename}: no such table; run `snakemake claims --cores 2` first")
    print(as_text(table, verdicts))
    print(f"tables: {folder}   figures: {folder.parent / 'figures'}   report: {folder.parent / 'report.html'}")


def _estimate(replicates: Mapping[Any, NDArray[np.float64]], comparison: Comparison, confidence: float) -> Estimate:
    """The comparison's terms added up seed by seed; replicates by (ticket, measure), each (num_seeds,)."""
    for term in comparison.terms:
        if not np.isfinite(replicates.get((term.ticket, term.measure), np.nan)).all():
            raise ValueError(
                f"claim {comparison.claim}: no score of '{term.ticket}' by '{term.measure}' for every seed"
            )
    total = sum(term.weight * replicates[term.ticket, term.measure] for term in comparison.terms)
    return paired_interval(100 * np.asarray(total), confidence)


if __name__ == "__main__":
    main()
