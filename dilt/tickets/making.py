"""Tickets: masks made from the trajectories' masks by set algebra, and controls of exactly matched size.

A ticket is a mask with theta0; training it is `train_ticket`'s business. Sources: COLT, arXiv 2212.12770; DiLT,
arXiv 2508.16915; shuffled masks and other initialisations, arXiv 1803.03635 and 2009.08576.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dilt.foundations.randomness import generator
from dilt.tickets.ladders import Ladder, SiblingLadder, match
from dilt.tickets.masks import Mask, intersection, specialise, union
from dilt.tickets.names import ANEW
from dilt.tickets.pruning import Scope, Scores, keep_largest_per_layer, magnitudes, random_like, shuffle_units
from dilt.tickets.selection import SAME_ROUNDS


@dataclass(frozen=True)
class Material:
    """What the tickets of one round are made from.

    Attributes:
        partitions: each partition's trajectory, by partition name.
        siblings: each partition's sibling, by partition name.
        lth: the full trajectory.
        same_rounds: the full trajectory pruned to the core in as many rounds; None where no ticket is taken from it.
        colt: the cyclic coupling; its masks are the consensus of each round.
        theta0: prunable weights at initialisation, by layer.
        round: the round, 1 or later.
        scope: how the trajectories were pruned; matched controls follow it.
        seed: seed of the random controls.
    """

    partitions: Mapping[str, Ladder]
    siblings: Mapping[str, Ladder]
    lth: Ladder
    same_rounds: Ladder | None
    colt: Ladder
    theta0: Scores
    round: int
    scope: Scope
    seed: int


def make_tickets(material: Material, names: Sequence[str]) -> dict[str, Mask]:
    """The tickets of one round, by name, in the order given."""
    masks = {name: run.mask(material.round) for name, run in material.partitions.items()}
    plain = {name: plain_ticket(name, masks, material) for name in dict.fromkeys(n.rpartition("@")[2] for n in names)}
    made = {}
    for name in names:
        reference = plain[name.rpartition("@")[2]]
        mask = control(name, reference, masks, material) if "@" in name else reference
        made[name] = mask.with_origin(f"{name} round {material.round}")
    return made


def plain_ticket(name: str, masks: Mapping[str, Mask], material: Material) -> Mask:
    """A ticket that is no control ``x@y``, from the masks of the partitions."""
    core = intersection(masks.values())
    baselines = {
        "dense": lambda: Mask.full(core.shapes),
        "lth": lambda: material.lth.mask(material.round),
        "random": lambda: random_like(material.lth.mask(material.round), _draws(name, material)),
        "colt": lambda: material.colt.mask(material.round),
        "union": lambda: union(masks.values()),
    }
    if name in baselines:
        return baselines[name]()
    if name.startswith("consensus-"):
        return consensus(masks, int(name.removeprefix("consensus-")))
    if name.startswith("null-specialist-"):
        partition = name.removeprefix("null-specialist-")
        return masks[partition] - material.siblings[partition].mask(material.round)
    return union(
        core if part == "core" else specialise(part.removeprefix("specialist-"), masks) for part in name.split("+")
    )


def control(name: str, reference: Mask, masks: Mapping[str, Mask], material: Material) -> Mask:
    """The matched control ``x@y``, of exactly the number of weights of the mask of y."""
    kind = name.partition("@")[0]
    ladder = _ladder(kind, material)
    if ladder:
        return match(ladder, reference, material.scope)
    if kind == "random":
        return random_like(reference, _draws(name, material))
    if kind == "shuffled":
        return shuffle_units(reference, _draws(name, material))
    dense = Mask.full(reference.shapes)
    if kind == "core+random":
        core = intersection(masks.values())
        return core | random_like(reference - core, _draws(name, material), within=dense - core)
    if kind == ANEW:
        return reference
    return keep_largest_per_layer(magnitudes(material.theta0, dense), dense, reference.counts)


def _ladder(kind: str, material: Material) -> Ladder | None:
    """The pruning run that controls of a kind are taken from."""
    for null in ("null-core-", "null-union-"):
        if kind.startswith(null):
            partition = kind.removeprefix(null)
            own, sibling = material.partitions[partition], material.siblings[partition]
            return SiblingLadder(own, sibling, agree=null == "null-core-", scope=material.scope)
    return {"lth": material.lth, "colt": material.colt, SAME_ROUNDS: material.same_rounds}.get(kind)


def _draws(name: str, material: Material) -> np.random.Generator:
    return generator(material.seed, "ticket", name, material.round)


def consensus(masks: Mapping[str, Mask], number: int) -> Mask:
    """Weights that at least ``number`` of the partitions kept."""
    first = next(iter(masks.values()))
    votes = np.sum([mask.flatten() for mask in masks.values()], axis=0)
    return first.unflatten(votes >= number, f"consensus-{number}")
