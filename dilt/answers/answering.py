"""From tables of test scores to the claim table: every comparison is read at its claim's round, and judged.

`gathering` puts the tables together; `comparisons`, `scores` and `claim_table` have the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dilt.answers import claim_table, comparisons, scores
from dilt.answers.asked import asked

if TYPE_CHECKING:
    import pandas as pd

    from dilt.settings.experiment import Config


def answer(tables: dict[str, pd.DataFrame], partitions: Sequence[str], config: Config) -> dict[str, pd.DataFrame]:
    """The claim table, the verdicts and the terms of every comparison, each from scores of its claim's round."""
    import pandas as pd

    claims = comparisons.claims_of(config)
    compared = comparisons.comparisons(claims, partitions)
    read = pd.MultiIndex.from_tuples(
        {(one.round, term.ticket, term.measure) for one in compared for term in one.terms}, names=scores.SCORE
    )
    parts = scores.contributions(tables["ticket_scores"], tables["transfer"], tables["assembly"])
    parts = parts[pd.MultiIndex.from_frame(parts[scores.SCORE]).isin(read)]
    measured, errors = scores.measures(parts), scores.image_errors(parts, config.claims.resamples)
    near = scores.nearness(tables["distances"], partitions)
    if "C2" in claims and not near.empty:
        layers = asked(config, partitions)
        measured = pd.concat([measured, near])
        compared += comparisons.evidence(partitions, layers.geometry_round, layers.compared)
    table = claim_table.claim_table(measured, compared, config.claims, config.seeds, errors)
    verdicts = claim_table.verdict_table(table, claims, config.claims, len(config.seeds), len(partitions))
    return {"claims": table, "verdicts": verdicts, "terms": comparisons.terms_table(compared)}
