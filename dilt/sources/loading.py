"""Data sets by name, looked through and labelled: scikit-learn's digits, standard layouts, and through timm all others.

Images are decoded later, by `streams`, unless a data set gives them in turn only. `data.splitting` splits them.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.settings.data import DataSet
from dilt.sources import decoding, image_folders, layouts, tar_splits
from dilt.sources.decoding import Form
from dilt.sources.folder_levels import Levels, labels_by_folders, require_distinct
from dilt.sources.pixels import Pixels
from dilt.sources.streams import Collection, Folder, Shelf, Streamed
from dilt.sources.tar_files import Tar

# Pixels (num_images, channels, height, width) and labels, int64 (num_images,).
Pool = tuple[Pixels, NDArray[np.int64]]


def load(data: DataSet) -> tuple[dict[str, Pool], list[str]]:
    """Pixels and labels of ``all`` images, and of ``test`` where there is such a split, and the class names.

    Raises:
        ValueError: the data cannot be loaded as they are; the message names the culprit and the cure.
    """
    if data.name == "digits":
        return _load_digits()
    _check_files(data)
    pools: dict[str, Pool] = {}
    place: dict[str, int] = {}  # of each class name among the training classes
    for pool, split in {"all": data.train_split, "test": data.test_split}.items():
        if split is None:
            continue
        pixels, labels, found = _load_split(data, split)
        if not 0 <= labels.min() <= labels.max() < len(found):
            odd = labels.min() if labels.min() < 0 else labels.max()
            raise ValueError(f"name: '{data.name}' has the label {odd}, but {len(found)} classes; correct its labels")
        place = place or {name: index for index, name in enumerate(found)}
        for name in found:
            if name not in place:
                raise ValueError(f"test_split: class '{name}' of '{split}' is not in '{data.train_split}'; remove it")
        pools[pool] = pixels, np.array([place[name] for name in found])[labels]
    if len({pixels.shape[1:] for pixels, _ in pools.values()}) > 1:
        raise ValueError(f"image_size: test images of '{data.root or data.name}' differ in size; give a size in pixels")
    return pools, list(place)


def _check_files(data: DataSet) -> None:
    """Raise the first finding on files or groups."""
    # Imported by name, so that no fingerprint includes them: an edit of checks changes no result.
    checks = import_module("dilt.sources.checks")
    for finding in (*checks.findings(data), *checks.group_findings(data)):
        raise ValueError(finding)


def _load_digits() -> tuple[dict[str, Pool], list[str]]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return {"all": (pixels, digits.target.astype(np.int64))}, list("0123456789")


def _load_split(data: DataSet, split: str) -> tuple[Pixels, NDArray[np.int64], list[str]]:
    """Pixels, labels and class names."""
    if data.name in layouts.NAMES:
        return _load_layout(data, split)
    return _load_files(data, split) if data.name == "folder" else _load_opened(data, split)


def _load_files(data: DataSet, split: str) -> tuple[Pixels, NDArray[np.int64], list[str]]:
    """A split of a folder, or of a tar file, of class folders."""
    root, levels = Path(data.root or ""), Levels.of(data)
    shelf: Shelf
    if root.is_dir():
        names = [path for _, path in image_folders.listing(root / split, levels)]
        locations = [os.fsencode(os.path.join(split, name)) for name in names]
        shelf, others = Folder(str(root)), image_folders.others(root / split, levels)
    else:
        members = tar_splits.images(root, split)
        names, locations = [member.path for member in members], [Tar.location(member) for member in members]
        shelf, others = Tar(str(root)), tar_splits.others(root)
    _require_images(len(names), data, split)
    if others:
        print(f"'{root}': {image_folders.passed_over(others)}", flush=True)
    folders = [os.path.dirname(os.path.normpath(name)).split("/") for name in names]
    if levels.number == 1:
        require_distinct(folders)
    labels, classes = labels_by_folders(folders, levels)
    return Streamed(np.array(locations), shelf, _form(data)), np.array(labels, dtype=np.int64), classes


def _load_layout(data: DataSet, split: str) -> tuple[Pixels, NDArray[np.int64], list[str]]:
    """A split of a standard layout: pixels, labels, class names."""
    index = layouts.index(data, split)
    _require_images(len(index.labels), data, split)
    locations = np.array([os.fsencode(file) for file in index.files])
    return Streamed(locations, Folder(data.root or ""), _form(data)), index.labels, list(index.classes)


def _load_opened(data: DataSet, split: str) -> tuple[Pixels, NDArray[np.int64], list[str]]:
    """A split of what timm opens: pixels, labels, class names."""
    collection = Collection(data, split)
    dataset = collection.dataset
    reader: Any = getattr(dataset, "reader", None)
    if reader is not None and not hasattr(reader, "__getitem__"):
        pixels, labels = _decode_in_turn(dataset, data)
        _require_images(len(labels), data, split)
        if getattr(reader, "num_samples", 0) not in (0, len(labels)):  # 0: not told
            raise ValueError(
                f"root: '{data.root or data.name}' has {len(labels)} of the {reader.num_samples} images of split "
                f"'{split}'; mend or add what was passed over, as told above, or correct their number"
            )
        return pixels, labels, _class_names(dataset, int(labels.max()) + 1)
    _require_images(len(dataset), data, split)
    labels = _labels(dataset)
    pixels = Streamed(np.arange(len(labels)), collection, _form(data))
    return pixels, labels, _class_names(dataset, int(labels.max()) + 1)


def _form(data: DataSet) -> Form:
    return Form(data.image_size, data.resize, data.crop_share)


def _require_images(number: int, data: DataSet, split: str) -> None:
    if not number:
        raise ValueError(f"root: no images in split '{split}' of '{data.root or data.name}'; name another split")


def _labels(dataset: Any) -> NDArray[np.int64]:
    """Labels of a data set that can be indexed; its images are not decoded where it has a list of labels."""
    reader: Any = getattr(dataset, "reader", None)
    told = getattr(dataset if reader is None else reader, "targets", None)  # of torchvision's, of tar files
    if told is not None and np.ndim(told) == 1:
        return np.array(told, dtype=np.int64)
    if hasattr(reader, "samples"):  # of class folders
        return np.array([label for _, label in reader.samples], dtype=np.int64)
    if hasattr(reader, "iter_targets"):  # of Hugging Face's
        return np.fromiter(reader.iter_targets(), dtype=np.int64)
    items = dataset if reader is None else reader
    return np.array([int(items[index][1]) for index in range(len(items))], dtype=np.int64)


def _decode_in_turn(dataset: Any, data: DataSet) -> Pool:
    """All images of a data set that gives them one after the other, in memory."""
    form = _form(data)
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for index, (image, label) in enumerate(dataset):
        origin = f"image {index} of '{data.name}'"
        pixels.append(form.array(decoding.rgb(image, origin)))
        labels.append(int(label))
        if pixels[-1].shape != pixels[0].shape:
            raise ValueError(f"image_size: images differ in size, {origin} is the first to; give a size in pixels")
    return np.stack(pixels) if pixels else np.empty((0, 3, 0, 0), np.uint8), np.array(labels, dtype=np.int64)


def _class_names(dataset: Any, count: int) -> list[str]:
    """Class names of a timm or torchvision data set, in label order; numbers where it has none."""
    if hasattr(dataset, "wnids"):  # torchvision's ImageNet, whose class_to_idx has every synonym
        return list(dataset.wnids)
    for holder in (getattr(dataset, "reader", None), dataset):
        for attribute in ("class_to_idx", "class_name_to_idx"):  # the latter of tar files
            index = getattr(holder, attribute, None)
            if index:
                return [str(name) for name in sorted(index, key=index.get)]
    return [str(number) for number in range(count)]
