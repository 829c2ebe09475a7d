"""The table of an experiment's tickets: what each is, how many weights it has, and which claims read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dilt.tickets.meanings import meaning
from dilt.tickets.names import TicketName
from dilt.tickets.overlap import WHOLE

if TYPE_CHECKING:
    import pandas as pd

IN_PATTERN = "in_pattern"  # under a pattern alone
COLUMNS = ["ticket", "round", "density", "sparsity", "effective_density", IN_PATTERN, "claims", "what"]


def ticket_table(densities: pd.DataFrame, terms: pd.DataFrame, defined: Mapping[str, str]) -> pd.DataFrame:
    """A row per ticket and round, each ticket's rounds together (`COLUMNS`).

    Args:
        densities: rows of `overlap.density_rows` with their seed and round; densities are means over seeds.
        terms: from `comparisons.terms_table`: a later draw of a ticket is read by the claims that read the first.
        defined: the user's own tickets: what each is made of, by name.
    """
    whole = densities[densities["layer"] == WHOLE]
    told = [name for name in ("density", "effective_density", IN_PATTERN) if name in whole]
    means = whole.groupby(["ticket", "round"], sort=False)[told].mean().reset_index()
    place = {ticket: number for number, ticket in enumerate(dict.fromkeys(means["ticket"]))}
    found = means.sort_values(["ticket", "round"], key=lambda part: part.map(place) if part.name == "ticket" else part)
    read = terms.groupby(["term_ticket", "round"])["claim"].unique().to_dict()
    runs = list(found[["ticket", "round"]].itertuples(index=False, name=None))
    table: pd.DataFrame = found.assign(
        sparsity=1 - found["density"],
        claims=[", ".join(read.get((str(TicketName.parse(name).first), round_), [])) for name, round_ in runs],
        what=[meaning(name, defined) for name, _ in runs],
    )
    return table[[name for name in COLUMNS if name in table]].reset_index(drop=True)
