"""Captions for the report: what the figures and tables of an experiment show, in words.

Figures are drawn by `figures` and `geometry_figures`; tables are put together by `summarise` and `costs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dilt.settings.experiment import Config

# The tables that a figure is drawn from.
DRAWN_FROM = {
    "accuracy_over_density": ("ticket_scores", "densities"),
    "overlap_by_round": ("overlaps",),
    "overlap_by_layer": ("overlaps",),
    "gw_matrix": ("distances", "clusters"),
    "module_map": ("clusters",),
    "stability": ("stability", "clusters"),
    "dendrogram": ("distances", "clusters"),
    "eigenvalues": ("eigenvalues", "module_summaries"),
    "adjacent_distances": ("distances",),
    "layer_map": ("distances",),
    "transfer_forest": ("claims",),
    "specialisation": ("specialisation",),
}
# What a row of a table is, and the units of its columns where their names do not say them.
TABLES = {
    "claims": "A comparison. Differences and intervals in percentage points; effect in standard deviations over seeds.",
    "verdicts": "A claim and its verdict.",
    "terms": "A term of a comparison: the weight of one ticket's score, and the table that the score stands in.",
    "ticket_scores": "A ticket trained on all source classes, and the test images it was scored on: all, or a "
    "partition's. Accuracy as a fraction.",
    "transfer": "A ticket on a target by one protocol. Accuracy as a fraction; penalty of the linear head.",
    "assembly": "Core and specialists put together, or a network without some weights, on the test images of one "
    "partition: whose weights the core has, how it is read out, accuracy as a fraction.",
    "specialisation": "A specialist on the classes of one partition: percentage points that are lost where it is "
    "removed, or gained where it is added, less those of a control, with intervals over seeds.",
    "specialisation_by_seed": "The same for each seed.",
    "overlap_intervals": "The overlap (Jaccard index) of a layer's masks over seeds, by chance, and paired "
    "differences.",
    "densities": "A layer of a ticket, or all layers: number of weights and of live ones, density as a fraction.",
    "overlaps": "A layer of two or more masks: weights that all keep (shared), that any keeps (joined), their ratio "
    "(jaccard), and what independent random masks would give.",
    "training": "An epoch of a trajectory. Losses in nats, accuracy as a fraction.",
    "distances": "Two layers: Gromov-Wasserstein distance in scaled cost units, and what needs no search.",
    "clusters": "A layer of a ticket and its module.",
    "stability": "Two layers, and the share of runs that put them into one module.",
    "chains": "A network's own layers: whether they form modules.",
    "eigenvalues": "An eigenvalue of the normalised Laplacian of the layers' affinities.",
    "module_summaries": "The modules of a seed, and what they were chosen by.",
    "seed_agreement": "Two seeds, and the adjusted Rand index of their modules.",
    "versions": "A table and the versions of the libraries that made so many of its rows.",
    "sources": "A file of results that the tables above were put together from, with its SHA-256.",
    "runtime": "A stage, or Snakemake itself: number of jobs, those that told nothing, those that only gave finished "
    "work again (their time is not that of the work), attempts, and those that were killed (their last seconds are not "
    "known); times of all attempts in seconds; peak memory of a job in MB; GPU hours are wall time times "
    "reserved GPUs. The report's own row and Snakemake's go up to the writing of this page.",
}


def figure_captions(config: Config, summary: Mapping[Any, Any]) -> dict[str, str]:
    """What each figure shows.

    Args:
        summary: row of the table module_summaries for the seed that the figures of geometry show.
    """
    round_, seeds, seed = config.tickets.claim_round, len(config.seeds), config.seeds[0]
    band = f"{config.claims.confidence:.0%} t intervals over {seeds} seeds"
    explained = f" (explained by {summary['explained_by']})" if isinstance(summary["explained_by"], str) else ""
    where = f"Round {round_}, seed {seed}; module verdict: {summary['module_verdict']}{explained}."
    return {
        "accuracy_over_density": f"Test accuracy of tickets trained on all source classes, at the densities of rounds "
        f"{', '.join(map(str, config.tickets.rounds))}, with {band}. Points of equal density are side by side.",
        "overlap_by_round": "Overlap (shared weights as a fraction of joined ones) of the masks of the partitions, "
        "of each and its sibling (same classes and "
        "theta0, other data order), and what chance would give: mean and range over seeds.",
        "overlap_by_layer": f"The same by layer, from input to output, at round {round_}.",
        "gw_matrix": "Gromov-Wasserstein distances between layers of trained tickets, a block per ticket, in order of "
        f"depth; strips show the groups found. {where}",
        "module_map": f"The group of every ticket's every layer. {where}",
        "stability": f"How often two layers fall into one group: over {summary['stability_over']} of seed {seed}, and "
        f"over the {seeds} seeds; boxes are the groups of seed {seed}.",
        "dendrogram": f"Average linkage of the distances between layers; in brackets the group. Seed {seed}.",
        "eigenvalues": f"Least eigenvalues of the normalised Laplacian of the layers' affinities, seed {seed}.",
        "adjacent_distances": f"Distance from each layer to the next. Seed {seed}.",
        "layer_map": "Layers in the plane by metric multidimensional scaling: each network a line through depth, open "
        f"at its first layer, the others in grey. Seed {seed}.",
        "transfer_forest": f"Differences between a ticket and its control, with {band}; filled: primary comparisons.",
        "specialisation": "What each specialist is worth, read out by a linear head on frozen features: points lost "
        "when it is removed from its partition's trained network, or gained when it is added to the core, less what "
        f"the control does, with {band}; a mark for each specialist and partition.",
    }
