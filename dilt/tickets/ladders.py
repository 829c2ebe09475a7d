"""Ladders: pruning runs that a ticket of any number of weights can be taken from.

`combine` reads the masks and weights of a run from files; `making` decides which tickets are matched to which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dilt.tickets.masks import Mask, union
from dilt.tickets.pruning import Saliencies, Scope, consensus_saliencies, magnitudes, prune_to_count


class Ladder(Protocol):
    """A pruning run: sparser and sparser masks, and the saliencies of the weights that were trained under each."""

    @property
    def rounds(self) -> int:
        """Number of rounds."""

    def mask(self, round_: int) -> Mask:
        """The mask after a round, dense for round 0. Weights of round r were trained under the mask of round r - 1."""

    def saliencies(self, round_: int) -> Saliencies:
        """The saliencies that a round ranks weights by."""


@dataclass(frozen=True)
class SiblingLadder:
    """What a partition's run and its sibling's both keep, or either: the core or union if nothing were specialised.

    Attributes:
        first: a partition's run.
        second: its sibling's, of as many rounds.
        agree: whether both have to keep a weight; else either.
        scope: how they were pruned.
    """

    first: Ladder
    second: Ladder
    agree: bool
    scope: Scope

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.first.rounds

    def mask(self, round_: int) -> Mask:
        """Intersection or union of the two masks."""
        masks = self.first.mask(round_), self.second.mask(round_)
        return masks[0] & masks[1] if self.agree else masks[0] | masks[1]

    def saliencies(self, round_: int) -> Saliencies:
        """Saliencies by the worst or best of a weight's two ranks, each within the mask of the run that it is in."""
        masks, weights = [], []
        for run in (self.first, self.second):
            mask, saliencies = run.mask(round_ - 1), run.saliencies(round_)
            masks.append(mask)
            # In a run's ranks, weights that only the other run has come last.
            weights.append({name: np.where(mask[name], saliencies[name], 0) for name in mask.names})
        return consensus_saliencies(weights, union(masks), self.scope, "worst" if self.agree else "best")


def kept_by_one(first: Ladder, second: Ladder, round_: int) -> Saliencies:
    """Saliencies that put first what one run kept and another did not, the largest weights before smaller ones.

    Then comes what both kept, those weights first that the other would prune next; what the first did not keep has 0.
    """
    kept, also_kept = first.mask(round_), second.mask(round_)
    own, other = (magnitudes(run.saliencies(round_), kept) for run in (first, second))
    order = {}
    for name in kept.names:
        alone = 1 + own[name] / (1.0 + own[name])
        order[name] = np.where(kept[name], np.where(also_kept[name], 1 / (1.0 + other[name]), alone), 0)
    return order


def match(ladder: Ladder, reference: Mask, scope: Scope) -> Mask:
    """The ladder's ticket brought to exactly the reference's number of weights (``x@y``).

    It is pruned in one magnitude step from the starting mask of the last round that is at least as dense: no further
    than a round prunes, unless the ladder ends before it is that sparse.
    """
    for round_ in range(ladder.rounds, 0, -1):
        mask = ladder.mask(round_ - 1)
        if mask.count >= reference.count:
            return prune_to_count(ladder.saliencies(round_), mask, reference.count, scope)
    raise ValueError(f"no mask of the ladder has {reference.count} weights or more")
