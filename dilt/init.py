"""The command ``dilt init [FOLDER]``: begins a project, and writes a configuration for images, with its reasons.

What a project has belongs to `configuration.projects`, what is proposed to `configuration.proposal`. Here steps of
each network are timed, until one fits the time.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.foundations.signals import end_with_reader

if TYPE_CHECKING:
    from dilt.configuration.proposal import Network, Proposal
    from dilt.settings.experiment import Config

TIMED_STEPS = 6  # of a network's training
SHORT = 30.0  # seconds of a training below which start-up is worth saving


def main(prog: str = "python -m dilt.init") -> None:
    """Begin a project here, unless one is here: Snakefile, profiles, presets, and the demo's configuration.

    Given a folder of images, also look at it and write a configuration for it: the values that fit it, each with its
    reason.
    """
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, help="that has a folder of images for each class, or train/ with these"
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="to write; else FOLDER's name and .yaml, here")
    parser.add_argument(
        "--table", type=Path, metavar="CSV", help="with a row per class, a column of which is partitions"
    )
    parser.add_argument(
        "--target", type=Path, metavar="FOLDER", help="of other images, to transfer to; else some classes"
    )
    parser.add_argument("--model", metavar="NAME", help="a timm model; else a ResNet-18, as wide as there is time for")
    parser.add_argument("--weights", metavar="FILE", help="safetensors file of pretrained weights, to start from")
    parser.add_argument("--hours", type=float, default=8.0, help="of training on this machine; default 8")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), metavar="N", help="as snakemake --cores")
    arguments = parser.parse_args()
    try:
        print(write(arguments) if arguments.folder else begin(arguments.cores))
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: error: {error}")


def begin(cores: int) -> str:
    """Begin a project with the demo's configuration; gives what was written, and what to do next.

    Raises:
        ValueError: a project is here already.
        OSError: a file cannot be written.
    """
    if Path("Snakefile").exists():
        raise ValueError("Snakefile: is there already, so a project is; give the folder of images to look at")
    return "\n".join(
        [
            _begun(),
            "config.yaml is the demo's experiment, on handwritten digits, and explains every key. What to do next:",
            "    dilt plan             # jobs, time, disk, memory, and how likely verdicts are",
            f"    snakemake --cores {cores} --logger dilt",
            "    dilt claims --brief results/digits/tables",
        ]
    )


def _begun() -> str:
    """Begin a project here; gives what was written."""
    from dilt.configuration.projects import write_project

    files = write_project(Path())
    folders = dict.fromkeys(f"{file.split('/')[0]}/" if "/" in file else file for file in files)
    return f"A project begins here: {', '.join(folders)}."


def write(arguments: argparse.Namespace) -> str:
    """Write the configuration; gives what was found, what was written, and what to do next.

    Raises:
        ValueError: the folder, the table or the model cannot be used, or the file is there already.
        OSError: the file cannot be written.
    """
    from dilt.configuration import proposal
    from dilt.configuration.explained_yaml import written
    from dilt.configuration.plan_tables import FEW_STEPS
    from dilt.data.partitions import find_columns
    from dilt.jobs.gpus import installed_gpus
    from dilt.settings.data import TablePartitions
    from dilt.sources.survey import look_at

    survey = look_at(arguments.folder)
    target = look_at(arguments.target) if arguments.target else None
    table = None
    if arguments.table:
        named, grouped = find_columns(arguments.table, list(survey.classes))
        table = TablePartitions(by="table", table=str(arguments.table), class_column=named, group_column=grouped)
    name = arguments.to.stem if arguments.to else proposal.name_of(survey)
    path = arguments.to or Path(f"{name}.yaml")
    if path.exists():
        raise ValueError(f"{path}: is there already; remove it, or write another file with --to")
    gpus = len(installed_gpus())
    networks = list(proposal.networks(survey, gpus > 0, arguments.model, arguments.weights))
    propose = partial(proposal.proposal, name, survey, table=table, target=target)
    fitted = _fitted(propose, networks, arguments.hours, gpus or arguments.cores)
    begun = [] if Path("Snakefile").exists() else [_begun()]
    path.write_text(written(fitted.values, fitted.reasons), encoding="utf-8")
    training = fitted.values["training"]
    steps = training["epochs"] * math.ceil(fitted.images / training["batch_size"])
    few = f"{steps} steps are few: networks may stay at chance, where no claim is decided; give more --hours"
    return "\n".join(
        [
            fitted.reasons[""],
            f"Chosen: {_named(fitted)} at {fitted.values['source']['image_size']} pixels. {fitted.reasons['model']}",
            *([few] if steps < FEW_STEPS else []),
            *begun,
            *(f"{file}: cannot be read as an image; mend or remove it first" for file in survey.unreadable[:3]),
            f"{path} has a proposal and its reasons. What to do next:",
            f"    dilt check {path}     # after each change",
            f"    dilt plan {path}      # jobs, time, disk, memory, and how likely verdicts are",
            f"    snakemake --cores {arguments.cores} --logger dilt --configfile {path}",
        ]
    )


def _fitted(propose: Callable[..., Proposal], networks: Sequence[Network], hours: float, places: int) -> Proposal:
    """The proposal with the costliest network whose trainings take no more than the time, or else with fewer epochs.

    Args:
        propose: of a network, as `proposal.proposal`.
        networks: the costliest first.
        places: trainings that run side by side.

    Raises:
        ConfigError: a proposal is no valid configuration, as where the user's model cannot be used.
    """
    from dilt.configuration.plan_tables import duration
    from dilt.training.speed import seconds_per_image

    images = 0.0
    for network in networks:
        chosen, config = _checked(propose(network))
        images = images or _trained_images(chosen)
        shape, classes = (3, network.image_size, network.image_size), len(config.source.classes or [])
        cpu, wall, _ = seconds_per_image(config.model, config.training, shape, classes or 10, 1, TIMED_STEPS)
        seconds = wall if network.on_gpu else cpu  # other work on this machine costs no CPU time
        took = images * seconds / places / 3600
        told = f"{_named(chosen)} at {network.image_size} pixels: {duration(3600 * took)} of training"
        print(told, file=sys.stderr)
        if took <= hours:
            break
    else:
        whole = config.training.epochs
        shorter = propose(network, most_epochs=int(whole * hours / took))
        chosen = replace(shorter, values={**shorter.values, "model": chosen.values["model"]})
        took *= chosen.values["training"]["epochs"] / whole
    return _explained(chosen, took, places, seconds * chosen.images * chosen.values["training"]["epochs"])


def _named(one: Proposal) -> str:
    """A network for the list of those that are tried."""
    model = one.values["model"]
    channels, depth = (model.get("arguments", {}).get(key) for key in ("channels", "depth"))
    shape = f" with {channels[0]} to {channels[-1]} channels" if channels else f" of depth {depth}" if depth else ""
    return str(model["name"]) + shape


def _checked(one: Proposal) -> tuple[Proposal, Config]:
    """A proposal and its configuration, with the model's own first convolution if it has no other."""
    from dilt.configuration.reading import parse_config
    from dilt.configuration.yaml_files import ConfigError

    try:
        return one, parse_config(one.values, "proposal")
    except ConfigError as error:
        if "stem" not in one.values["model"] or not all("model.stem" in line for line in error.lines):
            raise
    model = {key: value for key, value in one.values["model"].items() if key != "stem"}
    plain = replace(one, values={**one.values, "model": model})
    return plain, parse_config(plain.values, "proposal")


