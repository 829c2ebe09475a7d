"""What `combine` takes for a round's tickets of a large network, beside another version of it, with the same bytes.

    git worktree add ../before COMMIT
    python benchmarks/combine.py --against ../before

Trajectories are made up (theta0 and noise, more of it every round, pruned as `prune` does), as what they hold does not
matter to the time: of two partitions, their siblings, the whole, its halves, and the cyclic coupling. Every ticket that
the three claims ask for is made, in one process for one round and in another for several: the difference is what a
round takes, without start-up, by one thread and, of this version, by several. Versions take turns; all masks and tables
have to be the same bytes.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dilt.answers.asked import asked
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import gather
from dilt.foundations import storage
from dilt.networks import architectures, building
from dilt.tickets.mask_files import write_mask
from dilt.tickets.masks import Mask, intersection
from dilt.tickets.pruning import Weights, prune
from dilt.tickets.trajectories import FULL, sibling, splits

ROOT = Path(__file__).resolve().parent.parent
PARTITIONS = ("low", "high")
RATE = 0.5
Arguments = dict[str, list[str]]
Seconds = tuple[float, float]  # by the clock, and of CPU


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--side", type=int, default=32, help="of the images, in pixels")
    parser.add_argument("--rounds", type=int, default=4, help="that the trajectories have")
    parser.add_argument("--further", type=int, default=2, help="rounds that the second process has beyond the first")
    parser.add_argument("--against", type=Path, action="append", default=[], metavar="FOLDER", help="of other versions")
    parser.add_argument("--threads", type=int, default=2, help="of this version, besides one")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        given, weights = material(folder, arguments.model, arguments.side, arguments.rounds)
        versions = {"this": (ROOT, 1), f"this, {arguments.threads} threads": (ROOT, arguments.threads)}
        versions |= {str(path): (path.resolve(), 1) for path in arguments.against}
        took: dict[str, list[list[Seconds]]] = {name: [] for name in versions}
        for _ in range(arguments.repeats):
            for name, (root, threads) in versions.items():
                seconds = []
                for number in (1, 1 + arguments.further):
                    rounds = range(arguments.rounds - number, arguments.rounds)
                    seconds.append(run(root, folder, given, rounds, threads))
                    same(folder, name, number, first=name == "this")
                took[name].append(seconds)
        print(f"{arguments.model}, {weights:,} prunable weights, {len(tickets(1))} tickets a round\n")
        print("| version | one round, s | a further round, s | range | CPU s | x |")
        print("| --- | ---: | ---: | --- | ---: | ---: |")
        further = {
            name: (np.array(all_)[:, 1] - np.array(all_)[:, 0]) / arguments.further for name, all_ in took.items()
        }
        for name, each in further.items():
            walls, cpu = each.T
            one = statistics.median(first for (first, _), _ in took[name])
            print(
                f"| {name} | {one:.1f} | {np.median(walls):.2f} | {walls.min():.2f} to {walls.max():.2f} | "
                f"{np.median(cpu):.2f} | {np.median(walls / further['this'][:, 0]):.2f} |"
            )


def tickets(round_: int) -> list[str]:
    """The tickets that the three claims ask for, all at one round."""
    rounds = {"rounds": [round_], "claim_rounds": dict.fromkeys(("C1", "C2", "C3"), round_)}
    values = gather([ROOT / "config.yaml"]).values
    values["tickets"] = values["tickets"] | rounds
    values["pruning"] = values["pruning"] | {"rounds": round_ + 1}
    return list(dict.fromkeys(name for _, name in asked(parse_config(values), PARTITIONS).trained))


def material(folder: Path, model: str, side: int, rounds: int) -> tuple[Arguments, int]:
    """Write trajectories; the arguments of `combine` that name them, and the number of prunable weights."""
    settings, image = building.Model(name=model), (3, side, side)
    network = building.create(settings, image, 10)
    theta0 = {name: weight.detach().numpy().copy() for name, weight in architectures.prunable(network).items()}
    dense = Mask.full({name: weight.shape for name, weight in theta0.items()})
    storage.write_tensors(folder / "theta0.safetensors", theta0, {})
    write_mask(folder / "dense.safetensors", dense)
    data = {"image_shape": image, "classes": [str(n) for n in range(10)], "partitions": {}, "sha256": {}}
    storage.write_json(folder / "dataset.json", data)
    siblings, parts = [sibling(name) for name in PARTITIONS], splits(len(PARTITIONS))
    names = [*PARTITIONS, *siblings, *parts, FULL, "to-core"]
    runs = {name: trajectory(folder / name, theta0, dense, rounds, seed) for seed, name in enumerate(names)}
    cyclic = consensus(folder, theta0, dense, rounds)
    given = {
        "seed": ["0"],
        "partitions": list(PARTITIONS),
        "splits": parts,
        "data": [str(folder / "dataset.json")],
        "theta0": [str(folder / "theta0.safetensors")],
        "dense": [str(folder / "dense.safetensors")],
        "options": [json.dumps({"scope": "global", "pattern": None, "match": "weights", "model": {"name": model}})],
    }
    for of, members in {"partition": PARTITIONS, "sibling": siblings, "split": parts, "lth": [FULL]}.items():
        for part, kind in enumerate(("masks", "weights")):
            given[f"{of}-{kind}"] = [path for name in members for path in runs[name][part]]
    given["colt-masks"], given["colt-weights"] = cyclic
    for part, kind in enumerate(("masks", "weights")):
        given[f"same-rounds-{kind}"] = runs["to-core"][part]
    return given, dense.size


def trained(theta0: Weights, round_: int, seed: int) -> dict[str, np.ndarray]:
    """What training might have made of theta0: as much noise as weight after two rounds."""
    draws = np.random.default_rng([seed, round_])
    shift = {name: draws.standard_normal(weight.shape, np.float32) for name, weight in theta0.items()}
    return {name: weight + round_ / 2 * weight.std() * shift[name] for name, weight in theta0.items()}


def trajectory(folder: Path, theta0: Weights, dense: Mask, rounds: int, seed: int) -> tuple[list[str], list[str]]:
    """Files of masks and weights of each round."""
    masks, weights, mask = [], [], dense
    for round_ in range(1, rounds + 1):
        values = trained(theta0, round_, seed)
        mask = prune(values, mask, RATE, "global", f"{folder.name} round {round_}")
        weights.append(str(folder / f"weights-{round_}.safetensors"))
        masks.append(str(folder / f"mask-{round_}.safetensors"))
        storage.write_tensors(weights[-1], values, {})
        write_mask(masks[-1], mask)
    return masks, weights


def consensus(folder: Path, theta0: Weights, dense: Mask, rounds: int) -> tuple[list[str], list[str]]:
    """Files of COLT's masks of each round, and of the weights of each partition's rounds in turn."""
    masks, weights, mask = [], [[] for _ in PARTITIONS], dense
    for round_ in range(1, rounds + 1):
        each = [trained(theta0, round_, 100 + seed) for seed in range(len(PARTITIONS))]
        mask = intersection(prune(values, mask, RATE, "global") for values in each)
        masks.append(str(folder / f"colt/mask-{round_}.safetensors"))
        write_mask(masks[-1], mask)
        for values, name, paths in zip(each, PARTITIONS, weights, strict=True):
            paths.append(str(folder / f"colt/{name}-{round_}.safetensors"))
            storage.write_tensors(paths[-1], values, {})
    return masks, [path for paths in weights for path in paths]


def run(root: Path, folder: Path, given: Arguments, rounds: range, threads: int) -> Seconds:
    """What a version's `combine` takes for all tickets of these rounds."""
    out, last = folder / "out", rounds[-1]
    names = [f"{round_}/{ticket}" for round_ in rounds for ticket in tickets(round_)]
    asked_for = {
        "same-rounds": [str(round_) for round_ in rounds],
        "names": names,
        "tickets": [str(out / f"{name}.safetensors") for name in names],
        "densities": [str(out / "densities.csv")],
        "overlaps": [str(out / "overlaps.csv")],
    } | {
        # A way to the core of each round; here all are the beginning of one.
        f"same-rounds-{kind}": [path for round_ in rounds for path in given[f"same-rounds-{kind}"][:round_]]
        for kind in ("masks", "weights")
    }
    command = [sys.executable, "-m", "dilt.combine"]
    if threads > 1:  # an option that older versions do not have
        command += ["--threads", str(threads)]
    for key, values in (given | asked_for).items():
        command += [f"--{key}", *values]
    single = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment = os.environ | single | {"PYTHONPATH": str(root)}
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"combine of {root} failed in round {last}")
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime


def same(folder: Path, version: str, number: int, first: bool) -> None:
    """Put what was made aside if it is the first version's; else make sure that it is the same bytes."""
    out, kept = folder / "out", folder / f"out-{number}"
    if first and not kept.exists():
        out.rename(kept)
        return
    files = [path.relative_to(kept) for path in kept.rglob("*") if path.is_file()]
    _, different, missing = filecmp.cmpfiles(kept, out, files, shallow=False)
    if different or missing:
        sys.exit(f"{version} makes other files: {', '.join(map(str, [*different, *missing][:5]))}")
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
