"""The pipeline on digits, as small as can be: every stage's command line, run in this process."""

import contextlib
import csv
import importlib
import io
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from unittest import mock

from dilt.answers.comparisons import comparisons
from dilt.answers.paper_claims import paper_claims
from dilt.assemblies.names import retrained_names
from dilt.geometry.reference_networks import reference_names
from dilt.settings.tickets import ClaimRounds
from dilt.tickets.names import CRITERIA
from dilt.tickets.selection import BASELINES, SAME_ROUNDS
from dilt.tickets.trajectories import sibling, splits, trajectory_names

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
TRAINING = {"epochs": 2, "batch_size": 32, "learning_rate": 0.1}
PRUNING = {"rate": 0.4, "scope": "global"}
TRANSFER = {
    "protocols": ["retrain", "finetune", "linear"],
    "training": TRAINING,
    "finetune_learning_rate": 0.02,
    "penalties": [0.01, 1.0],
}
OPTIONS = {
    "prepare": {"data": {"name": "digits", "classes": ["0", "1", "2", "3"]}},
    "initialise": {"model": MODEL, "training": TRAINING, "rewind_epoch": 0, "exclude": []},
    "train": {"model": MODEL, "training": TRAINING},
    "score": {"model": MODEL, "exclude": []},
    "instability": {"model": MODEL, "precision": "float32", "points": 5},
    "prune": PRUNING,
    "combine": {"scope": "global", "match": "weights", "model": MODEL},
    "train_ticket": {"model": MODEL, "training": TRAINING},
    "represent": {"model": MODEL, "representations": {"probes": 24, "layers": None}, "precision": "float32"},
    "compare": {"distances": {"cost": "euclidean", "scaling": "mean"}},
    "cluster": {"clustering": {"subsamples": 2, "shuffles": 19, "max_modules": 3}},
    "assemble": {"model": MODEL, "precision": "float32", "penalties": [0.1]},
    "retrain_assembly": {"model": MODEL, "training": TRAINING},
    "evaluate_assemblies": {"model": MODEL, "precision": "float32"},
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


def prepare(results: Path, dataset: str) -> Arguments:
    options = {
        "source": {"data": OPTIONS["prepare"]["data"], "partitions": {"by": "classes", "classes": PARTITIONS}},
        "held-out": {"data": {"name": "digits", "classes": ["4", "5", "6"]}},
    }
    return {"dataset": results / "data" / dataset / "dataset.json", "options": json.dumps(options[dataset])}


def options(stage: str, **changes: object) -> str:
    return json.dumps(OPTIONS[stage] | changes)


def training(results: Path, job: str) -> Arguments:
    return {"seed": 0, "threads": 1, "ranks": 1} | saving(results, job)


def saving(results: Path, job: str) -> Arguments:
    return {"checkpoints": results / "checkpoints" / job}


def initialise(results: Path) -> Arguments:
    return {
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "reinitialised": [results / "reinitialised-1.safetensors"],
        "dense": results / "dense.safetensors",
        "options": options("initialise"),
    } | training(results, "initialise")


def score(results: Path) -> Arguments:
    return {
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "seed": 0,
        "criteria": list(CRITERIA),
        "saliencies": [results / f"saliencies/{criterion}.safetensors" for criterion in CRITERIA],
        "options": options("score"),
    }


def train(results: Path, round_: int, runs: list[str] | None = None) -> Arguments:
    runs = runs or RUNS
    job = "train-to-core" if runs == [TO_CORE] else "train"
    folders = [results / name / f"round-{round_}" for name in runs]
    return {
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "round": round_,
        "runs": runs,
        "masks": [mask_path(results, name, round_ - 1) for name in runs],
        "weights": [folder / "weights.safetensors" for folder in folders],
        "metrics": [folder / "metrics.csv" for folder in folders],
        "options": options("train"),
    } | training(results, f"{job}-{round_}")


def instability(results: Path) -> Arguments:
    def weights(names: Iterable[str]) -> list[Path]:
        return [results / "independent" / name / f"round-{r}/weights.safetensors" for r in ROUNDS for name in names]

    return {
        "data": results / "data/source/dataset.json",
        "partitions": list(PARTITIONS),
        "rewind-epochs": [0] * len(ROUNDS),
        "rounds": list(ROUNDS),
        "weights": weights(PARTITIONS),
        "sibling-weights": weights([sibling(name) for name in PARTITIONS]),
        "lines": results / "instability/lines.csv",
        "barriers": results / "instability/barriers.csv",
        "options": options("instability"),
    } | training(results, "instability")


def prune(results: Path, round_: int, coupling: str) -> Arguments:
    runs = [name for name in RUNS if name.startswith(coupling)]
    consensus = results / "cyclic" / "consensus" / f"round-{round_}" / "mask.safetensors"
    return {
        "weights": [results / name / f"round-{round_}" / "weights.safetensors" for name in runs],
        "masks": [mask_path(results, name, round_ - 1) for name in runs],
        "pruned": [results / name / f"round-{round_}" / "mask.safetensors" for name in runs],
        "options": options("prune"),
    } | ({"intersection": consensus} if coupling == "cyclic" else {})


def weights_to_core(results: Path, round_: int) -> Path:
    """The weights that LTH on its way to the core is pruned by."""
    run = "independent/full" if round_ == 1 else TO_CORE
    return results / run / f"round-{round_}" / "weights.safetensors"


def prune_to_core(results: Path, round_: int) -> Arguments:
    return {
        "weights": [weights_to_core(results, round_)],
        "masks": [mask_path(results, TO_CORE, round_ - 1)],
        "pruned": [mask_path(results, TO_CORE, round_)],
        "core-of": [mask_path(results, f"independent/{name}", CLAIM_ROUND) for name in PARTITIONS],
        "rounds": CLAIM_ROUND,
        "options": options("prune"),
    }


def combine(results: Path) -> Arguments:
    def every_round(file: str, *names: str) -> list[Path]:
        return [results / name / f"round-{r}" / f"{file}.safetensors" for name in names for r in ROUNDS]

    partitions, siblings, parts = (
        [f"independent/{name}" for name in names] for names in (PARTITIONS, map(sibling, PARTITIONS), SPLITS)
    )
    return {
        "seed": 0,
        "partitions": list(PARTITIONS),
        "partition-masks": every_round("mask", *partitions),
        "partition-weights": every_round("weights", *partitions),
        "sibling-masks": every_round("mask", *siblings),
        "sibling-weights": every_round("weights", *siblings),
        "splits": SPLITS,
        "split-masks": every_round("mask", *parts),
        "split-weights": every_round("weights", *parts),
        "criteria": list(CRITERIA),
        "saliencies": score(results)["saliencies"],
        "lth-masks": every_round("mask", "independent/full"),
        "lth-weights": every_round("weights", "independent/full"),
        "same-rounds": [CLAIM_ROUND],
        "same-rounds-masks": [mask_path(results, TO_CORE, r) for r in range(1, CLAIM_ROUND + 1)],
        "same-rounds-weights": [weights_to_core(results, r) for r in range(1, CLAIM_ROUND + 1)],
        "colt-masks": every_round("mask", "cyclic/consensus"),
        "colt-weights": every_round("weights", *(f"cyclic/{name}" for name in PARTITIONS)),
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "dense": results / "dense.safetensors",
        "names": MADE,
        "tickets": [results / "tickets" / f"round-{name}" / "mask.safetensors" for name in MADE],
        "densities": results / "tickets/densities.csv",
        "overlaps": results / "tickets/overlaps.csv",
        "options": options("combine"),
    }


def of_first_round(tickets: list[str]) -> list[str]:
    """Tickets as command lines name them."""
    return [f"1/{ticket}" for ticket in tickets]


def train_ticket(results: Path, tickets: list[str] = TICKETS) -> Arguments:
    def files(name: str) -> list[Path]:
        return [results / "tickets/round-1" / ticket / name for ticket in tickets]

    return {
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "reinitialised": [results / "reinitialised-1.safetensors"],
        "tickets": of_first_round(tickets),
        "masks": files("mask.safetensors"),
        "weights": files("weights.safetensors"),
        "metrics": files("metrics.csv"),
        "options": options("train_ticket"),
    } | training(results, "tickets")


def represent(results: Path, tickets: list[str]) -> Arguments:
    return {
        "data": results / "data/source/dataset.json",
        "tickets": tickets,
        "weights": [results / "tickets/round-1" / ticket / "weights.safetensors" for ticket in tickets],
        "stores": [results / "representations" / f"{ticket}.zarr" / "zarr.json" for ticket in tickets],
        "options": options("represent"),
    } | saving(results, "represent")


def represent_references(results: Path) -> Arguments:
    weights = [results / "theta0.safetensors"]
    weights += [results / "independent" / name / "round-1" / "weights.safetensors" for name in PARTITIONS]
    return represent(results, REFERENCES) | {"weights": weights, "references": []} | saving(results, "references")


def compare(results: Path, tickets: list[str]) -> Arguments:
    return {
        "seed": 0,
        "round": 1,
        "stores": represent(results, tickets)["stores"],
        "distances": results / "geometry" / "distances.csv",
        "subset-distances": results / "geometry" / "subset_distances.csv",
        "layers": results / "geometry" / "layers.csv",
        "summary": results / "geometry" / "distances.json",
        "options": options("compare"),
    } | saving(results, "compare")


def cluster(results: Path) -> Arguments:
    folder = results / "geometry"
    return {
        "seed": 0,
        "round": 1,
        "distances": folder / "distances.csv",
        "subsets": folder / "subset_distances.csv",
        "layers": folder / "layers.csv",
        "clusters": folder / "clusters.csv",
        "stability": folder / "stability.csv",
        "chains": folder / "chains.csv",
        "eigenvalues": folder / "eigenvalues.csv",
        "summary": folder / "summary.json",
        "options": options("cluster"),
    }


def assembly_inputs(results: Path) -> Arguments:
    def files(names: Iterable[str], round_: int, file: str) -> list[Path]:
        return [results / "independent" / name / f"round-{round_}" / f"{file}.safetensors" for name in names]

    siblings = [sibling(name) for name in PARTITIONS]
    return {
        "data": results / "data/source/dataset.json",
        "theta0": results / "theta0.safetensors",
        "round": 1,
        "partitions": list(PARTITIONS),
        "masks": files(PARTITIONS, 1, "mask"),
        "sibling-masks": files(siblings, 1, "mask"),
        "weights": files(PARTITIONS, 2, "weights"),
        "sibling-weights": files(siblings, 2, "weights"),
    }


def assemble(results: Path) -> Arguments:
    written = {"fitted": results / "assembly/fitted.safetensors", "options": options("assemble")}
    return assembly_inputs(results) | written | training(results, "assemble")


def retrain_assembly(results: Path, runs: list[str] = RETRAINED) -> Arguments:
    inputs = assembly_inputs(results)
    return {
        **{name: inputs[name] for name in ("data", "theta0", "round", "partitions", "masks")},
        "runs": runs,
        "weights": [results / "assembly" / run_ / "weights.safetensors" for run_ in runs],
        "metrics": [results / "assembly" / run_ / "metrics.csv" for run_ in runs],
        "options": options("retrain_assembly"),
    } | training(results, "retrain_assembly")


def evaluate_assemblies(results: Path) -> Arguments:
    return assembly_inputs(results) | {
        "fitted": results / "assembly/fitted.safetensors",
        "retrained": retrain_assembly(results)["weights"],
        "scores": results / "assembly.csv",
        "correct": results / "assembly.correct.safetensors",
        "options": options("evaluate_assemblies"),
        "seed": 0,
        "threads": 1,
    }


def transfer(results: Path, tickets: list[str]) -> Arguments:
    folders = [results / "tickets/round-1" / ticket for ticket in tickets]
    return {
        "data": results / "data/held-out/dataset.json",
        "theta0": results / "theta0.safetensors",
        "reinitialised": [results / "reinitialised-1.safetensors"],
        "tickets": of_first_round(tickets),
        "masks": [folder / "mask.safetensors" for folder in folders],
        "weights": [folder / "weights.safetensors" for folder in folders],
        "networks": transferred(results, tickets),
        "options": options("transfer"),
    } | training(results, "transfer")


def transferred(results: Path, tickets: list[str]) -> list[Path]:
    folder = results / "transfer"
    return [folder / ticket / f"{protocol}.safetensors" for ticket in tickets for protocol in TRANSFER["protocols"]]


def evaluate_tickets(results: Path, tickets: list[str] = TICKETS) -> Arguments:
    folders = [results / "tickets/round-1" / ticket for ticket in tickets]
    return {
        "kind": "tickets",
        "data": results / "data/source/dataset.json",
        "networks": [folder / "weights.safetensors" for folder in folders],
        "scores": [folder / "scores.csv" for folder in folders],
        "correct": [folder / "scores.correct.safetensors" for folder in folders],
        "logits": [folder / "scores.logits.safetensors" for folder in folders],
        "options": options("evaluate", corruptions=CORRUPTIONS),
    }


def evaluate_transfer(results: Path, tickets: list[str]) -> Arguments:
    return {
        "kind": "transfer",
        "data": results / "data/held-out/dataset.json",
        "networks": transferred(results, tickets),
        "scores": [results / "transfer" / f"{ticket}.csv" for ticket in tickets],
        "correct": [results / "transfer" / f"{ticket}.correct.safetensors" for ticket in tickets],
        "logits": [results / "transfer" / f"{ticket}.logits.safetensors" for ticket in tickets],
        "options": options("evaluate"),
    }


FEW = ["dense", "core", "union"]


def run_all(results: Path) -> None:
    """Every stage in the order in which the workflow runs them."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    run("prepare", prepare(results, "source"))
    run("prepare", prepare(results, "held-out"))
    run("initialise", initialise(results))
    for round_ in ROUNDS:
        run("train", train(results, round_))
        for coupling in ("independent", "cyclic"):
            run("prune", prune(results, round_, coupling))
    run("instability", instability(results))
    for round_ in range(1, CLAIM_ROUND + 1):
        if round_ > 1:
            run("train", train(results, round_, [TO_CORE]))
        run("prune", prune_to_core(results, round_))
    run("score", score(results))
    run("combine", combine(results))
    run("train_ticket", train_ticket(results))
    run("represent", represent(results, FEW))
    run("represent", represent_references(results))
    run("compare", compare(results, FEW))
    run("cluster", cluster(results))
    run("assemble", assemble(results))
    run("retrain_assembly", retrain_assembly(results))
    run("evaluate_assemblies", evaluate_assemblies(results))
    run("transfer", transfer(results, FEW))
    run("evaluate", evaluate_tickets(results))
    run("evaluate", evaluate_transfer(results, FEW))
