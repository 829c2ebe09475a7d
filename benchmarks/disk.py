"""What a run of ResNet-50 leaves on the disk, with `jobs.keep: all` and with `masks`, beside what `dilt plan` said.

    nice -n 10 python benchmarks/disk.py                    # 39 networks of 94 MB; some minutes of an idle core
    nice -n 10 python benchmarks/disk.py --folder FOLDER    # where it may be stopped, and gone on with

A clone of this commit plans a small experiment on handwritten digits of 8 x 8 pixels, runs it with all networks kept,
and goes on with `masks`. Bytes are those of the files below results/ (blocks of the disk, as `du` counts them), by the
kinds of the plan's table. A file with several names, as finished work among the checkpoints has, counts once.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from dilt.foundations.result_paths import is_trained

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """\
experiment: disk
networks: null
seeds: [0]
source:
  name: digits
  classes: ["0", "1", "2", "3"]
  images_per_class: 20
  partitions: {by: classes, classes: {low: ["0", "1"], high: ["2", "3"]}}
targets: {held-out: {name: digits, classes: ["4", "5"], images_per_class: 20}}
model: {name: resnet50, arguments: {}}
training: {epochs: 1, batch_size: 8, optimizer: sgd, learning_rate: 0.01, warmup_epochs: 0}
pruning: {rounds: 2, rate: 0.5}
instability: {points: 3}
tickets: {rounds: [1], claim_rounds: {C1: 1, C2: 1, C3: 1}}
transfer: {protocols: [retrain, linear], training: {epochs: 1, batch_size: 8}, penalties: [0.1]}
evaluation: {corruptions: []}
representations: {probes: 8}
clustering: {subsamples: 2, shuffles: 19}
claims:
  asked: []
  own: {core: {statement: The core transfers better., round: 1, comparisons: [core - lth@core on transfer]}}
jobs: {group: together, keep: KEEP}
"""
CHECKPOINTS = "checkpoints"


def kind(path: str) -> str:
    """The kind of a result, as the plan's table has it, by its path below the experiment's folder."""
    name = path.rpartition("/")[2]
    if path.startswith(f"{CHECKPOINTS}/"):
        return CHECKPOINTS
    if is_trained(path):
        return "transferred networks" if "/transfer/" in path else "weights"
    if name in ("mask.safetensors", "dense.safetensors"):
        return "masks"
    if ".zarr/" in path:
        return "stores of activations"
    if path.startswith("data/"):
        return "data"
    if name.endswith(".safetensors") and not re.search("correct|logits", name):
        return "weights"
    return "tables and figures"


def taken(results: Path) -> Counter[str]:
    """Bytes on the disk by kind; checkpoints have what is under no other name."""
    found: Counter[str] = Counter()
    seen = set()
    files = [path for path in results.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: CHECKPOINTS in path.parts):
        about = path.stat()
        if about.st_ino not in seen:
            found[kind(path.relative_to(results).as_posix())] += 512 * about.st_blocks
        seen.add(about.st_ino)
    return found


def ran(folder: Path, *command: str) -> str:
    """What a command says that is run in the clone; ends with its last lines if it fails."""
    env = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def main() -> None:
    """Plan, run, count, remove, count."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, help="where to work; by default a folder that is deleted in the end")
    folder = parser.parse_args().folder
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory() as scratch:
        measure(Path(scratch).absolute() / "clone")


def measure(folder: Path) -> None:
    """Work in a clone of the project, which is made if it is not there, and print tables."""
    if not folder.exists():
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    measured = {}
    for keep in ("all", "masks"):
        (folder / "disk.yaml").write_text(SETTINGS.replace("KEEP", keep))
        ran(folder, "snakemake", "--cores", "1", "--configfile", "config.yaml", "disk.yaml")
        measured[keep] = taken(folder / "results/disk")
        print(keep, dict(measured[keep]), flush=True)
    told = ran(folder, "dilt.plan", "config.yaml", "disk.yaml")
    print(next(part for part in told.split("\n\n") if part.startswith("disk")))
    print("\n| MB | keep: all | keep: masks |\n| --- | ---: | ---: |")
    for name in measured["all"]:
        print(f"| {name} | {' | '.join(f'{found[name] / 1e6:,.1f}' for found in measured.values())} |")
    print(f"| all | {' | '.join(f'{found.total() / 1e6:,.1f}' for found in measured.values())} |")


if __name__ == "__main__":
    main()
