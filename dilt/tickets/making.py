"""Tickets: masks made from the trajectories' masks by set algebra, and controls of exactly matched size.

A ticket is a mask with theta0; training it is left to `train_ticket`. Sources: COLT, arXiv 2212.12770; DiLT,
arXiv 2508.16915; shuffled masks and other initialisations, arXiv 1803.03635 and 2009.08576.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dilt.foundations.randomness import generator
from dilt.tickets.algebra import Expression, evaluate
from dilt.tickets.ladders import ConsensusLadder, Ladder, Run, Without, match
from dilt.tickets.masks import Mask, intersection, specialise, union
from dilt.tickets.matching import nearest, scaled
from dilt.tickets.names import (
    CONSENSUS,
    CRITERIA,
    NULL_CORE,
    NULL_SPECIALIST,
    NULL_UNION,
    REINITIALISED,
    SPECIALIST,
    SPLIT_CORE,
    SPLIT_UNION,
    WITH_NULL,
    WITH_SPECIALIST,
    TicketName,
)
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import (
    Saliencies,
    Scope,
    Weights,
    draw,
    keep_largest_per_layer,
    magnitudes,
    prune_to_count,
    random_like,
    shuffle_units,
)
from dilt.tickets.selection import SAME_ROUNDS
from dilt.tickets.trajectories import FULL, sibling


@dataclass(frozen=True)
class Material:
    """What the tickets of one round are made from.

    Attributes:
        partitions: each partition's trajectory, by partition name.
        siblings: each partition's sibling, by partition name.
        lth: the full trajectory.
        same_rounds: the full trajectory pruned to the core's size of a round in as many rounds, by that round; only
            of rounds that have a ticket made from it.
        colt: the cyclic coupling; its masks are the consensus of each round.
        theta0: prunable weights at initialisation, by layer.
        round: the round, 1 or later.
        scope: how the trajectories were pruned; matched controls follow it.
        seed: seed of the random controls.
        splits: trajectories on random parts of the images; empty if no ticket comes from them.
        saliencies: of theta0's weights, by criterion; empty if no ticket comes from them.
        defined: what each ticket of the user's own is made of, by name.
        effective: gives a mask's weights on a path from an input to an output, if controls are matched by their number;
            None: by the number of weights.
        pattern: that the trajectories' masks keep; controls keep what their reference keeps of it.
    """

    partitions: Mapping[str, Run]
    siblings: Mapping[str, Run]
    lth: Ladder
    same_rounds: Mapping[int, Ladder]
    colt: Ladder
    theta0: Weights
    round: int
    scope: Scope
    seed: int
    splits: Sequence[Run] = ()
    saliencies: Mapping[str, Saliencies] = field(default_factory=dict)
    defined: Mapping[str, Expression] = field(default_factory=dict)
    effective: Callable[[Mask], Mask] | None = None
    pattern: Pattern = ANY


def make_tickets(material: Material, names: Sequence[str]) -> dict[str, Mask]:
    """The tickets of one round, by name, in the order given."""
    make = maker(material, names)
    return {name: make(name) for name in names}


def maker(material: Material, names: Sequence[str]) -> Callable[[str], Mask]:
    """What makes any of these tickets of one round, from any thread; what they share is made at once."""
    masks = {name: run.mask(material.round) for name, run in material.partitions.items()}
    core = intersection(masks.values())
    parsed = {name: TicketName.parse(name) for name in names}
    references = dict.fromkeys(name.reference for name in parsed.values() if name.reference)
    shared = {name: plain_ticket(name, masks, material) for name in references}

    def make(text: str) -> Mask:
        name = parsed[text]
        if name.reference:
            mask = control(name, shared[name.reference], core, material)
        else:
            mask = shared[name] if name in shared else plain_ticket(name, masks, material)
        return mask.with_origin(f"{text} round {material.round}")

    return make


def plain_ticket(name: TicketName, masks: Mapping[str, Mask], material: Material) -> Mask:
    """A ticket that is no control ``x@y``, from the masks of the partitions."""
    if name.method in material.defined:
        return defined_ticket(name.method, material)
    core = intersection(masks.values())
    specialists = [specialise(partition, masks) for partition in name.partitions]
    methods: dict[str, Callable[[], Mask]] = {
        "dense": lambda: Mask.full(core.shapes),
        "lth": lambda: material.lth.mask(material.round),
        "random": lambda: random_like(
            material.lth.mask(material.round), _draws(name, material), pattern=material.pattern
        ),
        "colt": lambda: material.colt.mask(material.round),
        "core": lambda: core,
        "union": lambda: union(masks.values()),
        CONSENSUS: lambda: consensus(masks, name.votes or len(masks)),
        SPECIALIST: lambda: union(specialists),
        WITH_SPECIALIST: lambda: union([core, *specialists]),
        NULL_SPECIALIST: lambda: union(masks[p] - material.siblings[p].mask(material.round) for p in name.partitions),
    }
    return methods[name.method]()


def defined_ticket(name: str, material: Material) -> Mask:
    """A ticket of the user's own, at the round of the material; it may be empty."""
    return evaluate(
        material.defined[name],
        lambda part, round_: named_mask(part, replace(material, round=material.round if round_ is None else round_)),
    )


