"""What would change a claim's verdict, in plain words: seeds of a new experiment, the margin, or other conditions.

Why the claim has its verdict is said by `wording`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dilt.answers.flags import CEILING, COLLAPSE
from dilt.answers.wording import Row, flag, widest
from dilt.settings.answers import Claims

# What would let comparisons with a flag decide.
CURES = {CEILING: "a sparser round or harder data", COLLAPSE: "a training in which all runs learn: longer, or gentler"}
READ = (
    "Not more seeds of this experiment: its verdict stands. A new experiment at another round, or on other data, "
    "networks or training, could end otherwise:"
)


def change(comparisons: Sequence[Row], settings: Claims) -> str:
    """What would have to differ for another verdict.

    Nobody is told to go on with the seeds of an experiment whose answers were seen: its looks are declared beforehand.

    Args:
        comparisons: rows of `claim_table.claim_table`, the primary ones of one claim.
    """
    if comparisons[0]["seeds"] == 1:
        return "A new experiment of two or more seeds: python -m dilt.plan tells how many it takes."
    against = [row for row in comparisons if row["verdict"] == "not supported"]
    if against:
        return _of_refuted(against, settings)
    if all(row["verdict"] == "supported" for row in comparisons):
        return _of_supported(max(comparisons, key=lambda row: row["p_larger"]))
    return _of_open(comparisons, settings)


def _of_supported(least_sure: Row) -> str:
    low, _, _ = widest(least_sure)
    return (
        f"{READ} the least sure difference would have to come out smaller by about {low:.1f} points at this spread "
        "over seeds."
    )


def _of_refuted(against: Sequence[Row], settings: Claims) -> str:
    """What each comparison against the claim would have to be like; the margin below which none of them speaks so."""
    least = min(widest(row)[1] for row in against)
    surest = min(against, key=lambda row: row["p_no_better_holm"])
    number = len(against)
    each = "the comparison" if number == 1 else "both comparisons" if number == 2 else f"all {number} comparisons"
    margin = (
        f"A margin below about {least:.1f} points, fixed beforehand, would have left the claim open."
        if least >= 0.05
        else "No smaller margin would have left the claim open."
    )
    return (
        f"{READ} {each} against it would have to come out better, the surest by about "
        f"{settings.margin - widest(surest)[1]:.1f} points at this spread over seeds. {margin}"
    )


def _of_open(comparisons: Sequence[Row], settings: Claims) -> str:
    flagged = [row for row in comparisons if flag(row)]
    unsure = [row for row in comparisons if row["verdict"] == "inconclusive" and not flag(row)]
    sentences = []
    if unsure:
        sentences.append(_seeds(max(unsure, key=lambda row: row["p_larger"]), settings))
    if flagged:
        cures = " and ".join(cure for name, cure in CURES.items() if any(flag(row) == name for row in flagged))
        many = "1 comparison decides" if len(flagged) == 1 else f"{len(flagged)} comparisons decide"
        sentences.append(f"No number of seeds makes it supported while {many} nothing: that takes {cures}.")
    return " ".join(sentences)


def _seeds(row: Row, settings: Claims) -> str:
    """How many seeds a verdict on the comparison would take: at a look to come, or in a new experiment."""
    needed, to_come = row["seeds_needed"], [look for look in settings.looks if look > row["seeds"]]
    seen = "If difference and spread are as seen,"
    if to_come and math.isnan(needed):
        return f"{seen} none of the looks to come would probably give the least sure comparison a verdict."
    if to_come:
        return f"{seen} the look at {needed:.0f} seeds would probably give the least sure comparison a verdict."
    if math.isnan(needed):
        return (
            f"{seen} no number of seeds would give the least sure comparison a verdict: that takes another round, more "
            "test images or other data."
        )
    return (
        f"{seen} a new experiment of {needed:.0f} seeds would give the least sure comparison a verdict four times in "
        "five."
    )
