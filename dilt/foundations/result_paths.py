"""The path of every result and every log, as a pattern with wildcards; rules and stages take their paths from here.

Two folders hold results: that of the networks, which experiments can share, and that of an experiment's own answers.
Wildcards are filled in by the rules and stages.
"""

from __future__ import annotations

import re
from enum import StrEnum
from types import SimpleNamespace


class Networks(StrEnum):
    """Results below the folder of the networks: data, what is trained, and what is measured on each network."""

    EXPERIMENT = "experiments/{experiment}.json"  # the settings of each experiment that has its networks here
    LOCK = "snakemake.lock"  # there while a run works on the folder
    CHECKPOINTS = "checkpoints/{rule}"
    EVENTS = "tensorboard"  # event files of trainings, a folder for each network
    SLURM_RUN = "logs/slurm_run.txt"

    DATASET = "data/{dataset}/dataset.json"
    DATASET_ARRAY = "data/{dataset}/{split}-{kind}.npy"

    THETA0 = "seed-{seed}/theta0.safetensors"
    REINITIALISED = "seed-{seed}/reinitialised-{draw}.safetensors"
    DENSE_MASK = "seed-{seed}/dense.safetensors"
    SALIENCIES = "seed-{seed}/saliencies/{criterion}.safetensors"

    # Digests of what a job makes, where a job does several rules' work.
    DIGESTS = "seed-{seed}/digests/{job}.json"

    # A run is a trajectory under a coupling.
    RUN = "seed-{seed}/{coupling}/{trajectory}/round-{round}"
    RUN_WEIGHTS = "seed-{seed}/{coupling}/{trajectory}/round-{round}/weights.safetensors"
    RUN_METRICS = "seed-{seed}/{coupling}/{trajectory}/round-{round}/metrics.csv"
    RUN_MASK = "seed-{seed}/{coupling}/{trajectory}/round-{round}/mask.safetensors"
    CONSENSUS_MASK = "seed-{seed}/cyclic/consensus/round-{round}/mask.safetensors"

    # Dense trainings from theta0 of other rewinding epochs, for instability analysis.
    REWOUND_THETA0 = "seed-{seed}/instability/rewind-{rewind}/theta0.safetensors"
    REWOUND_WEIGHTS = "seed-{seed}/instability/rewind-{rewind}/{trajectory}/round-{round}/weights.safetensors"
    REWOUND_METRICS = "seed-{seed}/instability/rewind-{rewind}/{trajectory}/round-{round}/metrics.csv"

    # LTH on its way to the core of a round, in as many rounds.
    TO_CORE_WEIGHTS = "seed-{seed}/same-rounds-{core_round}/full/round-{round}/weights.safetensors"
    TO_CORE_METRICS = "seed-{seed}/same-rounds-{core_round}/full/round-{round}/metrics.csv"
    TO_CORE_MASK = "seed-{seed}/same-rounds-{core_round}/full/round-{round}/mask.safetensors"

    TICKET = "seed-{seed}/tickets/round-{round}/{ticket}"
    TICKET_MASK = "seed-{seed}/tickets/round-{round}/{ticket}/mask.safetensors"
    TICKET_WEIGHTS = "seed-{seed}/tickets/round-{round}/{ticket}/weights.safetensors"
    TICKET_METRICS = "seed-{seed}/tickets/round-{round}/{ticket}/metrics.csv"
    TICKET_SCORES = "seed-{seed}/tickets/round-{round}/{ticket}/scores.csv"
    TICKET_CORRECT = "seed-{seed}/tickets/round-{round}/{ticket}/scores.correct.safetensors"
    TICKET_LOGITS = "seed-{seed}/tickets/round-{round}/{ticket}/scores.logits.safetensors"
    DENSITIES = "seed-{seed}/tickets/densities.csv"
    OVERLAPS = "seed-{seed}/tickets/overlaps.csv"

    # Stores of activations, each declared by its root metadata, which carries the digest of its arrays.
    TICKET_STORE = "seed-{seed}/representations/round-{round}/{ticket}.zarr/zarr.json"
    REFERENCE_STORE = "seed-{seed}/representations/references/{reference}.zarr/zarr.json"

    TRANSFERRED = "seed-{seed}/transfer/round-{round}/{target}/{ticket}/{protocol}.safetensors"
    TRANSFER_DONE = "seed-{seed}/transfer/round-{round}/{target}/{ticket}/done"
    TRANSFER_SCORES = "seed-{seed}/transfer/round-{round}/{target}/{ticket}.csv"
    TRANSFER_CORRECT = "seed-{seed}/transfer/round-{round}/{target}/{ticket}.correct.safetensors"
    TRANSFER_LOGITS = "seed-{seed}/transfer/round-{round}/{target}/{ticket}.logits.safetensors"

    ASSEMBLIES = "seed-{seed}/assembly/round-{round}"
    ASSEMBLIES_FITTED = "seed-{seed}/assembly/round-{round}/fitted.safetensors"
    ASSEMBLIES_SCORES = "seed-{seed}/assembly/round-{round}.csv"
    ASSEMBLIES_CORRECT = "seed-{seed}/assembly/round-{round}.correct.safetensors"
    RETRAINED_WEIGHTS = "seed-{seed}/assembly/round-{round}/{partition}/{assembly}/weights.safetensors"
    RETRAINED_METRICS = "seed-{seed}/assembly/round-{round}/{partition}/{assembly}/metrics.csv"

    REMOVED = "seed-{seed}/removed_networks.json"  # which of TRAINED lie there no more


