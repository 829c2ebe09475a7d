"""Stage `evaluate`: scores trained networks on test images, which no earlier stage opens.

The stages that write the networks make all choices. Each network's file says what it is: seed, round and so on, the
classes of its head in their order, and how it is read out (``head``, or ``linear`` for a linear head on features).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dilt.foundations import storage
from dilt.jobs import command
from dilt.settings.base import Section
from dilt.settings.evaluation import CLEAN, Corruption, Severity
from dilt.settings.networks import Model

if TYPE_CHECKING:
    import torch

    from dilt.data.partitions import Partitions
    from dilt.data.prepared import Images
    from dilt.networks.shells import Shells

# What the rows of each kind of network begin with.
ADDRESSES = {"tickets": ("seed", "round", "ticket"), "transfer": ("seed", "round", "ticket", "target", "protocol")}
# The rows of a table, each under a name of its own: the row, and which of its images are right (num_images,).
Scored = dict[str, tuple[dict[str, Any], NDArray[np.uint8]]]
# Logits (num_images, num_classes) by the corruption of the images; `CLEAN` is always there.
Outputs = dict[str, NDArray[np.float32]]
# What a network's file tells of it, the images that it was shown, and what it answered.
Answered = tuple[dict[str, Any], "Images", Outputs]


class Options(Section):
    """What `evaluate` reads from the configuration; networks that were transferred see images as they are."""

    model: Model
    precision: str
    corruptions: list[Corruption] = Field(default=[])
    severity: Severity = 3


def evaluate(arguments: argparse.Namespace) -> None:
    """Score trained networks on test images; write tables, and beside each which images are right, and logits."""
    from dilt.data.prepared import read_partitions, read_split
    from dilt.networks.devices import use_device
    from dilt.networks.shells import Shells, side_by_side

    options = command.options(arguments, Options)
    device = use_device(arguments.threads)
    test, partitions = read_split(arguments.data, "test"), read_partitions(arguments.data)
    networks = command.grouped(arguments.networks, max(1, len(arguments.networks) // len(arguments.scores)))
    kept = arguments.logits or [None] * len(arguments.scores)
    left = iter(command.zipped(networks, arguments.scores, arguments.correct, kept))
    shells = Shells(options.model, test.image_shape)
    output_bytes = 4 * len(test) * len(test.classes) * (1 + len(options.corruptions))
    size = side_by_side(sum(path.stat().st_size + output_bytes for path in networks[0] if path.is_file()))
    while group := list(islice(left, size)):
        paths = [path for table in group for path in table[0]]
        answered = iter(answers(paths, arguments.kind, test, shells, options, device))
        for of_table, scores, correct, logits in group:
            own = list(islice(answered, len(of_table)))
            write_scores(own, TABLES[arguments.kind], partitions, scores, correct, logits)


def write_scores(
    answered: Sequence[Answered],
    score: Callable[[dict[str, Any], Outputs, Images, Partitions], Scored],
    partitions: Partitions,
    scores: Path,
    correct: Path,
    logits: Path | None,
) -> None:
    """Write the table of some networks, which images are right, and logits if they are kept."""
    scored: Scored = {}
    found: storage.Tensors = {}
    for record, images, outputs in answered:
        scored |= score(record, outputs, images, partitions)
        found |= {record.get("protocol", "logits"): outputs[CLEAN], "labels": images.labels}
    storage.write_rows(scores, [row for row, _ in scored.values()])
    right = {name: images_right for name, (_, images_right) in scored.items()}
    storage.write_tensors(correct, right, {"versions": command.versions()})
    if logits:
        storage.write_tensors(logits, found, {"classes": record["classes"], "versions": command.versions()})
    print(f"{scores}: {len(scored)} row(s)", flush=True)


def require_told(path: Path, record: dict[str, Any], kind: str, test: Images) -> None:
    """Make sure that a network's file has what its rows begin with, and is for classes that the data have.

    Raises:
        ValueError: something is missing, or a class is not in the data.
    """
    if missing := [name for name in (*ADDRESSES[kind], "classes", "readout") if name not in record]:
        raise ValueError(f"{path}: does not tell its {missing[0]}; give networks of the {kind}, or make it anew")
    if unknown := [name for name in record["classes"] if name not in test.classes]:
        raise ValueError(f"{path}: is for the class '{unknown[0]}', which is not in --data; give the network's data")


def answers(
    paths: Sequence[Path], kind: str, test: Images, shells: Shells, options: Options, device: torch.device
) -> list[Answered]:
    """What each network answers to the images of its classes.

    Networks of the same classes see these side by side.
    """
    from dilt.data.corruptions import corrupting
    from dilt.networks import readings
    from dilt.networks.linear_heads import linear_head_outputs

    models, records = [], []
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, path in enumerate(paths):
        tensors, record = storage.read_tensors(path)
        require_told(path, record, kind, test)
        same = alike.setdefault(tuple(record["classes"]), [])
        models.append(shells.with_state(tensors, record["classes"], place=len(same)))
        records.append(record)
        same.append(number)
    found: dict[int, Answered] = {}
    corruptions = corrupting(options.corruptions, options.severity)
    for classes, numbers in alike.items():
        images = test.restrict(classes)
        linear = partial(linear_head_outputs, num_classes=len(classes))
        readers = [linear if records[number]["readout"] == "linear" else readings.outputs for number in numbers]
        asked = [(models[number], reader) for number, reader in zip(numbers, readers, strict=True)]
        read = readings.read(asked, images, device, options.precision, corruptions)
        for number, reading in zip(numbers, read, strict=True):
            found[number] = records[number], images, {name: outputs for name, (outputs,) in reading.items()}
    return [found[number] for number in range(len(paths))]


def ticket_scores(record: dict[str, Any], outputs: Outputs, images: Images, partitions: Partitions) -> Scored:
    """Scores on all source images and on those of each partition's classes; on all images under each corruption."""
    address = {name: record[name] for name in ADDRESSES["tickets"]}
    trained = {name: record[name] for name in ("improved", "versions")}
    scored: Scored = {}
    for corruption, answers in outputs.items():
        for name, members in {"all": images.classes, **(partitions if corruption == CLEAN else {})}.items():
            chosen = np.isin(images.labels, [images.classes.index(member) for member in members])
            measured, right = measure(answers[chosen], images.labels[chosen])
            row = address | {"corruption": corruption, "classes": name} | measured | trained
            scored[f"{corruption}/{name}"] = row, right
    return scored


