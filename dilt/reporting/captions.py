"""Captions for the report: what the figures and tables of an experiment show, in words.

`figures`, `network_figures` and `geometry_figures` draw figures; `summarise` and `costs` put tables together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dilt.settings.experiment import Config
from dilt.tickets.overlap import CONNECTED

if TYPE_CHECKING:
    import pandas as pd

# The headings that figures stand under, in order; those of the first two are open when the page is.
GROUPS = {
    "Is everything trained?": ("learning_curves", "ticket_learning_curves"),
    "Accuracy over density": ("accuracy_over_density",),
    "Tickets against their controls": ("transfer_forest", "specialisation"),
    "Masks and barriers": ("overlap_by_round", "overlap_by_layer", "instability"),
    "Layers": (
        *("gw_matrix", "module_map", "stability", "dendrogram"),
        *("eigenvalues", "adjacent_distances", "layer_map"),
    ),
    "Besides accuracy": ("calibration_and_robustness", "task_similarity"),
}
OPEN = tuple(GROUPS)[:2]
# What to see in each figure: the beginning of its caption, and what is read out in its place.
SEE = {
    "learning_curves": "Curves that end flat and far above the dotted line of chance are of trajectories that are "
    "trained; a range that reaches down to it has a seed that is not.",
    "ticket_learning_curves": "A control whose curve still climbs at the end, or stays at the dotted line of chance, "
    "is not trained, and says nothing of its mask.",
    "accuracy_over_density": "A ticket is better than its controls where it lies above them by more than the "
    "intervals, outside the grey of the ceiling and without a cross.",
    "overlap_by_round": "Masks depend on classes only where partitions overlap less than siblings do.",
    "overlap_by_layer": "The layers in which partitions overlap less than siblings do are those that classes change.",
    "instability": "Weights can be averaged where a barrier and its interval lie below the dotted line.",
    "gw_matrix": "Dark squares along the diagonal, at the same depth in every ticket, would be modules; one slope of "
    "shades is drift along depth.",
    "module_map": "Tickets share modules where their rows go over to another group at the same layer.",
    "stability": "Groups that come back fill their boxes darkly; pale boxes are chance.",
    "dendrogram": "Groups are distinct if long branches lead to them; short ones make any cut arbitrary.",
    "eigenvalues": "A number of modules is plain where a gap follows its last eigenvalue.",
    "adjacent_distances": "Borders between modules would be peaks at the same depth in every ticket.",
    "layer_map": "Networks whose lines run side by side carry the same things through depth; clumps along a line would "
    "be modules.",
    "transfer_forest": "The ticket does better than its control where the whole interval is right of zero.",
    "specialisation": "A specialist is special where its filled mark, of its own classes, is right of zero and of the "
    "open ones.",
    "calibration_and_robustness": "Tickets of equal accuracy can differ here: right is worse, in calibration, "
    "likelihood and under corruptions.",
    "task_similarity": "Partitions are unlike tasks where values off the diagonal are below those on it.",
}
# The tables that a figure is drawn from.
DRAWN_FROM = {
    "learning_curves": ("learning_curves",),
    "ticket_learning_curves": ("learning_curves",),
    "accuracy_over_density": ("ticket_scores", "densities"),
    "overlap_by_round": ("overlaps",),
    "overlap_by_layer": ("overlaps",),
    "instability": ("instability",),
    "gw_matrix": ("distances", "clusters"),
    "module_map": ("clusters",),
    "stability": ("stability", "clusters"),
    "dendrogram": ("distances", "clusters"),
    "eigenvalues": ("eigenvalues", "module_summaries"),
    "adjacent_distances": ("distances",),
    "layer_map": ("distances",),
    "transfer_forest": ("claims",),
    "specialisation": ("specialisation",),
    "calibration_and_robustness": ("ticket_scores", "calibration", "robustness"),
    "task_similarity": ("task_similarity",),
}
# What a row of a table is, and the units of its columns where their names do not say them.
TABLES = {
    "claims": "A comparison. Differences, intervals and headroom in percentage points; effect in standard deviations "
    "over seeds; level of its one-sided tests; flag: what keeps it from deciding.",
    "verdicts": "A claim and its verdict, why it has it, and what would change it.",
    "collapsed": "A ticket of which runs collapsed, by what they were trained on: number of runs (one a seed), of "
    "those at chance, of those not better than after their first epoch, and of those that collapsed in either way.",
    "terms": "A term of a comparison: a ticket's score, its weight in the sum, and the table that has the score.",
    "ticket_scores": "A ticket trained on all source classes, and the test images it was scored on: all, or a "
    "partition's; as they are (corruption none) or corrupted. Accuracy as a fraction, negative log-likelihood (nll) in "
    "nats, expected calibration error (ece) as a fraction.",
    "transfer": "A ticket on a target by one protocol. Accuracy as a fraction, negative log-likelihood (nll) in nats, "
    "expected calibration error (ece) as a fraction; penalty of the linear head, an inverse regularisation "
    "strength: the smaller, the stronger.",
    "assembly": "An assembly, or a partition's network without some weights, on one partition's test images: whose "
    "weights the core has, how it is read out, accuracy as a fraction.",
    "specialisation": "A specialist on the classes of one partition: percentage points that are lost when it is "
    "removed, or gained when it is added, minus those of a control, with intervals over seeds.",
    "specialisation_by_seed": "The same for each seed.",
    "overlap_intervals": "A layer, and masks of what: their overlap (Jaccard index) over seeds, or a paired difference "
    "of two overlaps, with interval.",
    "densities": "A layer of a ticket, or all layers: number of weights, of live ones, and of those that are on a path "
    "from an input to an output of the network (effective); densities as fractions of all weights. Sparsity is one "
    "minus density. Under a pattern: the share of groups of weights that keep it.",
    "tickets": "A ticket at a round: density, sparsity (one minus density) and effective density, as fractions of all "
    "prunable weights, means over seeds; the claims that read it there; what it is.",
    "calibration": "A ticket of a round on the test images of all source classes: expected calibration error (ece) as "
    "a fraction, negative log-likelihood (nll) in nats, with intervals over seeds.",
    "robustness": "A ticket of a round under a corruption of the test images of all source classes: accuracy as a "
    "fraction, and percentage points lost to the corruption, paired by seed, with intervals over seeds.",
    "task_similarity": "Two partitions, or one, and a measure of how alike they are as tasks, with interval over "
    "seeds: overlap of their masks (Jaccard index; of one, with its sibling's), also by chance; accuracy of a linear "
    "head for the classes of b on the network of a, as a fraction; debiased CKA of their dense networks, mean over "
    "layers.",
    "overlaps": "A layer of two or more masks: weights that all keep (shared), that any keeps (joined), their ratio "
    "(jaccard), and what independent random masks would give.",
    "training": "An epoch of a trajectory. Losses in nats, accuracy as a fraction.",
    "ticket_training": "An epoch of a ticket, trained on all source classes. Losses in nats, accuracy as a fraction.",
    "learning_curves": "An epoch of networks of a kind in a round: validation accuracy as a fraction, lowest, median "
    "and highest over seeds (and partitions and draws, where a kind has several); chance is the share of the commonest "
    "class.",
    "lines": "A point of the straight line between two trained networks, alpha from the first: error as a fraction of "
    "the validation images, loss in nats; of two partitions each on its own images by its own head, weighted by its "
    "share of the network.",
    "barriers": "A line between two trained networks: how far error (percentage points) and loss (nats) rise above the "
    "straight line between its ends, and what the average of both networks loses against their mean.",
    "instability": "A rewinding epoch, a round, and lines of a kind: mean barrier over seeds in percentage points, "
    "with interval; stable if its upper bound is below stable_below_points.",
    "distances": "Two layers: Gromov-Wasserstein distance in scaled cost units, and baselines that need no search.",
    "clusters": "A layer of a ticket and its group.",
    "stability": "Two layers, and the share of repeated clusterings that put them into one group.",
    "chains": "The layers of one network by themselves: their modules and module verdict.",
    "eigenvalues": "An eigenvalue of the normalised Laplacian of the layers' affinities.",
    "module_summaries": "A seed: its module verdict, its modules, and how their number was chosen.",
    "seed_agreement": "Two seeds, and how well their modules agree (adjusted Rand index).",
    "versions": "A table, versions of libraries, and how many of the table's rows they made.",
    "sources": "A file of results that the tables above were read from, with its SHA-256.",
    "runtime": "A stage, or Snakemake itself: number of jobs, of jobs that recorded nothing, of jobs that only took "
    "finished work from a checkpoint (so that their time is not that of the work), of attempts, and of attempts that "
    "were killed (whose last seconds are not known); times of all attempts in seconds; peak memory of a job in MB; GPU "
    "hours, wall time times reserved GPUs; the shares of CPU time and of GPU hours that were steps of trainings (not "
    "evaluation, linear heads or start-up), of the attempts that tell it. The rows of the report and of Snakemake end "
    "when this page is written.",
}


def figure_captions(config: Config, summary: Mapping[Any, Any]) -> dict[str, str]:
    """What each figure shows.

    Args:
        summary: row of the table module_summaries for the seed that the figures of geometry show.
    """
    round_, seeds, seed = config.tickets.claim_rounds.C2, len(config.seeds), config.seeds[0]
    band = f"{config.claims.confidence:.0%} t intervals over {seeds} seeds"
    explained = f" (explained by {summary['explained_by']})" if isinstance(summary["explained_by"], str) else ""
    where = f"Round {round_}, seed {seed}; module verdict: {summary['module_verdict']}{explained}."
    curves = f"median over seeds, shaded from the lowest to the highest of {seeds} seeds; lighter are later rounds"
    return {
        "learning_curves": f"Validation accuracy of trajectories over epochs, each on the classes that it sees: "
        f"{curves}. Partitions of a kind are taken together, chance where it is highest. COLT: the partitions' "
        "trajectories under its coupling.",
        "ticket_learning_curves": "Validation accuracy over epochs of tickets trained on all source classes, a panel "
        f"for each kind of ticket: {curves}. Partitions and draws of a kind are taken together.",
        "accuracy_over_density": f"Test accuracy of tickets trained on all source classes, at the densities of round "
        f"{', '.join(map(str, config.tickets.rounds))}, with {band}; below each density, in brackets, the sparsity. "
        "Points of equal density are side by side. A thin "
        "line leads to an open mark at the effective density (of weights on a path from input to output) where that is "
        f"below {CONNECTED} of the density, and not zero. A cross marks points with a collapsed run. In the grey "
        f"a ticket leaves less headroom than the margin, {config.claims.margin:g}: nothing can be surely better. "
        "Each panel shows the rounds at which its tickets are compared; the first of them goes on beyond it.",
        "overlap_by_round": "Overlap of masks (weights that all keep, as a fraction of those that any keeps): of the "
        "partitions, of each partition and its sibling (same classes and theta0, other data order), and of random "
        "masks; mean and range over seeds.",
        "overlap_by_layer": f"Overlap by layer, from input to output, at round {round_}, as in the figure before.",
        "instability": "Error barriers on the straight line between the trained networks of each partition and its "
        "sibling, and of every two partitions, by round; on the right, if several were tried, by rewinding epoch in "
        f"round 1; with {band}. Below the dotted line networks count as stable.",
        "gw_matrix": "Gromov-Wasserstein distances between layers of trained tickets: a block per ticket, layers in "
        f"order of depth; strips show the groups found. {where}",
        "module_map": f"The group of each layer of each ticket. {where}",
        "stability": f"How often two layers fall into one group: over {summary['stability_over']} of seed {seed}, and "
        f"over the {seeds} seeds; boxes are the groups of seed {seed}.",
        "dendrogram": f"Average linkage of the distances between layers; in brackets the group. Seed {seed}.",
        "eigenvalues": f"Least eigenvalues of the normalised Laplacian of the layers' affinities, seed {seed}.",
        "adjacent_distances": f"Distance from each layer to the next. Seed {seed}.",
        "layer_map": "Layers in the plane by metric multidimensional scaling: each network is a line through depth "
        f"that begins at an open mark; networks of other panels are grey. Seed {seed}.",
        "transfer_forest": f"Difference between a ticket and its control, with {band}; filled: primary comparisons.",
        "specialisation": "What each specialist is worth, read out by a linear head on frozen features: points lost "
        "when it is removed from its partition's trained network, or gained when it is added to the core, minus those "
        f"of the control, with {band}; a mark for each specialist and partition.",
        "calibration_and_robustness": f"Tickets of round {round_} on the test images of all source classes, with "
        f"{band}: expected calibration error (ECE, 15 bins of confidence), negative log-likelihood (NLL), and accuracy "
        f"lost when the images are corrupted ({_corruptions(config)}). Tickets of a partition are averaged over "
        "partitions.",
        "task_similarity": f"How alike the partitions are as tasks: overlap of their masks at round {round_} (on the "
        "diagonal that of a partition and its sibling, which share the task), what random masks of these densities "
        "would have, accuracy of a linear head for the classes of the second on the features of the first's network, "
        "and debiased CKA between their dense networks, mean over layers. Means over seeds; the table has intervals.",
    }


def connection(disconnected: Sequence[str]) -> list[str]:
    """What is said above the figures of tickets with weights on no path: nothing, or a paragraph and its lines.

    Args:
        disconnected: lines of `overlap.disconnected`.
    """
    if not disconnected:
        return []
    return [
        f"Of some tickets less than {CONNECTED} of the live weights lie on a path from an input to an output, so that "
        "tickets of equal numbers of weights are networks of unequal size (the means and variances of layer norms are "
        "no paths, though they carry something). Effective over live weights, means over seeds:",
        *disconnected,
    ]


def _corruptions(config: Config) -> str:
    """Which corruptions, and how strong."""
    asked = config.evaluation.corruptions
    return f"{', '.join(asked)}; severity {config.evaluation.severity} of 5" if asked else "none asked for"


def averaging(barriers: pd.DataFrame) -> str:
    """From which rewinding epoch on partitions' weights can be averaged, or that it is none of those tried.

    Args:
        barriers: the table ``instability``, from `answers.instability`.
    """
    rows = barriers[(barriers["kind"] == "partitions") & (barriers["round"] == 1)].sort_values("rewind_epoch")
    stable, tried = rows[rows["stable"]], ", ".join(map(str, rows["rewind"]))
    row = (rows.sort_values("error_barrier_points", kind="stable") if stable.empty else stable).iloc[0]
    limit = f"surely below {row['stable_below_points']:g} points"
    measured = (
        f"in round 1 with rewind_epoch {row['rewind']} the mean barrier is {row['error_barrier_points']:.1f} "
        f"points (two networks' average loses {row['average_points']:.1f})"
    )
    if stable.empty:
        return (
            f"No rewind_epoch of those tried ({tried}) surely makes averaging core weights across partitions "
            f"meaningful: {measured}, not {limit}; retrain, or read assemblies with one partition's weights."
        )
    return (
        f"Averaging core weights across partitions is meaningful from rewind_epoch {row['rewind']} on (tried: "
        f"{tried}): {measured}, {limit}."
    )