def require_weights(name: str, mask: Mask, material: Material) -> None:
    """Make sure that a ticket, should it be of the user's own, can be trained.

    Raises:
        ValueError: it keeps no weight.
    """
    if name in material.defined and mask.count == 0:
        raise ValueError(
            f"tickets.define.{name}: '{material.defined[name]}' keeps no weight after round {material.round} (seed "
            f"{material.seed}), so there is nothing to train; define it otherwise, or leave that round out of "
            "tickets.rounds"
        )


def named_mask(name: str, material: Material) -> Mask:
    """What a name in the definition of a ticket stands for: the mask of a trajectory or of a ticket."""
    runs = {
        **material.partitions,
        **{sibling(partition): run for partition, run in material.siblings.items()},
        FULL: material.lth,
    }
    return runs[name].mask(material.round) if name in runs else make_tickets(material, [name])[name]


def control(name: TicketName, reference: Mask, core: Mask, material: Material) -> Mask:
    """The matched control ``x@y``, of exactly the number of weights of the mask of y.

    If ``material.effective`` is given, it has instead the number of weights at which it has as many effective ones as
    y, or nearly (`matching.nearest`). Re-initialised tickets have y's mask and so both of its numbers. Shuffled ones
    have y's numbers in every layer, output and input, which is what they are for: they stay matched by weights.

    All keep the material's pattern if y does; else they go no further beyond it than y (`Pattern.loosened`).
    """
    if name.method == REINITIALISED:
        return reference
    if name.method == "shuffled":
        return shuffle_units(reference, _draws(name, material), pattern=material.pattern)
    pattern = material.pattern.loosened(reference)
    bring = _brought(name, reference, core, material, pattern)
    if material.effective is None:
        return bring(reference.count)
    least = core.count if name.method in ("core+random", WITH_NULL) else 0
    most = sum(pattern.room(Mask.full(reference.shapes)).values())
    return nearest(bring, material.effective(reference).count, (least, most), material.effective)


def _brought(
    name: TicketName, reference: Mask, core: Mask, material: Material, pattern: Pattern
) -> Callable[[int], Mask]:
    """What makes a control of any number of weights within a pattern.

    Those that have y's number in every layer keep the proportion of y's layers.
    """
    dense = Mask.full(reference.shapes)

    def with_random(count: int) -> Mask:
        beside, added, others = pattern.beside(core), reference - core, dense - core
        counts = scaled(added.counts, beside.room(others), count - core.count)
        return core | draw(counts, others, _draws(name, material), pattern=beside)

    def random(count: int) -> Mask:
        counts = scaled(reference.counts, pattern.room(dense), count)
        return draw(counts, dense, _draws(name, material), pattern=pattern)

    def largest_at_start(count: int) -> Mask:
        saliencies = magnitudes(material.theta0, dense)
        counts = scaled(reference.counts, pattern.room(dense), count)
        return keep_largest_per_layer(saliencies, pattern.narrowed(saliencies, dense), counts)

    methods: dict[str, Callable[[int], Mask]] = {
        "random": random,
        "core+random": with_random,
        "initial-magnitude": largest_at_start,
    }
    if name.method in methods:
        return methods[name.method]
    if name.method in CRITERIA:
        saliencies = material.saliencies[name.method]
        return lambda count: prune_to_count(saliencies, dense, count, material.scope, pattern=pattern)
    if name.method in (NULL_SPECIALIST, WITH_NULL):
        return _null_of(name, core, material, pattern)
    ladder = _ladder(name, material)
    return lambda count: match(ladder, count, material.scope, pattern)


def _null_of(name: TicketName, core: Mask, material: Material, pattern: Pattern) -> Callable[[int], Mask]:
    """What makes the null specialist of any number of weights, by itself or joined to the core.

    Partition and sibling are exchangeable. By itself the null specialist is what the partition kept and its sibling did
    not. Joined to the core it is what the sibling kept and the partition did not: with two partitions, all that the
    partition kept outside the core is its specialist. Should that be fewer weights, those come next that the same run
    would have kept next: never what both kept, which is where a specialist is if there is one.
    """
    (partition,) = name.partitions
    own, sibling_ = material.partitions[partition], material.siblings[partition]
    joined = name.method == WITH_NULL
    first, second = (sibling_, own) if joined else (own, sibling_)
    kept = core if joined else core - core
    differing, beside = Without(first, second.mask(material.round)), pattern.beside(kept)
    most = sum(beside.room(differing.mask(0)).values())
    return lambda count: kept | match(differing, min(count - kept.count, most), material.scope, beside)


def _ladder(name: TicketName, material: Material) -> Ladder:
    """The pruning run that a control is taken from."""
    if name.method in (NULL_CORE, NULL_UNION):
        (partition,) = name.partitions
        own, sibling = material.partitions[partition], material.siblings[partition]
        return ConsensusLadder([own, sibling], agree=name.method == NULL_CORE)
    if name.method in (SPLIT_CORE, SPLIT_UNION):
        return ConsensusLadder(material.splits, agree=name.method == SPLIT_CORE)
    if name.method == SAME_ROUNDS:
        return material.same_rounds[material.round]
    return {"lth": material.lth, "colt": material.colt}[name.method]


def _draws(name: TicketName, material: Material) -> np.random.Generator:
    return generator(material.seed, "ticket", str(name), material.round)


def consensus(masks: Mapping[str, Mask], number: int) -> Mask:
    """Weights that at least ``number`` of the partitions kept."""
    first = next(iter(masks.values()))
    votes = np.sum([mask.flatten() for mask in masks.values()], axis=0)
    return first.unflatten(votes >= number, f"consensus-{number}")
