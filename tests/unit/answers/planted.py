"""Made-up scores of everything that the paper's claims compare, with differences planted in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from dilt.answers.claim_table import claim_table, verdict_table
from dilt.answers.comparisons import Comparison, comparisons
from dilt.answers.paper_claims import paper_claims
from dilt.answers.scores import ASSEMBLY, contributions, measures
from dilt.settings.answers import Claims, OwnClaim
from dilt.settings.tickets import CLAIMS, Claim, ClaimRounds

PARTITIONS, TARGETS, PROTOCOLS = ["low", "high"], ["animals", "tools"], ["retrain", "linear"]
ROUNDS = ClaimRounds(C1=1, C2=3, C3=2)
Scores = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def stated(asked: Sequence[Claim] = CLAIMS) -> dict[str, OwnClaim]:
    """The paper's claims, each read at a round of its own."""
    return paper_claims(ROUNDS, asked, TARGETS, PROTOCOLS)


COMPARED = comparisons(stated(), PARTITIONS)


def scores(seeds: int = 4, noise: float = 0.002, better: Mapping[str, float] | None = None) -> Scores:
    """Accuracies of every ticket around 0.5; ``better`` adds to a ticket's, or to ``ticket/measure``'s."""
    draws, gains = np.random.default_rng(0), better or {}

    def accuracy(ticket: str, what: str) -> dict[str, float | bool]:
        found = 0.5 + noise * draws.normal() + gains.get(ticket, 0) + gains.get(f"{ticket}/{what}", 0)
        return {"accuracy": found, "collapsed": False}

    terms = dict.fromkeys((c.round, term.ticket, term.measure) for c in COMPARED for term in c.terms)
    assembled = [term for term in terms if term[2].startswith(ASSEMBLY)]
    trained = dict.fromkeys((round_, ticket) for round_, ticket, measure in terms if not measure.startswith(ASSEMBLY))
    source, transfer, assembly = [], [], []
    for seed in range(seeds):
        for round_, ticket in trained:
            run = {"seed": seed, "round": round_, "ticket": ticket}
            source += [run | {"corruption": "none", "classes": c} | accuracy(ticket, c) for c in ("all", *PARTITIONS)]
            transfer += [
                run | {"target": t, "protocol": p} | accuracy(ticket, "transfer") for t in TARGETS for p in PROTOCOLS
            ]
        for round_, ticket, measure in assembled:
            _, partition, core_from, readout = measure.split(", ")
            row = {"seed": seed, "round": round_, "partition": partition, "core_from": core_from, "assembly": ticket}
            assembly.append(row | {"readout": readout} | accuracy(ticket, partition))
    return pd.DataFrame(source), pd.DataFrame(transfer), pd.DataFrame(assembly)


def table(tables: Scores, compared: Sequence[Comparison] = COMPARED) -> pd.DataFrame:
    """The claim table, without the images' error."""
    seeds = sorted(tables[0]["seed"].unique())
    return claim_table(measures(contributions(*tables)), compared, Claims(), seeds)


def verdict(claim: str, tables: Scores) -> str:
    deciding = [comparison for comparison in COMPARED if comparison.claim == claim and comparison.primary]
    found = verdict_table(table(tables, deciding), stated(), Claims(), tables[0]["seed"].nunique(), len(PARTITIONS))
    return found["verdict"].item()