def transfer_scores(record: dict[str, Any], outputs: Outputs, images: Images, partitions: Partitions) -> Scored:
    """Scores on a target's images, and the penalty that validation images chose for a linear head."""
    address = {name: record[name] for name in ADDRESSES["transfer"]}
    measured, right = measure(outputs[CLEAN], images.labels)
    row = address | measured | {name: record[name] for name in ("penalty", "improved", "versions")}
    return {record["protocol"]: (row, right)}


def measure(
    outputs: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[dict[str, int | float], NDArray[np.uint8]]:
    """Number of images, accuracy and chance, negative log-likelihood, calibration error; and which images are right."""
    from dilt.networks.calibration import calibration_error, negative_log_likelihood
    from dilt.networks.outputs import commonest_share, correct

    right = correct(outputs, labels)
    measured: dict[str, int | float] = {"images": len(labels), "accuracy": float(right.mean())}
    measured["chance"] = commonest_share(labels)
    measured |= {"nll": negative_log_likelihood(outputs, labels), "ece": calibration_error(outputs, labels)}
    return measured, right


TABLES: dict[str, Callable[[dict[str, Any], Outputs, Images, Partitions], Scored]]
TABLES = {"tickets": ticket_scores, "transfer": transfer_scores}


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("evaluate", evaluate.__doc__)
    parser.add_argument("--kind", choices=TABLES, required=True, help="what is scored")
    command.add_paths(parser, "--data", help="dataset.json of the prepared data")
    command.add_path_lists(parser, "--networks", help="trained networks, as many for each table, table by table")
    command.add_path_lists(parser, "--scores", help="tables to write")
    command.add_path_lists(parser, "--correct", help="files to write beside them, of which single images are right")
    parser.add_argument(
        "--logits", type=Path, nargs="*", metavar="PATH", help="files to write of logits, where they are kept"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    command.run(parser, evaluate)


if __name__ == "__main__":
    main()
