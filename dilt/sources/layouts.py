"""Data sets in the folders and lists that their makers hand out: ImageNet, Tiny-ImageNet, Stanford Cars.

Says which file is missing, and gives files and labels; opening the images is left to `streams`. Class folders belong to
`image_folders`, everything else to timm.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dilt.foundations import tables
from dilt.foundations.error_lines import and_more
from dilt.sources.folder_contents import contents
from dilt.sources.names import has_image_name

if TYPE_CHECKING:
    from dilt.settings.data import DataSet

IMAGENET, TINY_IMAGENET, STANFORD_CARS = "imagenet", "tiny-imagenet", "stanford-cars"
HELD_OUT = {IMAGENET: "val", TINY_IMAGENET: "val", STANFORD_CARS: "test"}  # the split besides train that has labels
NAMES = tuple(HELD_OUT)
TINY_SIDE = 64  # of the images of Tiny-ImageNet; those of the others differ in size

KAGGLE_IMAGES, KAGGLE_LABELS = Path("ILSVRC/Data/CLS-LOC"), Path("LOC_val_solution.csv")
DEVKIT = Path("ILSVRC2012_devkit_t12/data")
DEVKIT_SYNSETS, DEVKIT_LABELS = DEVKIT / "meta.mat", DEVKIT / "ILSVRC2012_validation_ground_truth.txt"
CARS_CLASSES, CARS_TRAIN = Path("devkit/cars_meta.mat"), Path("devkit/cars_train_annos.mat")
CARS_TEST = Path("cars_test_annos_withlabels.mat")

T = TypeVar("T")


@dataclass(frozen=True)
class Index:
    """The images of a split.

    Attributes:
        files: paths from the root, one per image.
        labels: int64 (num_images,), indices into ``classes``.
        classes: names; WordNet ids (in their order) of ImageNet and Tiny-ImageNet.
    """

    files: list[str]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def classes(data: DataSet) -> dict[str, int]:
    """Class names and their numbers of training images; 0 for ImageNet, as counting its 1.3 million images takes long.

    Raises:
        ValueError: a list of the data set cannot be read.
    """
    root = Path(data.root or "")
    if data.name == IMAGENET:
        return dict.fromkeys(_folders(_imagenet(root) / "train"), 0)
    if data.name == TINY_IMAGENET:
        train = _tiny(root) / "train"
        return {name: contents(train / name / "images").images for name in _tiny_names(root)}
    found = index(data, data.train_split)
    return dict(zip(found.classes, np.bincount(found.labels, minlength=len(found.classes)).tolist(), strict=True))


def index(data: DataSet, split: str) -> Index:
    """Files and labels of a split of a data set whose files are there.

    Raises:
        ValueError: a list is damaged, or names something that is not there.
    """
    readers: dict[str, Callable[[Path, str], Index]] = {
        IMAGENET: _index_imagenet,
        TINY_IMAGENET: _index_tiny,
        STANFORD_CARS: _index_cars,
    }
    return readers[data.name](Path(data.root or ""), split)


def needed_files(name: str, root: Path, test: bool) -> list[Path]:
    """Files and folders that a layout must have, in the order in which they are looked for."""
    if name == STANFORD_CARS:
        base = _cars(root)
        return [base / CARS_CLASSES, base / CARS_TRAIN, base / "cars_train"] + (
            [_cars_test_labels(base), base / "cars_test"] if test else []
        )
    if name == TINY_IMAGENET:
        base = _tiny(root)
        return [base / "wnids.txt", base / "train"] + (
            [base / "val/images", base / "val/val_annotations.txt"] if test else []
        )
    assert name == IMAGENET, name
    images = _imagenet(root)
    if not test:
        return [images / "train"]
    labels = []
    if (images / "val").is_dir() and not _folders(images / "val"):
        kaggle = images != root or (root / KAGGLE_LABELS).exists()
        labels = [root / KAGGLE_LABELS] if kaggle else [root / DEVKIT_LABELS, root / DEVKIT_SYNSETS]
    return [images / "train", images / "val", *labels]


def _imagenet(root: Path) -> Path:
    """The folder of train and val: the root itself, or where Kaggle's archive puts them."""
    return root / KAGGLE_IMAGES if (root / KAGGLE_IMAGES).is_dir() else root


def _tiny(root: Path) -> Path:
    """The folder of the archive, whether it is the root or lies in it."""
    return root / "tiny-imagenet-200" if (root / "tiny-imagenet-200").is_dir() else root


def _cars(root: Path) -> Path:
    """The folder of cars_train, whether it is the root or lies in it, as torchvision wants it."""
    return root / "stanford_cars" if (root / "stanford_cars").is_dir() else root


def _cars_test_labels(base: Path) -> Path:
    """The labels of the test images came later than the devkit: they lie in it or beside it."""
    return base / "devkit" / CARS_TEST if (base / "devkit" / CARS_TEST).exists() else base / CARS_TEST


def _index_imagenet(root: Path, split: str) -> Index:
    base = _imagenet(root)
    names = _folders(base / "train")
    if split == "train" or _folders(base / split):
        return _index_folders(root, base / split, names, "")
    files = _images(base / split)
    if (root / KAGGLE_LABELS).exists():
        told = _listed(tables.read_mapping, root / KAGGLE_LABELS, "ImageId", "PredictionString", "image", "class")
        wnids = {image: prediction.split()[0] for image, prediction in told.items()}
        labelled = {Path(file).name: wnids.get(Path(file).stem) for file in files}
        return _index_listed(root, base / split, labelled, names, root / KAGGLE_LABELS)
    wnid_of = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in _mat(root / DEVKIT_SYNSETS, "synsets")}
    numbers = _listed(_read_numbers, root / DEVKIT_LABELS)
    if len(numbers) != len(files):
        raise ValueError(f"root: '{root / DEVKIT_LABELS}' has {len(numbers)} labels, but there are {len(files)} images")
    labelled = {file: wnid_of.get(number) for file, number in zip(files, numbers, strict=True)}
    return _index_listed(root, base / split, labelled, names, root / DEVKIT_SYNSETS)


