"""Every figure of an experiment, drawn from its tables; `captions` says what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def draw(tables: Mapping[str, pd.DataFrame], config: Config, names: Sequence[str] = FIGURES) -> dict[str, Figure]:
    """Figures by name; those of geometry show the first seed."""
    from dilt.reporting import curve_figures, figures, network_figures
    from dilt.reporting.accuracy_figure import accuracy_over_density

    round_, confidence, curves = config.tickets.claim_rounds.C2, config.claims.confidence, tables["learning_curves"]
    ways: dict[str, Callable[[], Figure]] = {
        "accuracy_over_density": lambda: accuracy_over_density(
            tables["densities"], tables["ticket_scores"], confidence, config.claims.margin
        ),
        "learning_curves": lambda: curve_figures.learning_curves(curves, learning_curves.TRAJECTORY),
        "ticket_learning_curves": lambda: curve_figures.learning_curves(curves, learning_curves.TICKET),
        "overlap_by_round": lambda: figures.overlap_by_round(tables["overlaps"]),
        "overlap_by_layer": lambda: figures.overlap_by_layer(tables["overlaps"], round_),
        "instability": lambda: figures.instability(tables["instability"]),
        "transfer_forest": lambda: figures.transfer_forest(tables["claims"]),
        "specialisation": lambda: figures.specialisation(tables["specialisation"]),
        "calibration_and_robustness": lambda: network_figures.calibration_and_robustness(
            tables["ticket_scores"], round_, confidence
        ),
        "task_similarity": lambda: network_figures.task_similarity(tables["task_similarity"]),
    } | _ways_of_geometry(tables, config.seeds[0])
    return {name: ways[name]() for name in names}


def _ways_of_geometry(tables: Mapping[str, pd.DataFrame], seed: int) -> dict[str, Callable[[], Figure]]:
    """How the figures of layers' geometry are drawn, of one seed."""
    from dilt.reporting import geometry_figures

    def of_seed(name: str) -> pd.DataFrame:
        return tables[name][tables[name]["seed"] == seed]

    def stable() -> Figure:
        clusters = of_seed("clusters")
        by_seed = stability.co_grouping(over_seeds(tables["clusters"]).loc[list(nodes(clusters))].to_numpy().T)
        return geometry_figures.stability(of_seed("stability"), by_seed, clusters)

    def spectrum() -> Figure:
        numbers = of_seed("module_summaries").iloc[0][["modules", "modules_by_eigengap"]].astype(int)
        return geometry_figures.eigenvalues(of_seed("eigenvalues"), *numbers)

    matrix = distance_matrix(of_seed("distances").to_dict("records"))
    return {
        "gw_matrix": lambda: geometry_figures.gw_matrix(matrix, of_seed("clusters")),
        "module_map": lambda: geometry_figures.module_map(of_seed("clusters")),
        "stability": stable,
        "dendrogram": lambda: geometry_figures.dendrogram(matrix, of_seed("clusters")),
        "eigenvalues": spectrum,
        "adjacent_distances": lambda: geometry_figures.adjacent_distances(matrix),
        "layer_map": lambda: geometry_figures.layer_map(matrix),
    }
