"""Every figure of an experiment, drawn from its tables; `captions` says what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dilt.answers import learning_curves
from dilt.answers.gathering import nodes, over_seeds
from dilt.geometry.distance_table import distance_matrix
from dilt.grouping import stability

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