# Networks, which follow from theta0, masks and data: they can be removed once all that reads them was made.
TRAINED = (
    Networks.RUN_WEIGHTS,
    Networks.REWOUND_WEIGHTS,
    Networks.TO_CORE_WEIGHTS,
    Networks.TICKET_WEIGHTS,
    Networks.RETRAINED_WEIGHTS,
    Networks.TRANSFERRED,
)


class Answers(StrEnum):
    """Results below the folder of an experiment's answers."""

    DISTANCES_PART = "seed-{seed}/geometry/round-{round}/parts/{part}-of-{parts}.json"
    DISTANCES = "seed-{seed}/geometry/round-{round}/distances.csv"
    SUBSET_DISTANCES = "seed-{seed}/geometry/round-{round}/subset_distances.csv"
    LAYERS = "seed-{seed}/geometry/round-{round}/layers.csv"
    DISTANCES_SUMMARY = "seed-{seed}/geometry/round-{round}/distances.json"
    CLUSTERS = "seed-{seed}/geometry/round-{round}/clusters.csv"
    STABILITY = "seed-{seed}/geometry/round-{round}/stability.csv"
    CHAINS = "seed-{seed}/geometry/round-{round}/chains.csv"
    EIGENVALUES = "seed-{seed}/geometry/round-{round}/eigenvalues.csv"
    MODULES_SUMMARY = "seed-{seed}/geometry/round-{round}/summary.json"

    LINES = "seed-{seed}/instability/lines.csv"
    BARRIERS = "seed-{seed}/instability/barriers.csv"

    TABLE = "tables/{table}.csv"
    CLAIMS_LATEX = "tables/claims.tex"
    FIGURE = "figures/{figure}.svg"
    FIGURE_BITMAP = "figures/{figure}.png"
    PAGE = "report.html"


# The log of each rule's jobs.
LOGS_OF_NETWORKS = {
    "prepare": "logs/prepare/{dataset}.log",
    "initialise": "logs/initialise/seed-{seed}.log",
    "score": "logs/score/seed-{seed}.log",
    "train": "logs/train/seed-{seed}/{coupling}/{trajectory}/round-{round}.log",
    "train_rounds": "logs/train_rounds/seed-{seed}.log",
    "train_rounds_to_core": "logs/train_rounds_to_core/seed-{seed}.log",
    "initialise_rewound": "logs/initialise_rewound/seed-{seed}/rewind-{rewind}.log",
    "train_rewound": "logs/train_rewound/seed-{seed}/rewind-{rewind}/{trajectory}/round-{round}.log",
    "prune": "logs/prune/seed-{seed}/independent/{trajectory}/round-{round}.log",
    "prune_to_consensus": "logs/prune_to_consensus/seed-{seed}/round-{round}.log",
    "prune_to_core": "logs/prune_to_core/seed-{seed}/same-rounds-{core_round}/full/round-{round}.log",
    "train_to_core": "logs/train_to_core/seed-{seed}/same-rounds-{core_round}/full/round-{round}.log",
    "combine": "logs/combine/seed-{seed}.log",
    "train_ticket": "logs/train_ticket/seed-{seed}/round-{round}/{ticket}.log",
    "represent": "logs/represent/seed-{seed}/round-{round}/{ticket}.log",
    "represent_references": "logs/represent_references/seed-{seed}.log",
    "assemble": "logs/assemble/seed-{seed}/round-{round}.log",
    "retrain_assembly": "logs/retrain_assembly/seed-{seed}/round-{round}/{partition}/{assembly}.log",
    "transfer_ticket": "logs/transfer_ticket/seed-{seed}/round-{round}/{target}/{ticket}.log",
    "evaluate_tickets": "logs/evaluate_tickets/seed-{seed}/round-{round}/{ticket}.log",
    "evaluate_transfer": "logs/evaluate_transfer/seed-{seed}/round-{round}/{target}/{ticket}.log",
    "evaluate_assemblies": "logs/evaluate_assemblies/seed-{seed}/round-{round}.log",
    "remove_networks": "logs/remove_networks/seed-{seed}.log",
}
LOGS_OF_ANSWERS = {
    "measure_instability": "logs/measure_instability/seed-{seed}.log",
    "compare_part": "logs/compare_part/seed-{seed}/round-{round}/{part}-of-{parts}.log",
    "compare": "logs/compare/seed-{seed}/round-{round}.log",
    "cluster": "logs/cluster/seed-{seed}/round-{round}.log",
    "summarise": "logs/summarise.log",
    "report": "logs/report.log",
    "snakemake": "logs/snakemake.log",  # no rule: the process that starts the jobs
}


def below(networks: str, answers: str) -> SimpleNamespace:
    """All patterns below their folders: results by the names that they have above, logs by rule as ``LOG``.

    Args:
        networks, answers: the folders, or what stands for them in rules.
    """
    folders = ((networks, Networks, LOGS_OF_NETWORKS), (answers, Answers, LOGS_OF_ANSWERS))
    return SimpleNamespace(
        **{place.name: f"{folder}/{place}" for folder, places, _ in folders for place in places},
        LOG={rule: f"{folder}/{log}" for folder, _, logs in folders for rule, log in logs.items()},
    )


def expression(pattern: str, **wildcards: str) -> str:
    """A pattern as a regular expression, with a named group for every wildcard.

    Args:
        wildcards: what a wildcard may be, as a regular expression; one that is not given is one part of a path.
    """
    parts = re.split(r"\{(\w+)\}", pattern)
    return "".join(
        f"(?P<{part}>{wildcards.get(part, '[^/]+')})" if place % 2 else re.escape(part)
        for place, part in enumerate(parts)
    )


def is_trained(path: str) -> bool:
    """Whether a path, or a pattern of paths, below any folder is that of a trained network."""
    return any(re.fullmatch(f"(.*/)?{expression(place)}", path) for place in TRAINED)
