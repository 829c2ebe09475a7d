"""Stage `summarise`: writes one table of each kind, answers the claims, draws figures. `report` makes their page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dilt.answers import claim_table, comparisons, overlap_intervals, scores, specialisation
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
    "overlap_by_round",
    "overlap_by_layer",
    "gw_matrix",
    "module_map",
    "stability",
    "dendrogram",
    "eigenvalues",
    "adjacent_distances",
    "layer_map",
    "transfer_forest",
    "specialisation",
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
        for name, pattern in patterns.items():
            paths = files(below, pattern, config, arguments.partitions)
            tables[name], lengths = read_tables(paths, scores.IMAGE_KEYS.get(name))
            sources += source_rows(name, paths, lengths, folder)
    tables["versions"] = take_versions(tables)
    tables |= measure(tables, arguments.partitions, config.claims.confidence)
    tables |= answer(tables, arguments.partitions, config)
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
    """Tables computed from others that answer no claim: worth of specialists, overlaps, agreement of seeds."""
    by_seed = specialisation.specialisation_by_seed(tables["assembly"], partitions)
    return {
        "specialisation": specialisation.specialisation(by_seed, confidence),
        "specialisation_by_seed": by_seed,
        "overlap_intervals": overlap_intervals.overlap_intervals(tables["overlaps"], confidence),
        "seed_agreement": agree(tables["clusters"]),
    }


def answer(tables: dict[str, pd.DataFrame], partitions: Sequence[str], config: Config) -> dict[str, pd.DataFrame]:
    """The claim table, the verdicts and the terms of every comparison, from scores at the claim round."""
    import pandas as pd

    on_source = tables["ticket_scores"]
    on_source = on_source[on_source["round"] == config.tickets.claim_round]
    scored = (on_source, tables["transfer"], tables["assembly"])
    measured, asked = scores.measures(*scored), config.claims.asked
    compared = comparisons.comparisons(partitions, list(config.targets), config.transfer.protocols, asked)
    near = scores.nearness(tables["distances"], partitions)
    if "C2" in asked and not near.empty:
        measured, compared = pd.concat([measured, near]), compared + comparisons.evidence(partitions)
    errors = scores.image_errors(scores.contributions(*scored), config.claims.resamples)
    table = claim_table.claim_table(measured, compared, config.claims, errors)
    verdicts = claim_table.verdict_table(table, config.claims)
    return {"claims": table, "verdicts": verdicts, "terms": comparisons.terms_table(compared)}


def draw(tables: dict[str, pd.DataFrame], config: Config) -> dict[str, Figure]:
    """Every figure by name; those of geometry show the first seed."""
    from dilt.reporting import figures

    round_, confidence = config.tickets.claim_round, config.claims.confidence
    return {
        "accuracy_over_density": figures.accuracy_over_density(
            tables["densities"], tables["ticket_scores"], confidence
        ),
        "overlap_by_round": figures.overlap_by_round(tables["overlaps"]),
        "overlap_by_layer": figures.overlap_by_layer(tables["overlaps"], round_),
        "transfer_forest": figures.transfer_forest(tables["claims"]),
        "specialisation": figures.specialisation(tables["specialisation"]),
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
