"""Tickets: masks made from the trajectories' masks by set algebra, and controls of exactly matched size.

A ticket is a mask with theta0. Here is which tickets there are and how each mask follows; training them is
`training`'s business. Sources: COLT, arXiv 2212.12770; DiLT, arXiv 2508.16915; controls, DESIGN sections 1 and 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dilt.masks import Mask, intersection, union
from dilt.pruning import Scope, Scores, keep_largest_per_layer, magnitudes, prune_to_count, random_like
from dilt.randomness import generator

# x of a matched control x@y: x brought to exactly the number of weights of the ticket y.
CONTROLS = ("lth", "colt", "random", "initial-magnitude")


def ticket_names(partitions: Sequence[str], extra: Sequence[str] = ()) -> list[str]:
    """Every ticket of an experiment, in the order of the report: those that the claims need, then ``extra`` ones."""
    specialists = [f"specialist-{p}" for p in partitions]
    return [
        "dense",
        "lth",
        "random",
        "colt",
        "core",
        "union",
        *specialists,
        *[f"core+specialist-{p}" for p in partitions],
        *[f"consensus-{k}" for k in range(2, len(partitions))],
        *[f"null-specialist-{p}" for p in partitions],
        "lth@core",
        "random@core",
        "initial-magnitude@core",
        "lth@union",
        "colt@union",
        "random@union",
        *[f"random@{s}" for s in specialists],
        *extra,
    ]


def possible_extra(partitions: Sequence[str]) -> list[str]:
    """Matched controls that an experiment can have besides those that the claims need."""
    names = ticket_names(partitions)
    references = [name for name in names if "@" not in name and name not in ("dense", *CONTROLS)]
    return [name for y in references for x in CONTROLS if (name := f"{x}@{y}") not in names]


class Ladder(Protocol):
    """A pruning run whose weights can be asked for: sparser and sparser masks, and what was trained under each."""

    @property
    def masks(self) -> Sequence[Mask]:
        """Masks of rounds 0 (dense) to the last; weights of round r were trained under the mask of round r - 1."""

    def scores(self, round_: int) -> Scores:
        """What round ``round_`` ranks weights by."""


@dataclass(frozen=True)
class Material:
    """What the tickets of one round are made from.

    Attributes:
        partitions: mask of each partition's trajectory, by partition name.
        siblings: mask of each partition's sibling, by partition name.
        lth: the full trajectory.
        colt: the cyclic coupling; its masks are the consensus of each round.
        theta0: prunable weights at initialisation, by layer.
        round: the round, 1 or later.
        scope: how the trajectories were pruned; matched controls follow it.
        seed: seed of the random controls.
    """

    partitions: Mapping[str, Mask]
    siblings: Mapping[str, Mask]
    lth: Ladder
    colt: Ladder
    theta0: Scores
    round: int
    scope: Scope
    seed: int


def make_tickets(material: Material, extra: Sequence[str] = ()) -> dict[str, Mask]:
    """Every ticket of one round, by name, in the order of `ticket_names`."""
    masks = dict(material.partitions)
    names = ticket_names(list(masks), extra)
    core = intersection(masks.values())
    lth = material.lth.masks[material.round]
    tickets = {
        "dense": Mask.full(core.shapes),
        "lth": lth,
        "random": random_like(lth, generator(material.seed, "ticket", "random", material.round)),
        "colt": material.colt.masks[material.round],
        "core": core,
        "union": union(masks.values()),
    }
    for partition, mask in masks.items():
        specialist = specialise(partition, masks)
        tickets[f"specialist-{partition}"] = specialist
        tickets[f"core+specialist-{partition}"] = core | specialist
        tickets[f"null-specialist-{partition}"] = mask - material.siblings[partition]
    for number in range(2, len(masks)):
        tickets[f"consensus-{number}"] = consensus(masks, number)
    for name in names:
        if "@" in name:
            tickets[name] = control(name, tickets[name.partition("@")[2]], material)
    return {name: tickets[name].with_origin(f"{name} round {material.round}") for name in names}


def control(name: str, reference: Mask, material: Material) -> Mask:
    """The matched control ``x@y``, of exactly the number of weights of the mask of y."""
    kind, _, _ = name.partition("@")
    if kind == "lth":
        return match(material.lth, reference, material.scope)
    if kind == "colt":
        return match(material.colt, reference, material.scope)
    if kind == "random":
        return random_like(reference, generator(material.seed, "ticket", name, material.round))
    dense = Mask.full(reference.shapes)
    return keep_largest_per_layer(magnitudes(material.theta0, dense), dense, reference.counts)


def specialise(partition: str, masks: Mapping[str, Mask]) -> Mask:
    """The partition's weights that no other partition kept."""
    return masks[partition] - union(mask for name, mask in masks.items() if name != partition)


def consensus(masks: Mapping[str, Mask], number: int) -> Mask:
    """Weights that at least ``number`` of the partitions kept."""
    first = next(iter(masks.values()))
    votes = np.sum([mask.flatten() for mask in masks.values()], axis=0)
    return first.unflatten(votes >= number, f"consensus-{number}")


def match(ladder: Ladder, reference: Mask, scope: Scope) -> Mask:
    """The ladder's ticket brought to exactly the reference's number of weights (``x@y``).

    Taken from the last round whose starting mask is at least as dense, by one further magnitude step: at most one
    round's worth, unless the ladder ends before it is that sparse.
    """
    dense_enough = [r for r in range(1, len(ladder.masks)) if ladder.masks[r - 1].count >= reference.count]
    if not dense_enough:
        raise ValueError(f"no mask of the ladder has {reference.count} weights or more")
    round_ = dense_enough[-1]
    return prune_to_count(ladder.scores(round_), ladder.masks[round_ - 1], reference.count, scope)
