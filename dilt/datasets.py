"""Data sets: split, and kept decoded as memory-mapped arrays.

`prepare` writes them once; every other stage opens just the splits it names. Loading them by name is left to
`loading`; which class belongs to which partition is decided by `partitions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dilt import catalog
from dilt.loading import load
from dilt.partitions import (
    Partitions,
    check_partitions,
    read_class_table,
    split_by_table,
    split_contiguous,
    split_randomly,
)
from dilt.randomness import generator
from dilt.settings import DataSet, PartitionChoice
from dilt.storage import read_json, replacing, write_json

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Images:
    """Decoded images with their labels.

    Attributes:
        pixels: uint8 (num_images, channels, height, width).
        labels: int64 (num_images,), indices into ``classes``.
        classes: class names.
        mean, std: per channel, of the training split, in units of 0 to 1.
    """

    pixels: NDArray[np.uint8]
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
        """Images of some classes, labelled by their place among these."""
        if tuple(classes) == self.classes:
            return self
        place = np.full(len(self.classes), -1)
        for index, name in enumerate(classes):
            place[self.classes.index(name)] = index
        labels = place[self.labels]
        chosen = np.flatnonzero(labels >= 0)
        return replace(self, pixels=self.pixels[chosen], labels=labels[chosen], classes=tuple(classes))

    def take(self, indices: NDArray[np.int64]) -> Images:
        """Some of the images, in the order given."""
        return replace(self, pixels=self.pixels[indices], labels=self.labels[indices])


def prepare(data: DataSet, partitions: PartitionChoice | None) -> tuple[dict[Split, Images], Partitions]:
    """Load, restrict and split a data set.

    Returns:
        The splits, and the partitions of its classes (none without a choice).

    Raises:
        ValueError: a class is unknown or has too few images, or the partitions are not disjoint.
    """
    pools, names = load(data)
    classes = list(data.classes or names)
    for name in classes:
        if name not in names:
            raise ValueError(f"classes: '{name}' is not a class of {data.name}; choose one of {', '.join(names[:20])}")
    if len(classes) < 2:
        raise ValueError(f"root: '{data.root}' has one class only, '{classes[0]}'; a classifier needs two or more")
    chosen = {
        pool: Images(pixels, labels, tuple(names), (), ()).restrict(classes) for pool, (pixels, labels) in pools.items()
    }
    splits = _split(chosen, data)
    mean, std = _statistics(splits["train"].pixels)
    return {split: replace(images, mean=mean, std=std) for split, images in splits.items()}, (
        choose_partitions(partitions, classes, names) if partitions else {}
    )


def choose_partitions(
    choice: PartitionChoice, classes: Sequence[str], known: Sequence[str] | None = None
) -> Partitions:
    """The partitions of the source classes that the configuration asks for.

    Args:
        classes: the source classes.
        known: every class of the data; if given, a class table may have no others.
    """
    if choice.by == "classes":
        partitions = {name: list(members) for name, members in choice.classes.items()}
    elif choice.by == "contiguous":
        partitions = split_contiguous(classes, choice.count)
    elif choice.by == "random":
        partitions = split_randomly(classes, choice.count, generator(choice.seed, "partitions"))
    else:
        groups = read_class_table(Path(choice.table), choice.class_column, choice.group_column)
        partitions = split_by_table(classes, groups, known)
    if problems := check_partitions(partitions, classes):
        raise ValueError(f"source.partitions: {'; '.join(problems)}")
    return partitions


def write_splits(dataset: Path, splits: dict[Split, Images], partitions: Partitions, name: str) -> None:
    """The splits as ``SPLIT-images.npy`` and ``SPLIT-labels.npy``, beside the dataset.json that describes them."""
    digests = {}
    for split, images in splits.items():
        arrays: dict[str, NDArray[Any]] = {"images": images.pixels, "labels": images.labels}
        for kind, array in arrays.items():
            file = f"{split}-{kind}.npy"
            digests[file] = _digest(array)
            with replacing(dataset.with_name(file)) as partial, open(partial, "wb") as stream:
                np.save(stream, array, allow_pickle=False)
    train = splits["train"]
    record = {
        "name": name,
        "classes": train.classes,
        "partitions": partitions,
        "image_shape": train.image_shape,
        "mean": train.mean,
        "std": train.std,
        "images": {split: len(images) for split, images in splits.items()},
        "images_per_class": {
            split: dict(
                zip(images.classes, np.bincount(images.labels, minlength=len(images.classes)).tolist(), strict=True)
            )
            for split, images in splits.items()
        },
        "sha256": digests,
    }
    write_json(dataset, record)


def read_split(dataset: Path, split: Split) -> Images:
    """One split of a prepared data set, told by its dataset.json; pixels are memory-mapped.

    Raises:
        ValueError: a file is damaged; the message names it.
    """
    record = read_json(dataset)
    arrays = []
    for kind in ("images", "labels"):
        file = dataset.with_name(f"{split}-{kind}.npy")
        try:
            array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{file}: not a readable array ({error}); delete it and run again") from error
        if _digest(array) != record["sha256"][file.name]:
            raise ValueError(f"{file}: its digest does not match, the file is damaged; delete it and run again")
        arrays.append(array)
    return Images(arrays[0], arrays[1], tuple(record["classes"]), tuple(record["mean"]), tuple(record["std"]))


def read_partitions(dataset: Path) -> Partitions:
    """Partition name to class names, as `prepare` chose them."""
    partitions: Partitions = read_json(dataset)["partitions"]
    return partitions


def balanced_indices(labels: NDArray[np.int64], num_classes: int, count: int) -> NDArray[np.int64]:
    """Indices of ``count`` images, as equally many of every class as can be, the first ones of each.

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


