"""Masks as values: which weights live, with set algebra, densities and provenance.

`pruning` finds masks, `making` makes tickets of them, `mask_files` reads and writes their files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, reduce
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


class Mask:
    """Which weights of each layer live (True) and which are pruned (False). Immutable.

    `&`, `|` and `-` are intersection, union and difference; `<=` is inclusion; `==` compares the weights kept,
    not where they came from. Masks combine only when their layers have the same names and shapes.

    Args:
        layers: layer name to boolean array, of the shape of the layer's weight.
        origin: provenance in words, such as ``"full round 3"``; set algebra composes it.

    Raises:
        ValueError: a layer is not boolean, or there is none.
    """

    def __init__(self, layers: Mapping[str, NDArray[np.generic]], origin: str = "") -> None:
        if not layers:
            raise ValueError("a mask needs at least one layer")
        self._layers: dict[str, BoolArray] = {}
        for name, kept in layers.items():
            if kept.dtype != np.bool_:
                raise ValueError(f"mask of layer '{name}' is {kept.dtype}; a mask is boolean")
            frozen = np.array(kept, dtype=np.bool_)
            frozen.flags.writeable = False
            self._layers[name] = frozen
        self.origin = origin

    @classmethod
    def of_own(cls, layers: Mapping[str, BoolArray], origin: str = "") -> Mask:
        """A mask of boolean arrays that nothing else writes to, without copies."""
        mask = cls.__new__(cls)
        for kept in layers.values():
            kept.flags.writeable = False
        mask._layers = dict(layers)
        mask.origin = origin
        return mask

    @classmethod
    def full(cls, shapes: Mapping[str, tuple[int, ...]], origin: str = "dense") -> Mask:
        """The mask that keeps every weight."""
        return cls({name: np.ones(shape, dtype=np.bool_) for name, shape in shapes.items()}, origin)

    def __getitem__(self, layer: str) -> BoolArray:
        return self._layers[layer]

    @property
    def layers(self) -> Mapping[str, BoolArray]:
        """Layer name to boolean array, read-only."""
        return MappingProxyType(self._layers)

    @property
    def names(self) -> list[str]:
        """Layer names, in the model's order."""
        return list(self._layers)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each layer's weight."""
        return {name: kept.shape for name, kept in self._layers.items()}

    @property
    def size(self) -> int:
        """Number of prunable weights."""
        return sum(kept.size for kept in self._layers.values())

    @property
    def counts(self) -> dict[str, int]:
        """Number of live weights of each layer."""
        return dict(self._counts)

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {name: int(np.count_nonzero(kept)) for name, kept in self._layers.items()}

    @property
    def count(self) -> int:
        """Number of live weights."""
        return sum(self._counts.values())

    @property
    def densities(self) -> dict[str, float]:
        """Share of each layer's weights that lives."""
        return {name: self._counts[name] / kept.size for name, kept in self._layers.items()}

    @property
    def density(self) -> float:
        """Share of all prunable weights that lives."""
        return self.count / self.size

    def __and__(self, other: Mask) -> Mask:
        return self._combine(other, np.logical_and, "&")

    def __or__(self, other: Mask) -> Mask:
        return self._combine(other, np.logical_or, "|")

    def __sub__(self, other: Mask) -> Mask:
        return self._combine(other, np.greater, "-")

    def __le__(self, other: Mask) -> bool:
        return (self - other).count == 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.shapes == other.shapes and all(
            np.array_equal(kept, other[name]) for name, kept in self._layers.items()
        )

    __hash__ = None  # type: ignore[assignment]  # equal masks may differ in origin

    def __repr__(self) -> str:
        return f"Mask({self.count:,} of {self.size:,} weights, density {self.density:.4f}, origin '{self.origin}')"

    def with_origin(self, origin: str) -> Mask:
        """The same weights under another name."""
        return Mask.of_own(self._layers, origin)

    def flatten(self) -> BoolArray:
        """All layers as one vector of shape (size,), in layer order."""
        return np.concatenate([kept.ravel() for kept in self._layers.values()])

    def unflatten(self, kept: BoolArray, origin: str) -> Mask:
        """The inverse of `flatten`: a vector of shape (size,) as a mask of these layers."""
        ends = np.cumsum([layer.size for layer in self._layers.values()])
        pieces = np.split(kept, ends[:-1])
        return Mask.of_own(
            {name: piece.reshape(shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)},
            origin,
        )

    def _combine(self, other: Mask, operation: Callable[..., BoolArray], sign: str) -> Mask:
        if self.shapes != other.shapes:
            raise ValueError(
                f"masks '{self.origin}' and '{other.origin}' cover different layers; "
                "only masks of the same model can be combined"
            )
        return Mask.of_own(
            {name: operation(kept, other[name]) for name, kept in self._layers.items()},
            f"({self.origin} {sign} {other.origin})",
        )


def intersection(masks: Iterable[Mask]) -> Mask:
    """Weights that every mask keeps."""
    return reduce(Mask.__and__, masks)


def union(masks: Iterable[Mask]) -> Mask:
    """Weights that any mask keeps."""
    return reduce(Mask.__or__, masks)


def jaccard(first: Mask, second: Mask) -> float:
    """Size of the intersection over size of the union; 1 for two empty masks."""
    joined = (first | second).count
    return (first & second).count / joined if joined else 1.0


def specialise(partition: str, masks: Mapping[str, Mask]) -> Mask:
    """The partition's weights that no other partition kept."""
    return masks[partition] - union(mask for name, mask in masks.items() if name != partition)
