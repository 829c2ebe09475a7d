"""Ladders: pruning runs that a ticket of any number of weights can be taken from.

`combine` reads the masks and weights of a run from files; `making` decides which tickets are matched to which.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dilt.tickets.agreement import keep_agreed
from dilt.tickets.masks import Mask, intersection, union
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import Saliencies, Scope, prune_to_count


class Ladder(Protocol):
    """Sparser and sparser masks, and what each would be pruned to."""

    @property
    def rounds(self) -> int:
        """Number of rounds."""

    def mask(self, round_: int) -> Mask:
        """The mask after a round, dense for round 0."""

    def pruned(self, round_: int, count: int, scope: Scope, pattern: Pattern = ANY) -> Mask:
        """The mask before a round with so many of its weights, those that the round would keep."""


class Run(ABC):
    """A pruning run: its masks, and the saliencies of the weights that were trained under each."""

    @property
    @abstractmethod
    def rounds(self) -> int:
        """Number of rounds."""

    @abstractmethod
    def mask(self, round_: int) -> Mask:
        """The mask after a round, dense for round 0. Weights of round r were trained under the mask of round r - 1."""

    @abstractmethod
    def saliencies(self, round_: int) -> Saliencies:
        """The saliencies that a round ranks weights by."""

    def pruned(self, round_: int, count: int, scope: Scope, pattern: Pattern = ANY) -> Mask:
        """The mask before a round with so many of its weights, the most salient ones."""
        return prune_to_count(self.saliencies(round_), self.mask(round_ - 1), count, scope, pattern=pattern)


@dataclass(frozen=True)
class ConsensusLadder:
    """What all of several runs keep, or any of them.

    Of a partition's run and its sibling's: the core or union if nothing were specialised. Of runs on random parts of
    the images: the core or union if classes were not disjoint.

    Attributes:
        runs: two or more, of as many rounds each.
        agree: whether all have to keep a weight; else any.
    """

    runs: Sequence[Run]
    agree: bool

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.runs[0].rounds

    def mask(self, round_: int) -> Mask:
        """Intersection or union of the runs' masks."""
        masks = [run.mask(round_) for run in self.runs]
        return intersection(masks) if self.agree else union(masks)

    def pruned(self, round_: int, count: int, scope: Scope, pattern: Pattern = ANY) -> Mask:
        """What they agree on, or any has, by the worst or best of a weight's ranks, each within the mask of its run."""
        weights, masks = zip(*[(run.saliencies(round_), run.mask(round_ - 1)) for run in self.runs], strict=True)
        return keep_agreed(weights, masks, count, scope, "worst" if self.agree else "best", pattern)


@dataclass(frozen=True)
class Without(Run):
    """A run without some weights: what it keeps of the others, and would keep of them next.

    Attributes:
        lost: weights that none of its masks has, such as what the run's sibling kept.
    """

    run: Run
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
            return ladder.pruned(round_, count, scope, pattern)
    raise ValueError(f"no mask of the ladder has {count} weights or more")
