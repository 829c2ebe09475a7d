"""Splits images into training, validation and test images, one by one or in whole groups.

A split follows from labels, groups, names and seed alone. Groups are given by `sources.image_groups`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.error_lines import and_more
from dilt.foundations.randomness import generator
from dilt.settings.data import DataSet

if TYPE_CHECKING:
    from dilt.data.prepared import Split

PASSES = 20  # at most, over all groups, each of which is moved if that brings shares nearer
ATTEMPTS = 20  # at most: orders in which groups are placed, until no side lacks a class
HELD_OUT: tuple[Split, ...] = ("test", "validation", "train")  # in the order in which they are drawn
Indices = NDArray[np.int64]


def split_images(labels: Indices, classes: Sequence[str], data: DataSet) -> dict[Split, Indices]:
    """Indices of the images of every split, class by class; each class is split by itself, so that shares are exact.

    Args:
        labels: (num_images,), indices into ``classes``.

    Raises:
        ValueError: a class has too few images.
    """
    chosen: dict[Split, list[Indices]] = {split: [] for split in HELD_OUT}
    for members, name in zip(_by_class(labels, classes, data), classes, strict=True):
        drawn = generator(data.split_seed, "split", name).permutation(members)
        num_test, num_validation = held_out(len(drawn), _unlimited(data))
        parts = np.split(drawn, [num_test, num_test + num_validation])
        for split, part in _limited(dict(zip(HELD_OUT, parts, strict=True)), data).items():
            chosen[split].append(np.sort(part))
    return {split: np.concatenate(chosen[split]) for split in HELD_OUT}


def split_groups(
    labels: Indices, classes: Sequence[str], groups: Sequence[str], names: Sequence[str], data: DataSet
) -> dict[Split, Indices]:
    """As `split_images`, but all images of a group are on one side, and shares are as near as that allows.

    Large groups are placed first, each where it brings the shares of its classes nearest; then single groups are moved
    as long as that brings shares nearer still. The order of images does not matter.

    Args:
        groups: of each image.
        names: of each image, all different.

    Raises:
        ValueError: a class has too few images or groups for every side to have some.
    """
    members = _by_class(labels, classes, data)
    sides = HELD_OUT[1:] if data.test_split else HELD_OUT
    unique, group = np.unique(np.array(groups), return_inverse=True)
    counts = _class_counts(group, labels, len(unique))
    num_groups = np.bincount([label for count in counts for label in count], minlength=len(classes))
    if few := [index for index, number in enumerate(num_groups) if number < len(sides)]:
        raise ValueError(
            f"groups: class '{classes[few[0]]}' has {num_groups[few[0]]} group(s){and_more(few)}; "
            f"{', '.join(sides[:-1])} and {sides[-1]} images need one each; add others, or leave the class out"
        )
    quotas = np.zeros((len(sides), len(classes)), dtype=np.int64)
    for index, found in enumerate(members):
        num_test, num_validation = held_out(len(found), _unlimited(data))
        number = {"test": num_test, "validation": num_validation, "train": len(found) - num_test - num_validation}
        quotas[:, index] = [number[side] for side in sides]
    side = _placed(counts, quotas.tolist(), np.bincount(group), data.split_seed)[group]
    chosen: dict[Split, list[Indices]] = {split: [] for split in HELD_OUT}
    missing = []
    by_name = np.argsort(np.array(names))
    for index, name in enumerate(classes):
        own = by_name[labels[by_name] == index]  # in an order that does not depend on how images were listed
        own = generator(data.split_seed, "images_per_class", name).permutation(own)
        parts = {split: own[side[own] == sides.index(split)] if split in sides else own[:0] for split in HELD_OUT}
        missing += [(name, split) for split in sides if not len(parts[split])]
        for split, part in _limited(parts, data).items():
            chosen[split].append(np.sort(part))
    if missing:
        raise ValueError(
            f"groups: no split has class '{missing[0][0]}' among {missing[0][1]} images{and_more(missing)}; "
            "its groups have other classes too: add others, or leave the class out"
        )
    return {split: np.concatenate(chosen[split]) for split in HELD_OUT}


def _by_class(labels: Indices, classes: Sequence[str], data: DataSet) -> list[Indices]:
    """Indices of the images of each class, checked to be enough for all sides.

    Raises:
        ValueError: a class has too few images.
    """
    members = [np.flatnonzero(labels == index) for index in range(len(classes))]
    if few := [index for index, found in enumerate(members) if not leaves_images(len(found), data)]:
        raise ValueError(f"classes: {too_few(classes[few[0]], len(members[few[0]]), data, and_more(few))}")
    return members


def _limited(parts: Mapping[Split, Indices], data: DataSet) -> dict[Split, Indices]:
    """A class's images of every split, in the order drawn; training and validation images are cut to their limit."""
    number = len(parts["validation"]) + len(parts["train"])
    if data.images_per_class is None or number <= data.images_per_class:
        return dict(parts)
    num_validation = min(len(parts["validation"]), max(1, round(data.images_per_class * data.validation_share)))
    return {
        "train": parts["train"][: data.images_per_class - num_validation],
        "validation": parts["validation"][:num_validation],
        "test": parts["test"],
    }


