"""What `prune` and `train_rounds` share: the mask that a round of a trajectory ends with."""

from __future__ import annotations

from pathlib import Path

from dilt.foundations import storage
from dilt.settings.base import Section
from dilt.settings.pattern import PatternText
from dilt.tickets import pruning
from dilt.tickets.masks import Mask
from dilt.tickets.pattern import Pattern


class PruningOptions(Section):
    """What these stages read from the configuration."""

    rate: float
    scope: pruning.Scope
    pattern: PatternText


def mask_of_round(weights: Path, mask: Mask, options: PruningOptions, towards: tuple[int, int] | None = None) -> Mask:
    """The mask of a round, by its trained weights and the mask that these were trained under.

    Args:
        towards: a core's number of weights, and the rounds in which it is reached; None: the rate decides.

    Raises:
        ValueError: no weight is left.
    """
    tensors, record = storage.read_tensors(weights)
    origin, pattern = f"{record['run']} round {record['round']}", Pattern.of(options.pattern)
    if towards is None:
        pruned = pruning.prune(tensors, mask, options.rate, options.scope, origin, pattern)
    else:
        count = pruning.count_on_the_way(mask.size, towards[0], record["round"], towards[1], pattern)
        pruned = pruning.prune_to_count(tensors, mask, count, options.scope, origin, pattern)
    if not pruned.count and (towards is None or towards[0]):
        raise ValueError(f"pruning: no weight is left after {origin}; lower pruning.rounds or pruning.rate")
    print(f"{origin}: density {mask.density:.4f} -> {pruned.density:.4f}")
    return pruned
