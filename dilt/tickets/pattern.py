"""The N:M pattern: of every M weights next to each other along a layer's inputs, at most N live.

Graphics processors multiply faster by weights in the pattern 2:4 (Mishra et al. 2021, arXiv 2104.08378). Which weights
are kept within a pattern is decided here; how many in all, in `pruning` and `making`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.settings.pattern import numbers
from dilt.tickets.masks import BoolArray, Mask


@dataclass(frozen=True)
class Pattern:
    """At most ``most`` of every ``group`` weights next to each other along a layer's inputs.

    Inputs are the second axis of a weight: features of a linear layer (out, in), channels of a convolution (out, in,
    *kernel), each position of whose kernel has groups of its own, as NVIDIA's ASP and TensorRT have them.

    Attributes:
        taken: weights besides those that are chosen, which have their places in the groups already.
    """

    most: int
    group: int
    taken: Mask | None = None

    @classmethod
    def of(cls, text: str | None) -> Pattern:
        """The pattern that ``pruning.pattern`` names; null is `ANY`, which all masks keep.

        Raises:
            ValueError: it is no N:M with N from 1 and below M.
        """
        return ANY if text is None else cls(*numbers(text))

    def __str__(self) -> str:
        return f"{self.most}:{self.group}"

    def kept_by(self, mask: Mask) -> bool:
        """Whether no group of the mask has more live weights than the pattern allows."""
        return self.most == self.group or all(int(live.max()) <= self.most for live in self._live(mask).values())

    def share(self, mask: Mask) -> dict[str, tuple[int, int]]:
        """By layer, how many groups keep the pattern, and how many groups there are."""
        return {name: (int((live <= self.most).sum()), live.size) for name, live in self._live(mask).items()}

    def widened(self, mask: Mask) -> Pattern:
        """The pattern, or where the mask breaks it the narrowest wider one that it keeps: as many as its fullest group.

        A control of a ticket that breaks the pattern is held to what the ticket itself keeps.
        """
        if self.most == self.group:
            return self
        return replace(self, most=max(self.most, *(int(live.max()) for live in self._live(mask).values())))

    def beside(self, taken: Mask) -> Pattern:
        """The pattern for weights that are joined to those of a mask, which has none of them."""
        return replace(self, taken=taken)

    def room(self, mask: Mask) -> dict[str, int]:
        """How many of the mask's weights the pattern lets live, by layer."""
        if self.most == self.group:
            return mask.counts
        return {name: int(np.minimum(live, self._places(name)).sum()) for name, live in self._live(mask).items()}

    def narrowed(self, saliencies: Mapping[str, NDArray[np.floating]], mask: Mask) -> Mask:
        """The mask with those weights of every group that the pattern lets live, the largest in saliency.

        Of equal ones, those that come first. The largest of all of these are the most salient mask of their number
        that there is within this one and the pattern.
        """
        if self.most == self.group:
            return mask
        layers = {}
        for name, kept in mask.layers.items():
            live = self._grouped(kept)
            ranked = np.where(live, self._grouped(saliencies[name]), -np.inf)
            order = np.argsort(-ranked, axis=1, kind="stable")
            best = np.zeros_like(live)
            np.put_along_axis(best, order, np.arange(self.group) < np.reshape(self._places(name), (-1, 1)), axis=1)
            layers[name] = self._ungrouped(best & live, kept.shape)
        return Mask(layers, mask.origin)

    def _live(self, mask: Mask) -> dict[str, NDArray[np.int64]]:
        """Live weights of each group, by layer."""
        return {name: self._grouped(kept).sum(axis=1) for name, kept in mask.layers.items()}

    def _places(self, layer: str) -> int | NDArray[np.int64]:
        """How many weights of a layer's groups may be chosen: one number for all, or one for each."""
        if self.taken is None:
            return self.most
        left: NDArray[np.int64] = self.most - self._grouped(self.taken[layer]).sum(axis=1)
        return np.maximum(left, 0)

    def _grouped(self, weight: NDArray[Any]) -> NDArray[Any]:
        """A weight as (groups, members)."""
        return np.moveaxis(weight, 1, -1).reshape(-1, self.group)

    def _ungrouped(self, grouped: BoolArray, shape: tuple[int, ...]) -> BoolArray:
        """The inverse of `_grouped`."""
        outputs, inputs, *kernel = shape
        return np.moveaxis(grouped.reshape(outputs, *kernel, inputs), -1, 1)


ANY = Pattern(1, 1)  # none: every weight is a group of its own
