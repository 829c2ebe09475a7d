"""The N:M pattern: of every M weights next to each other along a layer's inputs, at most N live.

Graphics processors multiply faster by weights in the pattern 2:4 (Mishra et al. 2021, arXiv 2104.08378). Which weights
are kept within a pattern is decided here; how many in all, in `pruning` and `making`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
        fullest: how many weights a group may have that goes beyond the pattern; 0 where none may.
        beyond: by layer, how many weights may go beyond it in all.
    """

    most: int
    group: int
    taken: Mask | None = None
    fullest: int = 0
    beyond: Mapping[str, int] = field(default_factory=dict)

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

    def loosened(self, mask: Mask) -> Pattern:
        """The pattern, gone beyond as far as a mask does: by as many weights in every layer, with no group fuller.

        A control of a ticket that breaks the pattern is held to it as nearly as the ticket itself.
        """
        if self.most == self.group:
            return self
        live = self._live(mask)
        beyond = {name: int(np.maximum(each - self.most, 0).sum()) for name, each in live.items()}
        return replace(self, fullest=max(int(each.max()) for each in live.values()), beyond=beyond)

    def beside(self, taken: Mask) -> Pattern:
        """The pattern for weights that are joined to those of a mask, which has none of them."""
        return replace(self, taken=taken)

    def room(self, mask: Mask) -> dict[str, int]:
        """How many of the mask's weights the pattern lets live, by layer."""
        if self.most == self.group:
            return mask.counts
        found = {}
        for name, live in self._live(mask).items():
            within, at_most = (np.minimum(live, places).sum() for places in self._places(name))
            found[name] = int(min(within + self.beyond.get(name, 0), at_most))
        return found

    def narrowed(self, saliencies: Mapping[str, NDArray[np.floating]], mask: Mask) -> Mask:
        """The mask with those weights of every group that the pattern lets live, the largest in saliency.

        Of equal ones, those that come first. The largest of all of these are the most salient mask of their number
        that there is within this one and the pattern (masks within a pattern are the independent sets of a matroid).
        """
        if self.most == self.group:
            return mask
        layers = {}
        for name, kept in mask.layers.items():
            live = self._grouped(kept)
            ranked = np.where(live, self._grouped(saliencies[name]), -np.inf)
            places = np.empty(live.shape, np.int64)  # of each weight in its group, from 0
            order = np.argsort(-ranked, axis=1, kind="stable")
            np.put_along_axis(places, order, np.broadcast_to(np.arange(self.group), live.shape), axis=1)
            within, at_most = (np.reshape(limit, (-1, 1)) for limit in self._places(name))
            best = live & (places < within)
            further = np.flatnonzero(live & (places >= within) & (places < at_most))
            chosen = np.argsort(-ranked.ravel()[further], kind="stable")[: self.beyond.get(name, 0)]
            best.ravel()[further[chosen]] = True
            layers[name] = self._ungrouped(best, kept.shape)
        return Mask(layers, mask.origin)

    def _live(self, mask: Mask) -> dict[str, NDArray[np.int64]]:
        """Live weights of each group, by layer."""
        return {name: self._grouped(kept).sum(axis=1) for name, kept in mask.layers.items()}

    def _places(self, layer: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many weights may be chosen of each of a layer's groups: within the pattern, and going beyond it."""
        taken = 0 if self.taken is None else self._grouped(self.taken[layer]).sum(axis=1)
        within, at_most = (np.maximum(most - taken, 0) for most in (self.most, max(self.most, self.fullest)))
        return np.atleast_1d(within), np.atleast_1d(at_most)

    def _grouped(self, weight: NDArray[Any]) -> NDArray[Any]:
        """A weight as (groups, members)."""
        return np.moveaxis(weight, 1, -1).reshape(-1, self.group)

    def _ungrouped(self, grouped: BoolArray, shape: tuple[int, ...]) -> BoolArray:
        """The inverse of `_grouped`."""
        outputs, inputs, *kernel = shape
        return np.moveaxis(grouped.reshape(outputs, *kernel, inputs), -1, 1)


ANY = Pattern(1, 1)  # none: every weight is a group of its own
