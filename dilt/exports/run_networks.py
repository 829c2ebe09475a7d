"""Reads networks of an experiment that are no tickets from its files, for `exporting`: assemblies and trajectories.

An assembly is a row of ``assembly/round-<r>.csv``; if it was not retrained, it is put together here again, as in
`evaluate_assemblies`. A trajectory is a folder with the weights of a round.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dilt.assemblies.joining import Run, assemblies, retrained_mask
from dilt.assemblies.names import HEAD, RETRAINED, row_key
from dilt.exports.experiments import missing
from dilt.foundations import storage
from dilt.foundations.result_paths import Networks, expression
from dilt.foundations.storage import Tensors
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask
from dilt.tickets.pattern import Pattern
from dilt.tickets.trajectories import sibling, trajectory_classes

if TYPE_CHECKING:
    from torch import nn

# Below the folder of the networks, `root`.
ASSEMBLIES = re.compile(
    "(?P<root>.+)/" + expression(Networks.ASSEMBLIES, seed=r"\d+", round=r"\d+") + r"(\.csv)?",
)
TRAJECTORY = re.compile(
    "(?P<root>.+)/"
    + expression(Networks.RUN, seed=r"\d+", coupling=r"independent|cyclic|same-rounds-\d+", round=r"[1-9]\d*")
)


@dataclass(frozen=True)
class Network:
    """A network with all that its card says.

    Attributes:
        state: every tensor, head included.
        record: of the file that the tensors are from; if they were put together here, versions and origin.
        classes: of the head's outputs, in their order.
        origin: where it comes from, in words.
        scores: rows of test accuracies, as `cards.Card` has them.
    """

    state: Tensors
    record: Mapping[str, Any]
    mask: Mask
    classes: tuple[str, ...]
    origin: dict[str, Any]
    scores: list[dict[str, Any]]


def trajectory(folder: Path, dataset: Mapping[str, Any]) -> Network:
    """The network that a trajectory trained in a round, under the mask of the round before.

    Args:
        folder: such as ``results/digits/seed-0/independent/low/round-4``.
        dataset: the contents of the source's dataset.json.

    Raises:
        ValueError: this is no folder of a trajectory's round.
        FileNotFoundError: the network is not trained yet.
    """
    found = TRAJECTORY.fullmatch(str(folder))
    assert found is not None
    state, record = storage.read_tensors(_there(folder / "weights.safetensors"))
    root, seed, round_ = Path(found["root"]), int(found["seed"]), int(found["round"])
    coupling, name = found["coupling"], found["trajectory"]
    before = Networks.RUN_MASK if round_ > 1 else Networks.DENSE_MASK
    pruned = "consensus" if coupling == "cyclic" else name
    mask = read_mask(_there(root / before.format(seed=seed, coupling=coupling, trajectory=pruned, round=round_ - 1)))
    classes = trajectory_classes(name, dataset["partitions"], dataset["classes"])
    origin = {"seed": seed, "trajectory": f"{coupling}/{name}", "round": round_}
    # The whole network of a partition is a row of the assemblies of the round before, under whose mask it was trained.
    table = root / Networks.ASSEMBLIES_SCORES.format(seed=seed, round=round_ - 1)
    key = f"{name}/intact/{name}/{HEAD}"
    rows = storage.read_rows(table) if table.exists() and coupling == "independent" else []
    scores = [_score(row) for row in rows if row_key(row) == key]
    return Network(state, record, mask, tuple(classes), origin, scores)


def assembly(table: Path, key: str, model: Model, dataset: Mapping[str, Any], pattern: Pattern) -> Network:
    """The network behind a row of the assemblies' table.

    Args:
        table: such as ``results/digits/seed-0/assembly/round-3.csv``, or without the suffix.
        key: ``<partition>/<assembly>/<core_from>/<readout>``, as `assemblies.names.row_key` gives it.
        pattern: that the experiment's trajectories keep.

    Raises:
        ValueError: the table has no such row, or the network's head cannot be replaced by the row's linear head.
        FileNotFoundError: a file is missing.
    """
    found = ASSEMBLIES.fullmatch(str(table))
    assert found is not None
    root, seed, round_ = Path(found["root"]), int(found["seed"]), int(found["round"])

    def place(pattern: str, **wildcards: str) -> Path:
        return _there(root / pattern.format(seed=seed, round=round_, **wildcards))

    rows = {row_key(row): row for row in storage.read_rows(place(Networks.ASSEMBLIES_SCORES))}
    if key not in rows:
        near = difflib.get_close_matches(key, rows, n=3, cutoff=0) or list(rows)[:3]
        raise ValueError(f"--row: no assembly '{key}' in {table}; choose one such as {', '.join(near)}")
    row, partitions = rows[key], dataset["partitions"]
    # Partitions in the experiment's order, as in names of assemblies; a JSON file has them in another.
    runs = {name: _run(root, seed, name, round_) for name in dict.fromkeys(row["partition"] for row in rows.values())}
    classes = tuple(trajectory_classes(row["partition"], partitions, dataset["classes"]))
    origin = {"seed": seed, "round": round_} | {
        column: row[column] for column in ("partition", "assembly", "core_from", "readout")
    }
    if row["readout"] == RETRAINED:
        state, record = storage.read_tensors(
            place(Networks.RETRAINED_WEIGHTS, partition=row["partition"], assembly=row["assembly"])
        )
        masks = {name: run.mask for name, run in runs.items()}
        mask = retrained_mask(row["partition"], row["assembly"], masks, seed, pattern)
    else:
        fitted = storage.read_tensors(place(Networks.ASSEMBLIES_FITTED))
        state, mask = _put_together(row, runs, root, seed, round_, fitted[0], model, dataset, classes, pattern)
        record = {"versions": fitted[1]["versions"]} | origin
    mask = mask.with_origin(f"{row['assembly']} of {row['core_from']}, round {round_}")
    return Network(state, record, mask, classes, origin, [_score(row)])


def _put_together(
    row: Mapping[str, str],
    runs: Mapping[str, Run],
    root: Path,
    seed: int,
    round_: int,
    fitted: Tensors,
    model: Model,
    dataset: Mapping[str, Any],
    classes: tuple[str, ...],
    pattern: Pattern,
) -> tuple[Tensors, Mask]:
    """State and mask of an assembly that was not retrained; its head is the linear one if it is read out by one."""
    from dilt.assemblies import readouts
    from dilt.networks import states
    from dilt.networks.shells import Shells

    theta0, _ = storage.read_tensors(_there(root / Networks.THETA0.format(seed=seed)))
    siblings = {name: _run(root, seed, sibling(name), round_) for name in runs}
    found = next(
        one
        for one in assemblies(runs, siblings, theta0, seed, pattern)
        if (one.name, one.core_from) == (row["assembly"], row["core_from"])
    )
    shape = dataset["image_shape"]
    network = readouts.network(found, Shells(model, shape), classes, row["partition"], runs, seed)
    start = f"{row_key(row)}:"
    own = {name.removeprefix(start): array for name, array in fitted.items() if name.startswith(start)}
    _use(network, own, shape)
    return states.state(network), found.mask


def _use(model: nn.Module, tensors: Tensors, image_shape: Sequence[int]) -> None:
    """Put what `readouts.fit` found into the network: statistics of its norms, and a linear head in place of its own.

    Args:
        image_shape: (channels, height, width).

    Raises:
        ValueError: the head does more than a linear layer, so that it cannot be the one that was fitted.
    """
    import torch

    from dilt.assemblies import readouts
    from dilt.networks.linear_heads import use_linear_head

    head = (readouts.WEIGHT, readouts.BIAS)
    measured = {name: torch.from_numpy(array) for name, array in tensors.items() if name not in head}
    model.load_state_dict(measured, strict=False)
    if readouts.WEIGHT not in tensors:
        return
    weight, bias = (torch.from_numpy(np.asarray(tensors[name], np.float32)) for name in head)
    use_linear_head(model, weight.numpy(), bias.numpy())
    pixels = torch.randn(2, *image_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        read = model.eval().forward_head(model.forward_features(pixels), pre_logits=True)  # type: ignore[operator]
        if not torch.allclose(model(pixels), read @ weight.T + bias, rtol=1e-3, atol=1e-3):
            raise ValueError("the head is more than a linear layer; choose a row that is read out by its own head")


def _run(root: Path, seed: int, name: str, round_: int) -> Run:
    """A trajectory's mask of a round, and the state of the network that was trained under it."""

    def place(pattern: str, round_: int) -> Path:
        return _there(root / pattern.format(seed=seed, coupling="independent", trajectory=name, round=round_))

    mask = read_mask(place(Networks.RUN_MASK, round_))
    return Run(mask, storage.read_tensors(place(Networks.RUN_WEIGHTS, round_ + 1))[0])


def _score(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "measured_on": f"source, {row['partition']}",
        "protocol": row["readout"],
        "images": int(row["images"]),
        "accuracy": float(row["accuracy"]),
    }


def _there(path: Path) -> Path:
    if not path.is_file():
        raise missing(path, "run the experiment to its end first")
    return path
