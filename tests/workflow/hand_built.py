"""The workflow's own commands run in this process, but for trainings of trajectories, whose results are hand-built.

The commands are those that a dry run prints, in its order, so that what is run is what Snakemake would run.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np

from dilt.configuration import reading
from dilt.foundations import storage
from dilt.settings import experiment
from dilt.tickets.mask_files import read_mask
from tests import truth
from tests.conftest import ROOT
from tests.truth import World

Command = dict[str, list[str]]


def run(world: World, folder: Path, seeds: int) -> experiment.Config:
    """Run an experiment in a world, below a folder that is the working directory; its configuration."""
    written = truth.write_experiment(world, folder, seeds)
    for stage, command in planned(folder, written, "evaluation", "assemblies"):
        if stage == "train":
            train(world, command)
            continue
        execute(stage, command)
        if stage == "initialise":
            start(command)
    return reading.load(written)


def run_really(world: World, folder: Path, target: str, **changes: object) -> None:
    """Make a file of an experiment of one seed with nothing hand-built but its images; theta0 is drawn as always."""
    written = truth.write_experiment(world, folder, seeds=1, **changes)
    for stage, command in planned(folder, written, target):
        execute(stage, command)


def planned(folder: Path, configuration: Path, *targets: str) -> list[tuple[str, Command]]:
    """The commands of a dry run, in an order in which they can be run: stage, and options with their words."""
    where = ["-s", str(ROOT / "Snakefile"), "-d", str(folder)]
    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", *targets, *where, "-n", "-p", "--configfile", str(configuration)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:] + ran.stdout[-3000:]
    lines = re.findall(r"^Shell command: python -m dilt\.(\w+) (.*) > \S+ 2>&1$", ran.stdout, re.MULTILINE)
    assert len(lines) == len(re.findall(r"^Shell command: (?!None)", ran.stdout, re.MULTILINE)) > 0
    return [(stage, parsed(shlex.split(words))) for stage, words in lines]


def parsed(words: list[str]) -> Command:
    """Options with their words."""
    command: Command = {}
    for word in words:
        if word.startswith("--"):
            option = command.setdefault(word, [])
        else:
            option.append(word)
    return command


def execute(stage: str, command: Command) -> None:
    """Run a stage's command line in this process; without its log, beside which a thread would go on recording."""
    words = [word for option, given in command.items() if option != "--log" for word in (option, *given)]
    argv, fsync = mock.patch.object(sys, "argv", ["dilt", *words]), mock.patch("os.fsync")  # nothing here has to last
    with argv, fsync, contextlib.redirect_stdout(io.StringIO()):
        importlib.import_module(f"dilt.{stage}").main()


def start(command: Command) -> None:
    """Put the hand-built weights into the theta0 that was drawn, whose biases and norms start at nothing learnt."""
    path = Path(*command["--theta0"])
    drawn, record = storage.read_tensors(path)
    built = truth.theta0(int(*command["--seed"]))
    plain = {name: np.zeros_like(array) if name.endswith("bias") else array for name, array in drawn.items()}
    storage.write_tensors(path, plain | built, record)


def train(world: World, command: Command) -> None:
    """Hand-build what trajectories would train to; train really only what assemblies are put together from."""
    round_, seed = int(*command["--round"]), int(*command["--seed"])
    lists = ("--runs", "--masks", "--weights", "--metrics")
    real: Command = {option: [] for option in lists}
    for run_, mask_path, weights, metrics in zip(*(command[option] for option in lists), strict=True):
        trajectory = run_.rpartition("/")[2]
        if round_ == truth.CLAIM_ROUND + 1 and run_.startswith("independent/") and not truth.sees_all(trajectory):
            for option, word in zip(lists, (run_, mask_path, weights, metrics), strict=True):
                real[option].append(word)
            continue
        mask = read_mask(Path(mask_path))
        trained = {name: array * mask[name] for name, array in world.magnitudes(trajectory, seed).items()}
        storage.write_tensors(Path(weights), trained, {"run": run_, "round": round_})
    if real["--runs"]:
        execute("train", command | real)
