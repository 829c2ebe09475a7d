"""Tickets: masks made from the trajectories' masks by set algebra, and controls of exactly matched size.

A ticket is a mask with theta0. Here is which tickets there are, which of them a claim needs and how each mask follows;
training them is `training`'s business. Sources: COLT, arXiv 2212.12770; DiLT, arXiv 2508.16915; shuffled
masks and other initialisations, arXiv 1803.03635 and 2009.08576.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dilt.ladders import Ladder, SiblingLadder, match
from dilt.masks import Mask, intersection, union
from dilt.pruning import Scope, Scores, keep_largest_per_layer, magnitudes, random_like, shuffle_units
from dilt.randomness import generator
from dilt.starts import ANEW

CLAIMS = ("C1", "C2", "C3")
# Baselines that every experiment has, and figures show.
ALWAYS = ("dense", "lth", "random", "colt", "core", "union")
# x of a matched control x@y, for any y that is made of partitions: x brought to exactly y's number of weights.
CONTROLS = ("lth", "colt", "random", "shuffled", ANEW, "initial-magnitude")
SAME_ROUNDS = "lth-same-rounds"
# What the core and the union are compared with, besides what partitions and their siblings have in common.
CORE_CONTROLS = tuple(f"{x}@core" for x in ("lth", SAME_ROUNDS, "random", "shuffled", ANEW, "initial-magnitude"))
UNION_CONTROLS = tuple(f"{x}@union" for x in ("lth", "colt", "random", "core+random"))


def ticket_names(partitions: Sequence[str], names: Sequence[str] = (), claims: Sequence[str] = CLAIMS) -> list[str]:
    """Every ticket of an experiment, in the order of the report: baselines, what its claims need, others named."""
    wanted = [*ALWAYS, *(name for claim in CLAIMS if claim in claims for name in needed(claim, partitions)), *names]
    return list(dict.fromkeys(wanted))


def needed(claim: str, partitions: Sequence[str]) -> list[str]:
    """The tickets that a claim compares, baselines aside."""
    specialists = [f"specialist-{p}" for p in partitions]
    found = {
        "C1": [*CORE_CONTROLS, *(f"null-core-{p}@core" for p in partitions)],
        "C2": [
            *specialists,
            *(f"core+{s}" for s in specialists),
            *(f"null-{s}" for s in specialists),
            *(f"random@{s}" for s in specialists),
            *(f"core+random@core+{s}" for s in specialists),
        ],
        "C3": [*UNION_CONTROLS, *(f"null-union-{p}@union" for p in partitions)],
    }
    return found[claim]


def possible_names(partitions: Sequence[str]) -> list[str]:
    """Every ticket that an experiment can have, but for those that join several specialists."""
    whole = _plain_names(partitions)
    return [*whole, *(name for y in whole for name in _controls_of(y, partitions))]


def is_possible(name: str, partitions: Sequence[str]) -> bool:
    """Whether an experiment with these partitions can have a ticket of that name."""
    reference = name.rpartition("@")[2]
    chosen = [p for p in partitions if f"specialist-{p}" in reference.split("+")]
    # The core with all specialists of two partitions is the union.
    joins = (
        len(partitions) > 2
        and len(chosen) > 1
        and reference == "+".join(["core", *map("specialist-{}".format, chosen)])
    )
    return (joins or reference in _plain_names(partitions)) and name in (
        reference,
        *_controls_of(reference, partitions),
    )


def _plain_names(partitions: Sequence[str]) -> list[str]:
    """Tickets that are no controls x@y."""
    specialists = [f"specialist-{p}" for p in partitions]
    return [
        *ALWAYS,
        *specialists,
        *(f"core+{s}" for s in specialists),
        *(f"consensus-{k}" for k in range(2, len(partitions))),
        *(f"null-{s}" for s in specialists),
    ]


def _controls_of(reference: str, partitions: Sequence[str]) -> list[str]:
    """The matched controls that a ticket can have."""
    if reference in ALWAYS and reference not in ("core", "union"):
        return []
    methods = list(CONTROLS)
    if reference == "core":
        methods += [SAME_ROUNDS, *(f"null-core-{p}" for p in partitions)]
    if reference == "union":
        methods += [f"null-union-{p}" for p in partitions]
    if reference == "union" or reference.startswith(("core+", "consensus-")):
        methods.append("core+random")
    return [f"{method}@{reference}" for method in methods]


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


def specialise(partition: str, masks: Mapping[str, Mask]) -> Mask:
    """The partition's weights that no other partition kept."""
    return masks[partition] - union(mask for name, mask in masks.items() if name != partition)


def consensus(masks: Mapping[str, Mask], number: int) -> Mask:
    """Weights that at least ``number`` of the partitions kept."""
    first = next(iter(masks.values()))
    votes = np.sum([mask.flatten() for mask in masks.values()], axis=0)
    return first.unflatten(votes >= number, f"consensus-{number}")
