"""Checks of the data sets, classes and partitions of a configuration, from names and listings of files alone.

Each check yields findings ``key: what is wrong; cure``. Other sections are checked by `configuration.checks`, images
when they are loaded.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dilt.data import splitting
from dilt.data.partitions import check_partitions, read_class_table, split_by_table
from dilt.settings.base import NAME
from dilt.sources import checks, data_catalog, image_folders, image_groups, layouts
from dilt.sources.folder_levels import Levels
from dilt.tickets.trajectories import FULL, SIBLING, split_number

if TYPE_CHECKING:
    from dilt.data.prepared import Split
    from dilt.settings.data import DataSet, Source
    from dilt.settings.geometry import Representations

RESERVED = {FULL, "all", "consensus"}  # names of trajectories, score rows and folders


def data_sets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    """What is wrong with each data set by itself."""
    for key, data in {"source": source, **{f"targets.{name}": data for name, data in targets.items()}}.items():
        found = [*_kind(data), *_depth(data), *_classes(data)]
        for finding in (*found, *_groups(data, listed=not found)):
            yield f"{key}.{finding}"


def _kind(data: DataSet) -> Iterator[str]:
    """What is wrong with keys that depend on the data set's name."""
    yield from checks.package_findings(data)
    if data.storage == "streamed" and data.name.startswith(("digits", *data_catalog.IN_TURN)):
        yield f"storage: streamed, but images of {data.name} cannot be read in any order; set it to auto"
    if data.name == "folder":
        yield from checks.findings(data, whole=data.test_split is not None)  # else all of a tar file is read later
    elif data.name in layouts.NAMES:
        yield from list(checks.findings(data)) or checks.list_findings(data)
    elif data.name == "digits":
        if data.test_split is not None:
            yield f"test_split: '{data.test_split}', but digits have no splits; set it to null to hold out test_share"
        if data.image_size is not None:
            yield f"image_size: {data.image_size}, but digits are 8 x 8 and stay so; set it to null"
    elif not _exists(data):
        readers = ", ".join(f"{reader}NAME" for reader in data_catalog.READERS)
        named = ", ".join(("digits", "folder", *layouts.NAMES))
        yield f"name: '{data.name}' is not a data set; choose {named}, or one of {readers}"
    elif data.train_split == data.test_split:
        yield f"test_split: '{data.test_split}' is the training split; name another, or set it to null"
    elif data.name in data_catalog.TORCH_HALVES and data.train_split not in data_catalog.TRAINING_HALF:
        yield f"train_split: '{data.train_split}' would be the test images of {data.name}; set it to train"
    elif data.name in data_catalog.TORCH_HALVES and data.test_split in data_catalog.TRAINING_HALF:
        yield f"test_split: '{data.test_split}' would be the training images of {data.name}; set it to test"
    elif data.name.startswith("torch/") and (data.root is None or not Path(data.root).is_dir()):
        given = "missing" if data.root is None else f"'{data.root}' is no folder"
        yield f"root: {given}; give the folder that torchvision keeps {data.name} in"


def _depth(data: DataSet) -> Iterator[str]:
    if data.class_depth > 1 and data.name != "folder":
        yield f"class_depth: {data.class_depth}, but {data.name} has its classes as they are; set it to 1"


def _groups(data: DataSet, listed: bool) -> Iterator[str]:
    """What is wrong with groups of images.

    Args:
        listed: whether files can be listed, because nothing else is wrong.
    """
    if data.groups is None:
        return
    if data.name.startswith(("digits", *data_catalog.TORCH_HALVES, *data_catalog.IN_TURN)):
        yield f"groups: images of {data.name} have no file names; set it to null"
        return
    found = list(checks.group_findings(data))
    yield from found
    if listed and not found:
        try:
            _split_in_groups(data)
        except ValueError as error:
            yield str(error)


def _split_in_groups(data: DataSet) -> dict[Split, dict[str, int]] | None:
    """How many images of each class every split will have; None where only loading the data would tell.

    Raises:
        ValueError: images have no group, or groups cannot be split.
    """
    train = _listed(data, data.train_split)
    if train is None:
        return None
    classes = data.classes or list(dict.fromkeys(name for name, _ in train))
    train = [(name, path) for name, path in train if name in classes]
    groups = image_groups.groups_of([path for _, path in train], data)
    test = [] if data.test_split is None else _listed(data, data.test_split) or []
    paths = [path for name, path in test if name in classes]
    image_groups.require_apart(groups, [path for _, path in train], paths, data)
    place = {name: index for index, name in enumerate(classes)}
    labels = np.array([place[name] for name, _ in train], dtype=np.int64)
    split = splitting.split_groups(labels, classes, groups, [path for _, path in train], data)
    return {
        side: dict(zip(classes, np.bincount(labels[chosen], minlength=len(classes)).tolist(), strict=True))
        for side, chosen in split.items()
    }


def _listed(data: DataSet, split: str) -> list[tuple[str, str]] | None:
    """Class and path from the root of every image of a split; None where listing them takes long."""
    if data.name == "folder" and data.root and Path(data.root).is_dir():
        folder = os.path.normpath(split)
        found = image_folders.listing(Path(data.root) / split, Levels.of(data))
        return [(name, os.path.normpath(os.path.join(folder, path))) for name, path in found]
    if data.name in layouts.NAMES and data.name != layouts.IMAGENET:
        index = layouts.index(data, split)
        return [(index.classes[label], file) for label, file in zip(index.labels, index.files, strict=True)]
    return None