def _index_tiny(root: Path, split: str) -> Index:
    base = _tiny(root)
    names = _tiny_names(root)
    if split == "train":
        return _index_folders(root, base / "train", names, "images")
    annotations = base / "val/val_annotations.txt"
    wnids = _listed(_read_annotations, annotations)
    labelled = {file: wnids.get(file) for file in _images(base / "val/images")}
    return _index_listed(root, base / "val/images", labelled, names, annotations)


def _tiny_names(root: Path) -> list[str]:
    return sorted(_listed(_read_names, _tiny(root) / "wnids.txt"))


def _index_cars(root: Path, split: str) -> Index:
    base = _cars(root)
    names = [str(name) for name in _mat(base / CARS_CLASSES, "class_names")]
    annotations = base / CARS_TRAIN if split == "train" else _cars_test_labels(base)
    rows = _mat(annotations, "annotations")
    if "class" not in (rows.dtype.names or ()):
        raise ValueError(f"root: '{annotations}' has no labels; replace it by {CARS_TEST.name} of the same site")
    labelled = {
        str(row["fname"]): names[int(row["class"]) - 1] if 1 <= int(row["class"]) <= len(names) else None
        for row in rows
    }
    return _index_listed(root, base / f"cars_{split}", labelled, names, annotations)


def _index_folders(root: Path, split: Path, names: list[str], inner: str) -> Index:
    """Images in a folder per class, or in the folder ``inner`` of that folder."""
    files, labels = [], []
    for label, name in enumerate(names):
        folder = split / name / inner
        found = _images(folder) if folder.is_dir() else []
        files += [os.path.relpath(folder / file, root) for file in found]
        labels += [label] * len(found)
    return Index(files, np.array(labels, dtype=np.int64), tuple(names))


def _index_listed(root: Path, folder: Path, labelled: dict[str, str | None], names: list[str], table: Path) -> Index:
    """Images in one folder, labelled by a list; images of classes without training images are left out."""
    if unlabelled := [file for file, name in labelled.items() if name is None]:
        raise ValueError(
            f"root: '{table}' has no class for '{folder / unlabelled[0]}'{and_more(unlabelled)}; get its own list"
        )
    label = {name: number for number, name in enumerate(names)}
    chosen = {file: label[name] for file, name in labelled.items() if name in label}
    start = os.path.relpath(folder, root)
    return Index(
        [os.path.join(start, file) for file in chosen], np.array([*chosen.values()], dtype=np.int64), tuple(names)
    )


def _listed(read: Callable[..., T], file: Path, *arguments: str) -> T:
    """What a list of the data set says; raises ValueError that names the key, where and what is wrong."""
    try:
        return read(file, *arguments)
    except ValueError as error:
        raise ValueError(f"root: {error}") from error


def _read_numbers(file: Path) -> list[int]:
    """One number per line."""
    lines = list(tables.read_lines(file))
    if wrong := [(place, line) for place, line in lines if not line.isdecimal()]:
        raise tables.error(f"{place}:1: '{line}' is no number of a class; get the list again" for place, line in wrong)
    return [int(line) for _, line in lines]


def _read_names(file: Path) -> list[str]:
    """One name per line, each once."""
    places: dict[str, str] = {}
    wrong = []
    for place, line in tables.read_lines(file):
        if line in places:
            wrong.append((place, line, places[line]))
        places[line] = f"{place}:1"
    if wrong:
        raise tables.error(f"{place}:1: '{line}' is in {before} already; remove one" for place, line, before in wrong)
    return list(places)


def _read_annotations(file: Path) -> dict[str, str]:
    """File name to WordNet id: the first two cells of each line, with a tabulator between them."""
    wnids: dict[str, str] = {}
    lacking, twice = [], []
    for place, line in tables.read_lines(file):
        name, wnid = (*map(str.strip, line.split("\t")), "")[:2]
        if not wnid:
            lacking.append((place, name))
        elif wnids.setdefault(name, wnid) != wnid:
            twice.append((place, name, wnid))
    if lacking:
        raise tables.error(f"{place}:2: '{name}' has no class; fill it or remove the line" for place, name in lacking)
    if twice:
        raise tables.error(
            f"{place}:2: image '{name}' is '{wnid}' here and '{wnids[name]}' before; keep one"
            for place, name, wnid in twice
        )
    return wnids


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _images(folder: Path) -> list[str]:
    """Image files of a folder, by name, which for ImageNet's validation images is the order of their labels."""
    return sorted(filter(has_image_name, os.listdir(folder)))


def _mat(file: Path, variable: str) -> NDArray[Any]:
    """A variable of a Matlab file as one flat array; a struct's fields are names of its type."""
    try:
        return np.atleast_1d(_matlab(file, file.stat().st_mtime_ns)[variable])
    except KeyError:
        raise ValueError(f"root: '{file}' has no {variable}; it is another file, get the right one again") from None


@cache
def _matlab(file: Path, changed: int) -> dict[str, Any]:
    """All variables of a Matlab file, kept until it changes: a check of the configuration asks several times."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return dict(loadmat(file, squeeze_me=True))
    except (MatReadError, TypeError, ValueError, NotImplementedError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"root: '{file}' is not readable as Matlab's ({reason}); get it again") from error
