"""The page of an experiment's evidence, in plain words: what holds, for which network, at which density, what does not.

Every number on it is computed from the tables beside it, as `evidence_folder` keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jinja2

from dilt.answers import wording
from dilt.answers.learning_curves import TICKET
from dilt.answers.scores import NEARNESS, clean
from dilt.answers.statistics import paired_interval
from dilt.reporting import at_a_glance, captions
from dilt.reporting.costs import TOTAL
from dilt.reporting.evidence_folder import Evidence
from dilt.tickets.overlap import WHOLE

if TYPE_CHECKING:
    import pandas as pd

# Figures on the page, below its tables: whether networks are trained, then tickets, masks and layers.
FIGURES = (
    *("accuracy_over_density", "transfer_forest", "specialisation"),
    *("overlap_by_round", "overlap_by_layer", "instability", "task_similarity"),
    *("ticket_learning_curves", "gw_matrix"),
)
DOTS_PER_INCH = 130
STAGES = 6  # that are told with what they took: those that took most
Row = Mapping[Any, Any]


def render(evidence: Evidence) -> str:
    """The page as Markdown, to lie beside the folders ``tables`` and ``figures``."""
    config, tables = evidence.config, evidence.tables
    summary = tables["module_summaries"].to_dict("records")[0]
    texts = captions.figure_captions(config, summary)
    return template("evidence.md.jinja").render(
        config=config,
        record=evidence.record,
        weights=_weights(tables["densities"]),
        dense=_dense(tables["ticket_scores"], config.claims.confidence),
        claims=[_claim(row, tables) for row in tables["verdicts"].to_dict("records")],
        overlaps=_overlaps(tables["overlap_intervals"]),
        nearness=_nearness(tables["claims"]),
        module_verdicts=_counted(tables["module_summaries"]["module_verdict"]),
        trained=at_a_glance.trained(tables),
        figures=[(name, captions.SEE[name], texts[name]) for name in FIGURES],
        cost=at_a_glance.cost(tables["runtime"]),
        stages=_dearest(tables["runtime"]),
        versions=list(dict.fromkeys(tables["versions"]["versions"])),
        rewound=_rewound(config.pruning.rewind_epoch),
        epochs=_epochs(tables["learning_curves"]),
    )


def template(name: str) -> jinja2.Template:
    """A template of a page of evidence, which can write shares, points and intervals."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dilt.reporting"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(points=points, percent=percent, interval=interval, probability=_probability)
    return environment.get_template(name)


def _rewound(length: int | str) -> str:
    """To where weights are rewound, in words."""
    if length == 0:
        return "the initialisation"
    return f"the weights after {length.removesuffix('it')} steps" if isinstance(length, str) else f"epoch {length}"


def _weights(densities: pd.DataFrame) -> int:
    """Prunable weights of the network."""
    return int(densities.loc[densities["layer"] == WHOLE, "weights"].iloc[0])


def _dense(ticket_scores: pd.DataFrame, confidence: float) -> dict[str, float]:
    """Accuracy of the dense network over seeds: mean, low and high, and that of chance."""
    rows = clean(ticket_scores)
    rows = rows[(rows["ticket"] == "dense") & (rows["classes"] == "all")]
    first = rows[rows["round"] == rows["round"].min()]
    over = paired_interval(first["accuracy"].to_numpy(), confidence)
    return {"mean": over.mean, "low": over.low, "high": over.high, "chance": float(first["chance"].iloc[0])}


def _claim(verdict: Row, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """A verdict with its primary comparisons, and the densities of the tickets that these read."""
    claims, terms, tickets = tables["claims"], tables["terms"], tables["tickets"]
    rows = claims[(claims["claim"] == verdict["claim"]) & claims["primary"]]
    read = terms.merge(rows[["claim", "comparison"]], on=["claim", "comparison"])
    own = dict.fromkeys(read.loc[read["weight"] > 0, "term_ticket"])
    known = tickets[tickets["round"] == verdict["round"]].set_index("ticket")["density"]
    counts = rows["verdict"].value_counts()
    return {
        **verdict,
        "comparisons": [
            {**row, "flag": wording.flag(row), "widest": wording.widest(row)} for row in rows.to_dict("records")
        ],
        "counts": {name: int(counts.get(name, 0)) for name in ("supported", "not supported", "inconclusive")},
        "densities": {name: float(known[name]) for name in own if name in known},
    }


def _overlaps(table: pd.DataFrame) -> Sequence[Row]:
    """Overlap of partitions and siblings by round, with the difference's interval."""
    whole = table[table["layer"] == WHOLE].set_index(["round", "overlap"])
    return [
        {
            "round": round_,
            "partitions": whole.loc[(round_, "partitions"), "jaccard"],
            "siblings": whole.loc[(round_, "siblings"), "jaccard"],
            "chance": whole.loc[(round_, "partitions by chance"), "jaccard"],
            **{key: whole.loc[(round_, "partitions - siblings"), key] for key in ("jaccard", "low", "high")},
        }
        for round_ in dict.fromkeys(round_ for round_, _ in whole.index)
    ]


def _nearness(claims: pd.DataFrame) -> Sequence[Row]:
    """Comparisons by the distance of layers, which decide nothing."""
    return claims[claims["comparison"].str.contains(f" on {NEARNESS} by ", regex=False)].to_dict("records")


def _counted(values: pd.Series[str]) -> str:
    """Values of the seeds in words, the commonest first."""
    return ", ".join(f"{value} in {number} of {len(values)} seeds" for value, number in values.value_counts().items())


def _dearest(runtime: pd.DataFrame) -> Sequence[Row]:
    """The stages that took most CPU time."""
    stages = runtime[runtime["stage"] != TOTAL].sort_values("cpu_s", ascending=False, kind="stable")
    return stages.head(STAGES).to_dict("records")


def _epochs(curves: pd.DataFrame) -> dict[str, float]:
    """Validation accuracy of dense networks after their last epoch, and one epoch before: whether it still climbs."""
    rows = curves[(curves["of"] == TICKET) & (curves["kind"] == "dense")].sort_values(["round", "epoch"])
    last: Sequence[float] = list(rows["median"].iloc[-2:])
    return {"last": last[-1], "before": last[0]}


def points(value: float) -> str:
    """Percentage points with their sign."""
    return f"{value:+z.1f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else ""


def percent(share: float) -> str:
    """A share in per cent, to three digits."""
    return f"{100 * share:.3g} %"


def interval(ends: Sequence[float]) -> str:
    """The ends of an interval in percentage points; empty where there is none."""
    return f"{points(ends[0])} to {points(ends[1])}" if math.isfinite(ends[0]) else ""


def _probability(value: float) -> str:
    if math.isnan(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
