"""Stage `summarise`: writes one table of each kind, answers the claims, draws figures. `report` makes their page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dilt.answers import (
    claim_table,
    comparisons,
    flags,
    instability,
    learning_curves,
    overlap_intervals,
    robustness,
    scores,
    specialisation,
    task_similarity,
    ticket_table,
)
from dilt.answers.asked import asked
from dilt.answers.gathering import (
    OF_ANSWERS,
    OF_NETWORKS,
    TABLES,
    agree,
    files,
    nodes,
    over_seeds,
    read_tables,
    source_rows,
    take_versions,
)
from dilt.foundations import storage
from dilt.foundations.result_paths import Answers
from dilt.geometry.distance_table import distance_matrix
from dilt.grouping import stability
from dilt.jobs import command

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from dilt.settings.experiment import Config

FIGURES = (
    "accuracy_over_density",
    "learning_curves",
    "ticket_learning_curves",
    "overlap_by_round",
    "overlap_by_layer",
    "instability",
    "gw_matrix",
    "module_map",
    "stability",
    "dendrogram",
    "eigenvalues",
    "adjacent_distances",
    "layer_map",
    "transfer_forest",
    "specialisation",
    "calibration_and_robustness",
    "task_similarity",
)


def summarise(arguments: argparse.Namespace) -> None:
    """Write tables/ and figures/ beside each other."""
    import pandas as pd

    from dilt.answers import latex
    from dilt.reporting import style
    from dilt.settings.experiment import Config

    config, folder = command.options(arguments, Config), arguments.answers
    tables, sources = {}, []
    for below, patterns in ((arguments.networks, OF_NETWORKS), (folder, OF_ANSWERS)):
        for name, (pattern, over) in patterns.items():
            paths = files(below, pattern, over, config, arguments.partitions)
            tables[name], lengths = read_tables(paths, scores.IMAGE_KEYS.get(name))
            sources += source_rows(name, paths, lengths, folder)
    tables["versions"] = take_versions(tables)
    for name in ("ticket_scores", "transfer"):
        tables[name] = flags.with_collapse(tables[name])
    tables["collapsed"] = flags.collapsed_runs(tables["ticket_scores"], tables["transfer"])
    tables |= measure(tables, arguments.partitions, config.claims.confidence)
    tables |= describe(tables, arguments.partitions, config.tickets.claim_rounds.C2, config.claims.confidence)
    tables |= answer(tables, arguments.partitions, config)
    tables["tickets"] = ticket_table.ticket_table(tables["densities"], tables["terms"], config.tickets.define)
    for name in scores.IMAGE_KEYS:
        tables[name] = tables[name].drop(columns=scores.CORRECT)
    tables["sources"] = pd.DataFrame(sources)
    for name in TABLES:
        with storage.replacing(folder / Answers.TABLE.format(table=name)) as partial:
            tables[name].to_csv(partial, index=False, lineterminator="\n")
    with storage.replacing(folder / Answers.CLAIMS_LATEX) as partial:
        partial.write_text(latex.claims_latex(tables["claims"], tables["verdicts"], config.claims))

    drawn = draw(tables, config)
    for name in FIGURES:
        style.save(drawn[name], (folder / Answers.FIGURE.format(figure=name)).with_suffix(""))


def measure(
    tables: Mapping[str, pd.DataFrame], partitions: Sequence[str], confidence: float
) -> dict[str, pd.DataFrame]:
    """Tables computed from others that answer no claim: barriers, specialists' worth, overlaps, agreement of seeds."""
    by_seed = specialisation.specialisation_by_seed(tables["assembly"], partitions)
    return {
        "instability": instability.instability(tables["barriers"], confidence),
        "specialisation": specialisation.specialisation(by_seed, confidence),
        "specialisation_by_seed": by_seed,
        "overlap_intervals": overlap_intervals.overlap_intervals(tables["overlaps"], confidence),
        "seed_agreement": agree(tables["clusters"]),
    }


def describe(
    tables: Mapping[str, pd.DataFrame], partitions: Sequence[str], round_: int, confidence: float
) -> dict[str, pd.DataFrame]:
    """Tables of what networks do besides being right: how they learn, calibration, robustness, likeness of tasks."""
    overlaps, assembly, distances = (tables[name] for name in ("overlaps", "assembly", "distances"))
    return {
        "learning_curves": learning_curves.learning_curves(
            tables["training"], tables["ticket_training"], tables["ticket_scores"]
        ),
        "calibration": robustness.calibration(tables["ticket_scores"], confidence),
        "robustness": robustness.robustness(tables["ticket_scores"], confidence),
        "task_similarity": task_similarity.task_similarity(
            overlaps, assembly, distances, partitions, round_, confidence
        ),
    }


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


def draw(tables: dict[str, pd.DataFrame], config: Config) -> dict[str, Figure]:
    """Every figure by name; those of geometry show the first seed."""
    from dilt.reporting import curve_figures, figures, network_figures
    from dilt.reporting.accuracy_figure import accuracy_over_density

    round_, confidence, curves = config.tickets.claim_rounds.C2, config.claims.confidence, tables["learning_curves"]
    return {
        "accuracy_over_density": accuracy_over_density(
            tables["densities"], tables["ticket_scores"], confidence, config.claims.margin
        ),
        "learning_curves": curve_figures.learning_curves(curves, learning_curves.TRAJECTORY),
        "ticket_learning_curves": curve_figures.learning_curves(curves, learning_curves.TICKET),
        "overlap_by_round": figures.overlap_by_round(tables["overlaps"]),
        "overlap_by_layer": figures.overlap_by_layer(tables["overlaps"], round_),
        "instability": figures.instability(tables["instability"]),
        "transfer_forest": figures.transfer_forest(tables["claims"]),
        "specialisation": figures.specialisation(tables["specialisation"]),
        "calibration_and_robustness": network_figures.calibration_and_robustness(
            tables["ticket_scores"], round_, confidence
        ),
        "task_similarity": network_figures.task_similarity(tables["task_similarity"]),
    } | draw_geometry(tables, config.seeds[0])


def draw_geometry(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, Figure]:
    """The figures of layers' geometry, of one seed."""
    from dilt.reporting import geometry_figures

    distances, clusters, shares, eigenvalues, summaries = (
        tables[name][tables[name]["seed"] == seed]
        for name in ("distances", "clusters", "stability", "eigenvalues", "module_summaries")
    )
    matrix = distance_matrix(distances.to_dict("records"))
    by_seed = stability.co_grouping(over_seeds(tables["clusters"]).loc[list(nodes(clusters))].to_numpy().T)
    numbers = summaries.iloc[0][["modules", "modules_by_eigengap"]].astype(int)
    return {
        "gw_matrix": geometry_figures.gw_matrix(matrix, clusters),
        "module_map": geometry_figures.module_map(clusters),
        "stability": geometry_figures.stability(shares, by_seed, clusters),
        "dendrogram": geometry_figures.dendrogram(matrix, clusters),
        "eigenvalues": geometry_figures.eigenvalues(eigenvalues, *numbers),
        "adjacent_distances": geometry_figures.adjacent_distances(matrix),
        "layer_map": geometry_figures.layer_map(matrix),
    }


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("summarise", summarise.__doc__)
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_paths(parser, "--networks", help="folder of the networks and what was measured on each")
    command.add_paths(
        parser, "--answers", help="folder of the experiment's distances and modules; all is written there"
    )
    command.run(parser, summarise)


if __name__ == "__main__":
    main()
