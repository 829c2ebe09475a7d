"""Ladders: pruning runs that a ticket of any number of weights can be taken from.

`combine` reads the masks and weights of a run from files; `making` decides which tickets are matched to which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dilt.tickets.masks import Mask, intersection, union
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import Saliencies, Scope, consensus_saliencies, prune_to_count


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
class ConsensusLadder:
    """What all of several runs keep, or any of them.

    Of a partition's run and its sibling's: the core or union if nothing were specialised. Of runs on random parts of
    the images: the core or union if classes were not disjoint.

    Attributes:
        runs: two or more, of as many rounds each.
        agree: whether all have to keep a weight; else any.
        scope: how they were pruned.
    """

    runs: Sequence[Ladder]
    agree: bool
    scope: Scope

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.runs[0].rounds

    def mask(self, round_: int) -> Mask:
        """Intersection or union of the runs' masks."""
        masks = [run.mask(round_) for run in self.runs]
        return intersection(masks) if self.agree else union(masks)

    def saliencies(self, round_: int) -> Saliencies:
        """Saliencies by the worst or best of a weight's ranks, each within the mask of the run that it is in."""
        masks, weights = [], []
        for run in self.runs:
            mask, saliencies = run.mask(round_ - 1), run.saliencies(round_)
            masks.append(mask)
            # In a run's ranks, weights that only other runs have come last.
            weights.append({name: np.where(mask[name], saliencies[name], 0) for name in mask.names})
        return consensus_saliencies(weights, union(masks), self.scope, "worst" if self.agree else "best")


@dataclass(frozen=True)
class Without:
    """A run without some weights: what it keeps of the others, and would keep of them next.

    Attributes:
        lost: weights that none of its masks has, such as what the run's sibling kept.
    """

    run: Ladder
    lost: Mask

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.run.rounds

    def mask(self, round_: int) -> Mask:
        """The run's mask without them."""
        return self.run.mask(round_) - self.lost

    def saliencies(self, round_: int) -> Saliencies:
        """The run's."""
        return self.run.saliencies(round_)


def match(ladder: Ladder, count: int, scope: Scope, pattern: Pattern = ANY) -> Mask:
    """The ladder's ticket of exactly so many weights (``x@y``).

    It is pruned in one magnitude step from the starting mask of the last round that is at least as dense: no further
    than a round prunes, unless the ladder ends before it is that sparse. What the pattern lets live is what counts.
    """
    for round_ in range(ladder.rounds, 0, -1):
        mask = ladder.mask(round_ - 1)
        if sum(pattern.room(mask).values()) >= count:
            return prune_to_count(ladder.saliencies(round_), mask, count, scope, pattern=pattern)
    raise ValueError(f"no mask of the ladder has {count} weights or more")