def _trained_images(one: Proposal) -> float:
    """Images that all trainings of an experiment see, as Snakemake's dry run tells them."""
    from dilt.configuration.dry_runs import snakemake
    from dilt.configuration.explained_yaml import written
    from dilt.configuration.planned import planned_files
    from dilt.configuration.reading import load
    from dilt.configuration.workload import Settings, pieces

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "proposal.yaml")
        path.write_text(written(one.values, {}), encoding="utf-8")
        files = planned_files(snakemake([path], "--summary"))
        settings = Settings.of(load(path))
    return sum(
        piece.units
        for piece in pieces([(file.rule, file.path.partition("/")[2]) for file in files], settings)
        if piece.kind
    )


def _explained(one: Proposal, hours: float, places: int, longest_s: float) -> Proposal:
    """The proposal with what its trainings take, and jobs cut to suit them."""
    from dilt.configuration.plan_tables import duration

    reasons = dict(one.reasons)
    reasons["model"] = (
        f"All trainings take about {duration(3600 * hours)}, {places} side by side, as {TIMED_STEPS} steps took here. "
        "The rest comes on top: for trainings of seconds as much again, for long ones little."
    )
    values = dict(one.values)
    if longest_s < SHORT:
        values["jobs"] = {"group": "rounds"}
        reasons["jobs"] = f"A training takes {longest_s:.0f} s, so a job does those of all rounds."
    return replace(one, values=values, reasons=reasons)


if __name__ == "__main__":
    end_with_reader()
    main()
