"""Prepared data sets: each split is a memory-mapped array, of pixels or of the places that they are streamed from.

`preparation` writes them once; every other stage opens only the splits that it names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.storage import read_json, require_file
from dilt.sources import pixels, streams
from dilt.sources.pixels import Pixels

if TYPE_CHECKING:
    from dilt.data.partitions import Partitions

Split = Literal["train", "validation", "test"]
DIGEST_BYTES = 2**24  # of an array read at a time
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Images:
    """Images with their labels.

    Attributes:
        pixels: uint8 (num_images, channels, height, width), in memory, memory-mapped, or decoded when asked for.
        labels: int64 (num_images,), indices into ``classes``.
        classes: class names.
        mean, std: per channel, of the training split, in units of 0 to 1.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(channels, height, width)."""
        return self.pixels.shape[1:]

    def restrict(self, classes: Sequence[str]) -> Images:
        """Images of some classes, labelled by their place among these; nothing is copied or decoded."""
        if tuple(classes) == self.classes:
            return self
        place = np.full(len(self.classes), -1)
        for index, name in enumerate(classes):
            place[self.classes.index(name)] = index
        labels = place[self.labels]
        chosen = np.flatnonzero(labels >= 0)
        return replace(self.take(chosen), labels=labels[chosen], classes=tuple(classes))

    def take(self, indices: NDArray[np.int64]) -> Images:
        """Some of the images, in the order given; nothing is copied or decoded."""
        return replace(self, pixels=pixels.choose(self.pixels, indices), labels=self.labels[indices])


def read_split(dataset: Path | str, split: Split) -> Images:
    """One split of the prepared data set that a dataset.json describes; its pixels are memory-mapped or streamed.

    Raises:
        ValueError: a file is damaged, ``dataset`` is no dataset.json, or there is no such split; the message names it.
        FileNotFoundError: a file is missing.
    """
    dataset = Path(dataset)
    if split not in SPLITS:
        raise ValueError(f"{dataset}: no split '{split}'; there are {', '.join(SPLITS)}")
    record = read_record(dataset)
    arrays = []
    for kind in ("images", "labels"):
        file = dataset.with_name(f"{split}-{kind}.npy")
        require_file(file, "the folder that `prepare` wrote")
        try:
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{file}: not a readable array ({error}); delete it and run again") from error
        if digest(array) != record["sha256"][file.name]:
            raise ValueError(f"{file}: its digest does not match, the file is damaged; delete it and run again")
        arrays.append(np.asarray(array))
    images, labels = arrays
    found: Pixels = pixels.Mapped(dataset.with_name(f"{split}-images.npy"))
    if record["streams"]:
        found = streams.reopened(images, record["streams"][split])
    return Images(found, labels, tuple(record["classes"]), tuple(record["mean"]), tuple(record["std"]))


def read_partitions(dataset: Path | str) -> Partitions:
    """Partition name to class names, as `prepare` chose them; raises as `read_record`."""
    partitions: Partitions = read_record(dataset)["partitions"]
    return partitions


def read_record(dataset: Path | str) -> dict[str, Any]:
    """What the dataset.json of a prepared data set says: classes, partitions, image_shape, mean, std and more.

    Raises:
        ValueError: the file is damaged, or no dataset.json; the message names it.
        FileNotFoundError: there is no such file.
    """
    record = read_json(dataset)
    if not isinstance(record, dict) or not {"classes", "partitions", "image_shape", "sha256"} <= record.keys():
        raise ValueError(f"{dataset}: not a prepared data set; give the dataset.json that `prepare` wrote")
    return record


def balanced_indices(labels: NDArray[np.int64], num_classes: int, count: int) -> NDArray[np.int64]:
    """Indices of ``count`` images, spread over the classes as evenly as possible; the first images of each class.

    Raises:
        ValueError: there are too few images.
    """
    wanted = [count // num_classes + (index < count % num_classes) for index in range(num_classes)]
    by_class = [np.flatnonzero(labels == index) for index in range(num_classes)]
    for index, (number, found) in enumerate(zip(wanted, by_class, strict=True)):
        if number > len(found):
            raise ValueError(
                f"representations.probes: {count} probes need {number} validation images of every class, class number "
                f"{index} has {len(found)}; ask for at most {num_classes * min(map(len, by_class))}"
            )
    return np.concatenate([found[:number] for number, found in zip(wanted, by_class, strict=True)])


def digest(array: NDArray[Any]) -> str:
    """SHA-256 over the bytes of an array, which may be larger than the memory."""
    sha = hashlib.sha256()
    rows = max(1, DIGEST_BYTES * len(array) // max(1, array.nbytes))
    for start in range(0, len(array), rows):
        sha.update(np.ascontiguousarray(array[start : start + rows]).view(np.uint8).data)
    return sha.hexdigest()