def _split(pools: dict[str, Images], data: DataSet) -> dict[Split, Images]:
    """Train, validation and test images; held-out ones drawn class by class, so that shares are exact."""
    pool = pools["all"]
    chosen: dict[str, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for index, name in enumerate(pool.classes):
        members = np.flatnonzero(pool.labels == index)
        members = generator(data.split_seed, "split", name).permutation(members)
        num_test, num_validation = catalog.held_out(len(members), data)
        if not catalog.leaves_images(len(members), data):
            raise ValueError(
                f"classes: '{name}' has {len(members)} image(s); too few to hold out {num_test} for test and "
                f"{num_validation} for validation and train on others; add images or leave the class out"
            )
        for split, part in zip(
            ("test", "validation", "train"), np.split(members, [num_test, num_test + num_validation]), strict=True
        ):
            chosen[split].append(np.sort(part))
    splits: dict[Split, Images] = {split: pool.take(np.concatenate(chosen[split])) for split in SPLITS}
    if "test" in pools:
        splits["test"] = pools["test"]
        for index, name in enumerate(pool.classes):
            if not np.any(pools["test"].labels == index):
                raise ValueError(
                    f"test_split: '{data.test_split}' has no images of class '{name}'; leave the class out"
                )
    return splits


def _statistics(pixels: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, in units of 0 to 1; 1 for a channel that never varies."""
    channels = pixels.transpose(1, 0, 2, 3).reshape(pixels.shape[1], -1)
    mean = [float(channel.mean(dtype=np.float64)) / 255 for channel in channels]
    std = [float(channel.std(dtype=np.float64)) / 255 for channel in channels]
    if max(std) == 0:
        raise ValueError("root: every pixel of every image is the same; nothing can be learnt, check the files")
    return tuple(mean), tuple(one or 1.0 for one in std)


def _digest(array: NDArray[Any]) -> str:
    sha = hashlib.sha256()
    for start in range(0, len(array), 4096):
        sha.update(np.ascontiguousarray(array[start : start + 4096]).data)
    return sha.hexdigest()
