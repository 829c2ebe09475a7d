"""Every stage's command line on the run of `small_run`, stage by stage and all in turn."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from small_run import (
    CLAIM_ROUND,
    CORRUPTIONS,
    MADE,
    OPTIONS,
    PARTITIONS,
    REFERENCES,
    RETRAINED,
    ROUNDS,
    RUNS,
    SPLITS,
    TICKETS,
    TO_CORE,
    TRANSFER,
    Arguments,
    mask_path,
    options,
    run,
    saving,
    training,
)

from dilt.tickets.names import CRITERIA
from dilt.tickets.trajectories import sibling


def prepare(results: Path, dataset: str) -> Arguments:
    options = {
        "source": {"data": OPTIONS["prepare"]["data"], "partitions": {"by": "classes", "classes": PARTITIONS}},
        "held-out": {"data": {"name": "digits", "classes": ["4", "5", "6"]}},
    }
    return {"dataset": results / "data" / dataset / "dataset.json", "options": json.dumps(options[dataset])}


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
