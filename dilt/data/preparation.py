"""Prepares a data set: restricts, splits and writes it, as pixels or as the places that they are streamed from.

Finding the images is left to `sources.loading`, dividing classes to `partitions`, dividing images to `splitting`.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dilt.data import workers
from dilt.data.duplicates import Seen, find, told
from dilt.data.partitions import (
    Partitions,
    check_partitions,
    read_class_table,
    split_by_table,
    split_contiguous,
    split_randomly,
)
from dilt.data.prepared import SPLITS, Images, Split, digest
from dilt.data.splitting import split_groups, split_images
from dilt.foundations import memory
from dilt.foundations.error_lines import and_more, grouped
from dilt.foundations.progress import Progress
from dilt.foundations.randomness import generator
from dilt.foundations.storage import replacing, write_json
from dilt.settings.data import DataSet, PartitionChoice
from dilt.sources.image_groups import groups_of, require_apart
from dilt.sources.loading import load
from dilt.sources.pixels import Pixels, chunks
from dilt.sources.streams import Streamed

# At most this many images of a split are used for mean and deviation, and are searched for duplicates if streamed.
MEASURED = 50_000
CHUNK_BYTES = 2**22  # of pixels decoded at a time
MEMORY_SHARE = "DILT_MEMORY_SHARE"  # set by the workflow: share of the memory above which images are streamed


def prepare(data: DataSet, partitions: PartitionChoice | None) -> tuple[dict[Split, Images], Partitions]:
    """Find, restrict and split a data set, whose images need not be decoded yet.

    Returns:
        The splits, not yet measured (mean and deviation are empty), and the partitions of the classes (none without a
        choice).

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
    return _split(chosen, data), choose_partitions(partitions, classes, names) if partitions else {}


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
        raise ValueError("\n".join(grouped(f"source.partitions: {problem}" for problem in problems)))
    return partitions


def write_splits(dataset: Path, splits: dict[Split, Images], partitions: Partitions, data: DataSet) -> list[str]:
    """Write the splits as ``SPLIT-images.npy`` and ``SPLIT-labels.npy``, beside the dataset.json that describes them.

    Returns:
        Lines about pictures that are there twice, as `duplicates.told` gives them.

    Raises:
        ValueError: an image is damaged or differs in size, or the data cannot be streamed.
    """
    train, streamed = splits["train"], _are_streamed(splits, data)
    levels = _Levels(len(train), train.image_shape[0])
    sizes = {split: len(images) for split, images in splits.items()}
    seen = {split: Seen(_some(size) if streamed else np.arange(size)) for split, size in sizes.items()}
    digests = {}
    progress = Progress(dataset.parent.name, sum(len(one.indices) for one in seen.values()), unit="image")
    with ExitStack() as files:  # all appear together, or none
        for split, images in splits.items():
            places = {kind: dataset.with_name(f"{split}-{kind}.npy") for kind in ("images", "labels")}
            streams = {
                kind: files.enter_context(open(files.enter_context(replacing(place)), "wb"))
                for kind, place in places.items()
            }
            digests[places["labels"].name] = _write(streams["labels"], images.labels)
            looked = _Looked(images.pixels, seen[split], levels if split == "train" else None, progress)
            if streamed:
                digests[places["images"].name] = _write(streams["images"], _locations(images.pixels))
                for _ in looked.batches():
                    pass
            else:
                digests[places["images"].name] = _write_pixels(streams["images"], images.pixels.shape, looked.batches())
        mean, std = levels.statistics()
    progress.close()
    duplicates = find(splits, seen)
    records = {split: images.pixels.record() for split, images in splits.items() if isinstance(images.pixels, Streamed)}
    record = {
        "name": data.name,
        "classes": train.classes,
        "partitions": partitions,
        "image_shape": train.image_shape,
        "mean": mean,
        "std": std,
        "measured": len(levels.wanted),
        "streams": records if streamed else {},
        "images": sizes,
        "images_per_class": {
            split: dict(
                zip(images.classes, np.bincount(images.labels, minlength=len(images.classes)).tolist(), strict=True)
            )
            for split, images in splits.items()
        },
        "duplicates": duplicates,
        "sha256": digests,
    }
    write_json(dataset, record)
    return told(duplicates, sizes)


def _split(pools: dict[str, Images], data: DataSet) -> dict[Split, Images]:
    """Train, validation and test images."""
    pool = pools["all"]
    if data.groups is None:
        chosen = split_images(pool.labels, pool.classes, data)
    else:
        names = {key: _names(images, data) for key, images in pools.items()}
        groups = groups_of(names["all"], data)
        if "test" in pools:
            require_apart(groups, names["all"], names["test"], data)
        chosen = split_groups(pool.labels, pool.classes, groups, names["all"], data)
    splits: dict[Split, Images] = {split: pool.take(chosen[split]) for split in SPLITS}
    if "test" in pools:
        splits["test"] = pools["test"]
        if empty := [name for index, name in enumerate(pool.classes) if not np.any(pools["test"].labels == index)]:
            raise ValueError(
                f"test_split: '{data.test_split}' has no images of class '{empty[0]}'{and_more(empty)}; "
                "leave the class out"
            )
    return splits


