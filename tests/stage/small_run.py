"""A run on digits, as small as can be: its names and settings, and how a command line is run in this process."""

import contextlib
import csv
import importlib
import io
import json
import sys
from pathlib import Path
from unittest import mock

from dilt.answers.comparisons import comparisons
from dilt.answers.paper_claims import paper_claims
from dilt.assemblies.names import retrained_names
from dilt.geometry.reference_networks import reference_names
from dilt.settings.tickets import ClaimRounds
from dilt.tickets.names import CRITERIA
from dilt.tickets.selection import BASELINES, SAME_ROUNDS
from dilt.tickets.trajectories import splits, trajectory_names

PARTITIONS = {"low": ["0", "1"], "high": ["2", "3"]}
SPLITS = splits(len(PARTITIONS))
TRAJECTORIES = trajectory_names(list(PARTITIONS), with_splits=True)
RUNS = [*(f"independent/{name}" for name in TRAJECTORIES), *(f"cyclic/{name}" for name in PARTITIONS)]
ROUNDS = (1, 2)
CLAIM_ROUND = 2
TO_CORE = f"same-rounds-{CLAIM_ROUND}/full"
OF_CLAIMS = [
    term.ticket
    for comparison in comparisons(paper_claims(ClaimRounds(C1=1, C2=1, C3=1)), list(PARTITIONS))
    for term in comparison.terms
    if not term.measure.startswith("assembly")
]
# Those of the first round, which are trained, and those of the claim round, whose masks alone are made.
TICKETS = [
    name
    for name in dict.fromkeys((*BASELINES, *OF_CLAIMS, *(f"{criterion}@core" for criterion in CRITERIA)))
    if not name.startswith(SAME_ROUNDS)
]
MADE = [*(f"1/{name}" for name in TICKETS), f"{CLAIM_ROUND}/core", f"{CLAIM_ROUND}/{SAME_ROUNDS}@core"]
RETRAINED = ["/".join(run) for run in retrained_names(list(PARTITIONS))]
REFERENCES = reference_names(list(PARTITIONS))
MODEL = {"name": "mlp", "arguments": {"width": 16, "depth": 4}}
TRAINING = {"epochs": 2, "batch_size": 32, "optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.0}
PRUNING = {"rate": 0.4, "scope": "global", "pattern": None}
TRANSFER = {
    "protocols": ["retrain", "finetune", "linear"],
    "training": TRAINING,
    "finetune_learning_rate": 0.02,
    "penalties": [0.01, 1.0],
}
OPTIONS = {
    "prepare": {"data": {"name": "digits", "classes": ["0", "1", "2", "3"]}},
    "initialise": {"model": MODEL, "training": TRAINING, "rewind_epoch": 0, "exclude": [], "pattern": None},
    "train": {"model": MODEL, "training": TRAINING},
    "score": {"model": MODEL, "exclude": [], "pattern": None},
    "instability": {"model": MODEL, "precision": "float32", "points": 5, "batch_size": TRAINING["batch_size"]},
    "prune": PRUNING,
    "combine": {"scope": "global", "pattern": None, "match": "weights", "model": MODEL},
    "train_ticket": {"model": MODEL, "training": TRAINING},
    "represent": {"model": MODEL, "representations": {"probes": 24, "layers": None}, "precision": "float32"},
    "compare": {"distances": {"cost": "euclidean", "scaling": "mean"}},
    "cluster": {"clustering": {"subsamples": 2, "shuffles": 19, "max_modules": 3}},
    "assemble": {"model": MODEL, "precision": "float32", "penalties": [0.1], "pattern": None},
    "retrain_assembly": {"model": MODEL, "training": TRAINING, "pattern": None},
    "evaluate_assemblies": {"model": MODEL, "precision": "float32", "pattern": None},
    "transfer": {"model": MODEL, "transfer": TRANSFER},
    "evaluate": {"model": MODEL, "precision": "float32"},
}
CORRUPTIONS = ["noise", "blur"]
Arguments = dict[str, object]


def run(stage: str, arguments: Arguments) -> str:
    """Run a stage's command line in this process; what it printed."""
    printed = io.StringIO()
    with mock.patch.object(sys, "argv", ["dilt", *command_line(arguments)]), contextlib.redirect_stdout(printed):
        importlib.import_module(f"dilt.{stage}").main()
    return printed.getvalue()


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table that a stage wrote."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def command_line(arguments: Arguments) -> list[str]:
    words: list[str] = []
    for option, value in arguments.items():
        words.append(f"--{option}")
        words += map(str, value) if isinstance(value, list) else [str(value)]
    return words


WRITES = {
    "initialise": ("theta0", "reinitialised", "dense"),
    "train": ("weights", "metrics"),
    "instability": ("lines", "barriers"),
    "train_ticket": ("weights", "metrics"),
    "represent": ("stores",),
    "compare": ("distances", "subset-distances", "layers", "summary"),
    "assemble": ("fitted",),
    "retrain_assembly": ("weights", "metrics"),
    "evaluate_assemblies": ("scores", "correct"),
    "transfer": ("networks",),
    "evaluate": ("scores", "correct", "logits"),
}


def outputs(stage: str, arguments: Arguments) -> list[Path]:
    """The files that a stage writes."""
    given = [arguments[name] for name in WRITES[stage]]
    return [Path(str(file)) for files in given for file in (files if isinstance(files, list) else [files])]


def mask_path(seed: Path, run_name: str, round_: int) -> Path:
    """The mask that a run goes on from after a round."""
    if round_ == 0:
        return seed / "dense.safetensors"
    name = "cyclic/consensus" if run_name.startswith("cyclic") else run_name
    return seed / name / f"round-{round_}" / "mask.safetensors"


def options(stage: str, **changes: object) -> str:
    return json.dumps(OPTIONS[stage] | changes)


def training(results: Path, job: str) -> Arguments:
    return {"seed": 0, "threads": 1, "ranks": 1} | saving(results, job)


def saving(results: Path, job: str) -> Arguments:
    return {"checkpoints": results / "checkpoints" / job}
