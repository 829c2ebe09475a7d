"""Small masks, weights, ladders and images that the tests of the domain are stated on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dilt.data.preparation import prepare, write_splits
from dilt.data.prepared import Images, read_split
from dilt.settings.data import DataSet, PartitionChoice
from dilt.tickets.ladders import Run
from dilt.tickets.making import Material
from dilt.tickets.masks import Mask
from dilt.tickets.names import CRITERIA
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import prune

SHAPES = {"first": (4, 3), "second": (2, 2, 2), "third": (5, 1)}
DENSE = Mask.full(SHAPES)
Weights = dict[str, np.ndarray]


@st.composite
def masks(draw: st.DrawFn, at_least: int = 1, at_most: int = 5) -> list[Mask]:
    """Some masks of the same layers."""
    number = draw(st.integers(at_least, at_most))
    return [DENSE.unflatten(draw(arrays(np.bool_, DENSE.size)), f"mask {index}") for index in range(number)]


@st.composite
def tied_weights(draw: st.DrawFn) -> Weights:
    """Weights of few distinct values, so that most magnitudes are tied."""
    return {name: draw(arrays(np.float32, shape, elements=st.integers(-2, 2))) for name, shape in SHAPES.items()}


def random_weights(seed: int, shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> Weights:
    draws = np.random.default_rng(seed)
    return {name: draws.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@dataclass
class FakeLadder(Run):
    """A pruning run on made-up weights: round r ranks by ``weights[r - 1]``."""

    masks: list[Mask]
    weights: list[Weights]

    @classmethod
    def of(cls, weights: list[Weights], rate: float, scope: str, pattern: Pattern = ANY) -> FakeLadder:
        masks = [Mask.full({name: array.shape for name, array in weights[0].items()})]
        for round_weights in weights:
            masks.append(prune(round_weights, masks[-1], rate, scope, pattern=pattern))
        return cls(masks, weights)

    @property
    def rounds(self) -> int:
        return len(self.weights)

    def mask(self, round_: int) -> Mask:
        return self.masks[round_]

    def saliencies(self, round_: int) -> Weights:
        return self.weights[round_ - 1]


def material(
    partitions: Sequence[str],
    seed: int = 0,
    scope: str = "global",
    round_: int = 2,
    pattern: Pattern = ANY,
    shapes: Mapping[str, tuple[int, ...]] = {"first": (8, 6), "second": (6, 5)},
) -> Material:
    """What tickets are made from: trajectories that share theta0 and so overlap, over four rounds."""
    theta0 = random_weights(0, shapes)

    def ladder(number: int) -> FakeLadder:
        moved = [random_weights(1 + 4 * number + r, shapes) for r in range(4)]
        return FakeLadder.of([{n: theta0[n] + 0.5 * m[n] for n in theta0} for m in moved], 0.3, scope, pattern)

    ladders = [ladder(number) for number in range(3 * len(partitions) + 3)]
    own, siblings, splits = (ladders[3 + i * len(partitions) :][: len(partitions)] for i in range(3))
    return Material(
        dict(zip(partitions, own, strict=True)),
        dict(zip(partitions, siblings, strict=True)),
        ladders[0],
        {round_: ladders[2]},
        ladders[1],
        theta0,
        round_,
        scope,
        seed,
        splits,
        {name: random_weights(100 + number, shapes) for number, name in enumerate(CRITERIA)},
        pattern=pattern,
    )


def prepared(folder: Path, data: DataSet, partitions: PartitionChoice | None = None) -> dict[str, Images]:
    """The splits of a data set, written to a folder and read again."""
    splits, chosen = prepare(data, partitions)
    write_splits(folder / "dataset.json", splits, chosen, data)
    return {split: read_split(folder / "dataset.json", split) for split in splits}


def pixels_of(data: Images) -> np.ndarray:
    """All pixels of a split as one array."""
    return data.pixels[np.arange(len(data))]


def images(per_class: int = 12, num_classes: int = 3, side: int = 4, seed: int = 0, channels: int = 1) -> Images:
    """Noise images whose brightness tells their class, in class order."""
    draws = np.random.default_rng(seed)
    labels = np.repeat(np.arange(num_classes), per_class)
    pixels = draws.integers(0, 120, (len(labels), channels, side, side)) + 60 * labels[:, None, None, None] % 256
    classes = tuple(f"class {index}" for index in range(num_classes))
    return Images(pixels.astype(np.uint8), labels, classes, (0.4,) * channels, (0.2,) * channels)