def _exists(data: DataSet) -> bool:
    return data.name in ("digits", "folder", *layouts.NAMES) or data.name.startswith(data_catalog.READERS)


def _classes(data: DataSet) -> Iterator[str]:
    known = data_catalog.known_classes(data)
    if not known:
        return
    for name in data.classes or []:
        if name not in known:
            yield f"classes: '{name}' is not a class of {data.name}{near(name, known)}"
    used = [name for name in data.classes or known if name in known]
    if len(used) == 1 and data.classes is None:
        yield f"root: '{data.root}' has one class only, '{used[0]}'; a classifier needs two or more"
    if few := [name for name in used if known[name] and not splitting.leaves_images(known[name], data)]:
        yield f"classes: {splitting.too_few(few[0], known[few[0]], data, _and_more(few))}"


def partitions(source: Source) -> Iterator[str]:
    """What is wrong with the partitions of the source classes."""
    choice = source.partitions
    classes = source.classes or list(data_catalog.known_classes(source) or []) or None
    if choice.by == "classes":
        for name in choice.classes:
            if is_reserved(name):
                yield f"source.partitions.classes: the name '{name}' means something else; choose another"
        everything = [name for members in choice.classes.values() for name in members]
        for finding in check_partitions(choice.classes, classes or everything):
            yield f"source.partitions.classes: {finding}"
        return
    if choice.by == "table":
        if not Path(choice.table).is_file():
            yield f"source.partitions.table: '{choice.table}' does not exist; give a CSV with a row per class"
            return
        try:
            groups = read_class_table(Path(choice.table), choice.class_column, choice.group_column)
            known = data_catalog.known_classes(source)
            partitions = split_by_table(classes or list(groups), groups, list(known) if known else None)
        except ValueError as error:
            yield f"source.partitions.table: {error}"
            return
        for name in partitions:
            if is_reserved(name) or not re.search(NAME, name):
                yield (
                    f"source.partitions.table: {choice.table}: group '{name}' cannot name a partition; choose a word "
                    "of letters, digits, - and _ other than full, all, consensus and split-NUMBER"
                )
        for finding in check_partitions(partitions, classes or list(groups)):
            yield f"source.partitions.table: {finding}"
        return
    if classes is not None and len(classes) < 2 * choice.count:
        yield (
            f"source.partitions.count: {choice.count} partitions of {len(classes)} classes; "
            f"each needs two classes, so at most {len(classes) // 2}"
        )


def is_reserved(name: str) -> bool:
    """Whether a name is that of a trajectory, a score row or a folder, and so of no partition or ticket."""
    return name in RESERVED or name.endswith(SIBLING) or split_number(name) is not None


def targets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    """Targets that are not new to the tickets, or have other images than the source."""
    if "source" in targets:
        yield "targets.source: the name means something else; choose another"
    source_classes = set(source.classes or data_catalog.known_classes(source) or [])
    for key, target in targets.items():
        if not (_exists(source) and _exists(target)):
            continue
        digits = {data.name == "digits" for data in (source, target)}
        if len(digits) > 1 or (digits == {False} and target.image_size != source.image_size):
            yield f"targets.{key}.image_size: images differ from the source's in kind or size; tickets need the same"
        elif target.image_size is None:
            here, there = data_catalog.known_size(source), data_catalog.known_size(target)
            if here and there and here != there:
                yield (
                    f"targets.{key}.image_size: images of '{target.root}' are {there[0]} x {there[1]}, the source's "
                    f"{here[0]} x {here[1]}; give both the same size in pixels"
                )
        if _place(target) != _place(source):
            continue
        classes = target.classes or list(data_catalog.known_classes(target) or []) or None
        if classes is None or set(classes) == source_classes:
            yield f"targets.{key}: equal to the source; choose another data set or other classes"
        elif shared := sorted(source_classes & set(classes)):
            yield f"targets.{key}.classes: {shared} are source classes too; a target must be new to the tickets"

    for (first, one), (second, other) in combinations(targets.items(), 2):
        same_place = (_place(one), one.train_split) == (_place(other), other.train_split)
        if same_place and set(one.classes or []) == set(other.classes or []):
            yield f"targets.{second}: the same data and classes as targets.{first}; remove one"


def _place(data: DataSet) -> tuple[str, str | None]:
    return data.name, data.root and os.path.realpath(data.root)


def probes(source: Source, representations: Representations) -> Iterator[str]:
    """What is wrong with the number of probes: there may be too few validation images."""
    known = data_catalog.known_classes(source)
    classes = [name for name in source.classes or known or {} if known and name in known]
    if not known or not classes or not all(splitting.leaves_images(known[name], source) for name in classes):
        return
    validation = {name: splitting.held_out(known[name], source)[1] for name in classes}
    if source.groups:
        if list(_groups(source, listed=True)):
            return
        validation = (_split_in_groups(source) or {"validation": validation})["validation"]
    fewest = min(validation[name] for name in classes)
    if representations.probes > fewest * len(classes):
        yield (
            f"representations.probes: {representations.probes} probes, but {len(classes)} classes have as few as "
            f"{fewest} validation images each; ask for at most {fewest * len(classes)}"
        )


def _and_more(alike: Sequence[str]) -> str:
    return f" (and {len(alike) - 1} more)" if len(alike) > 1 else ""


def near(word: str, known: Any) -> str:
    """The words after an unknown one: which known word is like it, or which words there are."""
    alike = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    if alike:
        return f"; did you mean '{alike[0]}'?"
    return f"; choose one of {', '.join(sorted(known)[:12])}"