def _names(images: Images, data: DataSet) -> list[str]:
    names = images.pixels.names() if isinstance(images.pixels, Streamed) else None
    if names is None:
        raise ValueError(f"groups: images of {data.name} have no file names; set it to null")
    return names


def _are_streamed(splits: dict[Split, Images], data: DataSet) -> bool:
    """Whether images stay in their files: as the configuration says, or because they take too much memory."""
    streamable = isinstance(splits["train"].pixels, Streamed)
    if data.storage == "streamed" and not streamable:
        raise ValueError(f"storage: streamed, but images of {data.name} cannot be read in any order; set it to auto")
    if data.storage != "auto":
        return data.storage == "streamed"
    size = sum(math.prod(images.pixels.shape) for images in splits.values())
    return streamable and size > float(os.environ.get(MEMORY_SHARE, "0.5")) * memory.memory_bytes()


def _locations(pixels: Pixels) -> NDArray[Any]:
    assert isinstance(pixels, Streamed)
    return pixels.locations


def _write(stream: IO[bytes], array: NDArray[Any]) -> str:
    """Write an array; gives its digest."""
    np.save(stream, array, allow_pickle=False)
    return digest(array)


def _write_pixels(stream: IO[bytes], shape: tuple[int, ...], batches: Iterator[NDArray[np.uint8]]) -> str:
    """Write all images as one array; gives its digest."""
    sha = hashlib.sha256()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    for batch in batches:
        stream.write(batch.data)
        sha.update(batch.data)
    return sha.hexdigest()


def _some(number: int) -> NDArray[np.int64]:
    """The indices of at most `MEASURED` of ``number`` images, drawn at random, in order."""
    return np.sort(generator(0, "measured").permutation(number)[:MEASURED])


class _Looked:
    """Gives out images in batches and records them as they pass: their digests, and the levels of training images."""

    def __init__(self, pixels: Pixels, seen: Seen, levels: _Levels | None, progress: Progress) -> None:
        self._pixels, self._seen, self._levels, self._progress = pixels, seen, levels, progress

    def batches(self) -> Iterator[NDArray[np.uint8]]:
        """The images of `Seen.indices` in order, some at a time, decoded by as many processes as the job may have."""
        size = max(1, CHUNK_BYTES // math.prod(self._pixels.shape[1:]))
        wanted = self._seen.indices
        asked = [wanted[chunk] for chunk in chunks(len(wanted), size)]
        found: Iterator[NDArray[np.uint8]] = map(self._pixels.__getitem__, asked)
        if isinstance(self._pixels, Streamed) and workers.number() > 1 and len(asked) > 1:
            found = (batch.numpy() for batch in workers.Workers(self._pixels, workers.number()).batches(asked))
        for indices, batch in zip(asked, map(np.ascontiguousarray, found), strict=True):
            self._seen.add(batch)
            if self._levels:
                self._levels.count(batch[np.isin(indices, self._levels.wanted)])
            yield batch
            self._progress.advance(units=len(batch))


class _Levels:
    """How often each of the 256 levels occurs in each channel of the training images.

    Mean and deviation follow from these numbers exactly, in any order of images: they are the same for decoded and
    streamed ones.

    Attributes:
        wanted: the training images counted, in order: all, or `MEASURED` of them, drawn once and for all.
    """

    def __init__(self, num_images: int, num_channels: int) -> None:
        self.wanted = _some(num_images)
        self._counts = np.zeros((num_channels, 256), dtype=np.int64)

    def count(self, batch: NDArray[np.uint8]) -> None:
        """Count images (num_images, channels, height, width)."""
        for counts, channel in zip(self._counts, batch.swapaxes(0, 1), strict=True):
            counts += np.bincount(channel.ravel(), minlength=256)

    def statistics(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation per channel, in units of 0 to 1; 1 for a channel that never varies."""
        mean, std = [], []
        for counts in self._counts.tolist():
            number = sum(counts)
            first = sum(level * count for level, count in enumerate(counts))
            second = sum(level**2 * count for level, count in enumerate(counts))
            mean.append(first / (255 * number))
            std.append(math.sqrt((number * second - first**2) / number**2) / 255)
        if max(std) == 0:
            raise ValueError("root: every pixel of every image is the same; nothing can be learnt, check the files")
        return tuple(mean), tuple(one or 1.0 for one in std)