def _unlimited(data: DataSet) -> DataSet:
    """Settings without a limit: held-out images of a trial are drawn from those of the whole data set."""
    return data.model_copy(update={"images_per_class": None})


def _class_counts(group: Indices, labels: Indices, number: int) -> list[dict[int, int]]:
    """How many images of each class a group has."""
    counts: list[dict[int, int]] = [{} for _ in range(number)]
    for one, label in zip(group.tolist(), labels.tolist(), strict=True):
        counts[one][label] = counts[one].get(label, 0) + 1
    return counts


def _placed(counts: Sequence[Mapping[int, int]], quotas: Sequence[Sequence[int]], sizes: Indices, seed: int) -> Indices:
    """The side of every group. Orders of placing are tried until no side lacks a class; else the last one counts."""
    for attempt in range(ATTEMPTS):
        drawn = generator(seed, "groups", attempt).permutation(len(sizes))
        order = np.lexsort((drawn, -np.floor(np.log2(sizes))))  # large ones first, in random order among alike ones
        placement = _Placement(counts, quotas)
        sides = placement.place(order.tolist())
        if placement.is_complete():
            break
    return np.array(sides)


class _Placement:
    """Which side each group is on.

    Minimised are first the classes that a side lacks, then the sum over sides and classes of the squared deviation from
    the quota, each relative to its quota.

    Args:
        counts: images of each class, by group.
        quotas: images wanted, by side and class; at least one.
    """

    def __init__(self, counts: Sequence[Mapping[int, int]], quotas: Sequence[Sequence[int]]) -> None:
        self._counts, self._quotas = counts, quotas
        self._filled = [[0] * len(quota) for quota in quotas]

    def place(self, order: Sequence[int]) -> list[int]:
        """The side of every group; groups are placed in the order given."""
        sides = range(len(self._quotas))
        chosen = [0] * len(self._counts)
        for group in order:
            chosen[group] = min(sides, key=lambda side: self._change(group, side, 1))
            self._put(group, chosen[group], 1)
        for _ in range(PASSES):
            moved = False
            for group in order:
                here = chosen[group]
                changes = {there: self._moving(group, here, there) for there in sides if there != here}
                best = min(changes, key=lambda there: changes[there])
                if changes[best] < (0, -1e-9):
                    self._put(group, here, -1)
                    self._put(group, best, 1)
                    chosen[group], moved = best, True
            if not moved:
                break
        return chosen

    def is_complete(self) -> bool:
        """Whether every side has every class."""
        return all(all(filled) for filled in self._filled)

    def _put(self, group: int, side: int, sign: int) -> None:
        for label, number in self._counts[group].items():
            self._filled[side][label] += sign * number

    def _change(self, group: int, side: int, sign: int) -> float:
        """Change of the sum of squares when a group is put to a side (1) or taken from it (-1)."""
        filled, quotas = self._filled[side], self._quotas[side]
        return sum(
            number * (number + 2 * sign * (filled[label] - quotas[label])) / quotas[label]
            for label, number in self._counts[group].items()
        )

    def _moving(self, group: int, here: int, there: int) -> tuple[int, float]:
        """Changes of the number of classes lacked and of the sum of squares, when a group is moved."""
        lost = sum(self._filled[here][label] == number for label, number in self._counts[group].items())
        won = sum(self._filled[there][label] == 0 for label in self._counts[group])
        return lost - won, self._change(group, here, -1) + self._change(group, there, 1)


def held_out(images: int, data: DataSet) -> tuple[int, int]:
    """How many of a class's images are held out as test and as validation images."""
    test = 0 if data.test_split else max(1, round(images * data.test_share))
    return test, max(1, round(_trained_on(images - test, data) * data.validation_share))


def leaves_images(images: int, data: DataSet) -> bool:
    """Whether a class of ``images`` images has some to train on after test and validation images are held out."""
    test, validation = held_out(images, data)
    return _trained_on(images - test, data) > validation


def too_few(name: str, images: int, data: DataSet, more: str = "") -> str:
    """The error's words for a class of ``images`` images, for which `leaves_images` is false."""
    test, validation = held_out(images, data)
    limited = "" if data.images_per_class is None else f" of {_trained_on(images - test, data)} (images_per_class)"
    return (
        f"'{name}' has {images} image(s){more}; too few to hold out {test} for test and {validation} for validation"
        f"{limited} and train on others; add images or leave the class out"
    )


def used_images(images: int, data: DataSet) -> int:
    """How many of a class's images end in one of the splits."""
    test, _ = held_out(images, data)
    return test + _trained_on(images - test, data)


def _trained_on(images: int, data: DataSet) -> int:
    """How many of a class's images are for training and validation."""
    return images if data.images_per_class is None else min(images, data.images_per_class)
