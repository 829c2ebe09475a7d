"""Finds pictures that are there twice: in two splits, under two labels, or again in their own split.

Two pictures are the same if all pixels are equal as networks see them (after resizing). 64 bits of a digest decide it.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.data.prepared import SPLITS, Images, Split
from dilt.sources.pixels import origin


class Seen:
    """Digests of those images of a split that were decoded.

    Args:
        indices: those images, in the order in which they are decoded.
    """

    def __init__(self, indices: NDArray[np.int64]) -> None:
        self.indices = indices
        self._digests = array("Q")

    def add(self, batch: NDArray[np.uint8]) -> None:
        """The next images (num_images, channels, height, width)."""
        for image in batch:
            self._digests.append(int.from_bytes(hashlib.blake2b(image.data, digest_size=8).digest(), "little"))

    @property
    def digests(self) -> NDArray[np.uint64]:
        """One for each index."""
        assert len(self._digests) == len(self.indices)
        return np.frombuffer(self._digests, dtype=np.uint64)


def find(splits: Mapping[Split, Images], seen: Mapping[Split, Seen]) -> dict[str, Any]:
    """How many pictures are there twice, with an example of each kind: two images with their splits and classes.

    Returns:
        ``seen``, images looked through by split; ``splits``, pictures by pair of splits; ``labels``, pictures under two
        or more labels; ``repeated``, by split, images that repeat another of their split; and ``examples`` of the last
        three.
    """
    digests = np.concatenate([seen[split].digests for split in SPLITS])
    indices = np.concatenate([seen[split].indices for split in SPLITS])
    whose = np.repeat(np.arange(len(SPLITS)), [len(seen[split].indices) for split in SPLITS])
    order = np.argsort(digests, kind="stable")
    _, starts, numbers = np.unique(digests[order], return_index=True, return_counts=True)
    between: Counter[str] = Counter()
    repeated: Counter[Split] = Counter()
    num_labels = 0
    examples: dict[str, tuple[tuple[Split, int], tuple[Split, int]]] = {}
    for start, number in zip(starts[numbers > 1].tolist(), numbers[numbers > 1].tolist(), strict=True):
        alike = [(SPLITS[whose[place]], int(indices[place])) for place in order[start : start + number]]
        first = {split: (split, index) for split, index in reversed(alike)}
        for one, other in combinations([split for split in SPLITS if split in first], 2):
            between[f"{one} and {other}"] += 1
            examples.setdefault("splits", (first[one], first[other]))
        by_label = {int(splits[split].labels[index]): (split, index) for split, index in reversed(alike)}
        if len(by_label) > 1:
            num_labels += 1
            one_label, other_label = sorted(by_label)[:2]
            examples.setdefault("labels", (by_label[one_label], by_label[other_label]))
        for split, number in Counter(split for split, _ in alike).items():
            if number > 1:
                repeated[split] += number - 1
                own = [place for place in alike if place[0] == split]
                examples.setdefault("repeated", (own[0], own[1]))
    return {
        "seen": {split: len(seen[split].indices) for split in SPLITS},
        "splits": dict(between),
        "labels": num_labels,
        "repeated": {split: repeated[split] for split in SPLITS if split in repeated},
        "examples": {
            kind: [
                {
                    "image": origin(splits[split].pixels, index),
                    "split": split,
                    "class": splits[split].classes[splits[split].labels[index]],
                }
                for split, index in pair
            ]
            for kind, pair in examples.items()
        },
    }


def told(found: Mapping[str, Any], sizes: Mapping[Split, int]) -> list[str]:
    """What `find` has found, in words, one line for each kind.

    Args:
        sizes: images of each split.
    """
    examples = {
        kind: " and ".join(f"{one['image']} ({one['split']}, {one['class']})" for one in pair)
        for kind, pair in found["examples"].items()
    }
    lines = []
    if found["splits"]:
        pairs = ", ".join(f"{number} of {pair}" for pair, number in found["splits"].items())
        lines.append(f"pictures that are in two splits: {pairs}; such as {examples['splits']}")
    if found["labels"]:
        lines.append(f"pictures that have two labels: {found['labels']}; such as {examples['labels']}")
    if found["repeated"]:
        numbers = ", ".join(f"{number} of {split}" for split, number in found["repeated"].items())
        lines.append(f"images that are another of their split again: {numbers}; such as {examples['repeated']}")
    if any(found["seen"][split] < sizes[split] for split in sizes):
        numbers = ", ".join(f"{found['seen'][split]} of {sizes[split]} of {split}" for split in sizes)
        lines.append(f"looked for the same picture twice among {numbers} images only, as they are streamed")
    return lines
