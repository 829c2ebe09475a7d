"""What the report tells at a glance beside the verdicts: whether tickets and controls were trained, and the cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dilt.reporting.costs import TOTAL
from dilt.settings.evaluation import CLEAN
from dilt.tickets.names import TicketName

if TYPE_CHECKING:
    import pandas as pd

NAMED = 2  # tickets with collapsed runs that are named; all are in the table collapsed
_OF_COMPARISON = ["claim", "comparison", "ticket", "control", "measure"]


def trained(tables: Mapping[str, pd.DataFrame]) -> str:
    """Whether the networks that primary comparisons read were trained, and which of them were not.

    Args:
        tables: claims, terms, ticket_scores and transfer, with the columns that `flags.with_collapse` adds.
    """
    runs = _read_runs(tables)
    counts = runs.groupby(["round", "ticket", "where"], sort=False)["collapsed"].agg(["sum", "size"])
    lost = counts[counts["sum"] > 0].sort_values("sum", ascending=False, kind="stable")
    many = f"of the {len(runs)} networks that the verdicts rest on"
    what = "collapsed (at chance, or not better than after the first epoch)"
    if lost.empty:
        told = f"None {many} {what}."
    else:
        named = "; ".join(
            f"{ticket} in round {round_} on {where}, {collapsed} of {total}"
            for (round_, ticket, where), collapsed, total in lost.head(NAMED).itertuples(name=None)
        )
        others = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
        told = f"{lost['sum'].sum()} {many} {what}: {named}{others}."
    on_source = runs[runs["where"] == "the source"]
    if on_source.empty:
        return told
    means = on_source.groupby(["round", "ticket"])[["accuracy", "chance"]].mean().reset_index()
    least = means.sort_values("accuracy", kind="stable").to_dict("records")[0]
    return (
        f"{told} Least accurate on the source: {least['ticket']} in round {least['round']}, {least['accuracy']:.1%} "
        f"(chance {least['chance']:.1%})."
    )


def made_with(versions: pd.DataFrame) -> str:
    """Which libraries or devices differ among the rows of a table, as after an update in mid-run; empty if none do.

    Args:
        versions: columns table, versions, rows, as `gathering.take_versions` gives them.
    """
    told: dict[str, list[str]] = {}  # what differs, and the tables in which it does
    for name, sets in versions.groupby("table", sort=False):
        parts = [text.split(", ") for text in sets["versions"]]
        common = set(parts[0]).intersection(*parts)
        # Rows that no network was run for tell no device: they lack something, and differ in nothing.
        differ = list(filter(None, (", ".join(part for part in some if part not in common) for some in parts)))
        if len(differ) > 1:
            told.setdefault(" or ".join(sorted(differ)), []).append(str(name))
    return "; ".join(f"{', '.join(tables)} mix rows made with {differ}" for differ, tables in told.items())


def _read_runs(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The networks that primary comparisons read, a row each: round, ticket, where, accuracy, chance, collapsed."""
    import pandas as pd

    claims = tables["claims"]
    terms = tables["terms"].merge(claims.loc[claims["primary"], _OF_COMPARISON], on=_OF_COMPARISON)
    found = []
    for name in ("ticket_scores", "transfer"):
        read = {*terms.loc[terms["table"] == name, ["round", "term_ticket"]].itertuples(index=False, name=None)}
        rows = tables[name]
        if name == "ticket_scores":
            whole = (rows["classes"] == "all") & (rows["corruption"] == CLEAN)  # a run has other rows of the same test
            rows = rows[whole].assign(where="the source")
        else:
            rows = rows.assign(where=rows["target"] + ", " + rows["protocol"])
        names = zip(rows["round"], rows["ticket"], strict=True)
        rows = rows[[(round_, str(TicketName.parse(ticket).first)) in read for round_, ticket in names]]
        found += [] if rows.empty else [rows[["round", "ticket", "where", "accuracy", "chance", "collapsed"]]]
    return pd.concat(found)


def cost(runtime: pd.DataFrame) -> str:
    """What the run took, of processors, GPUs and a person's time, and how much of it was training.

    Args:
        runtime: from `costs.runtime_table`; of an earlier version it does not tell of training.
    """
    by_stage = {row["stage"]: row for row in runtime.to_dict("records")}
    total, own = by_stage.pop(TOTAL), by_stage.pop("snakemake", None)
    elapsed = (
        f"{_time(own['wall_s'])} from start to end"
        if own and own["wall_s"]
        else f"{_time(total['wall_s'])} of jobs, one after the other"
    )
    cpu = f"{total['cpu_s'] / 3600:.3g} CPU hours{_training(total.get('training_share', math.nan))}"
    gpu = "no GPU"
    if total["gpu_hours"]:
        gpu = f"{total['gpu_hours']:.3g} GPU hours{_training(total.get('gpu_training_share', math.nan))}"
    missing = f"; {total['without_record']} jobs have no record" if total["without_record"] else ""
    return f"{cpu}, {gpu}, {elapsed}{missing}."


def _training(share: float) -> str:
    """How much was steps of trainings; nothing where it was not recorded."""
    return f" ({share:.0%} training)" if share == share else ""


def _time(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds < 7200 else f"{seconds / 3600:.3g} hours"
