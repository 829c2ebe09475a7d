"""Modular assembly: puts networks together from trained weights of core and specialists, and makes masks to retrain.

Pure functions on arrays. `assemble` fits the readouts, `retrain_assembly` trains theta0 under the masks,
`evaluate_assemblies` scores both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dilt.assemblies.names import HEAD, LINEAR, MEAN, RETRAINED, THETA0, assembly_name, retrained_names, subsets
from dilt.foundations.randomness import generator
from dilt.foundations.storage import Tensors
from dilt.tickets.masks import Mask, intersection, specialise, union
from dilt.tickets.pattern import ANY, Pattern
from dilt.tickets.pruning import keep_largest, keep_largest_per_layer, magnitudes, random_like

Weights = Mapping[str, NDArray[np.floating]]
Piece = tuple[Weights, Mask]


@dataclass(frozen=True)
class Run:
    """A trajectory's mask, and the state of the network that was trained under it."""

    mask: Mask
    state: Weights


@dataclass(frozen=True)
class Assembly:
    """Prunable weights that are put into a network.

    Attributes:
        core_from: whose weights the core has: one partition's, or the ``mean`` of the networks whose masks it is the
            intersection of.
        network: the partition whose norms and biases the network has; None: that whose images are scored.
        weights: of ``mask``'s layers; pruned ones are zero.
        readouts: by the partition whose images are scored: ``head`` is its own, ``linear`` one fitted on frozen
            features.
    """

    name: str
    core_from: str
    network: str | None
    weights: Tensors
    mask: Mask
    readouts: Mapping[str, tuple[str, ...]]


def assemblies(
    runs: Mapping[str, Run],
    siblings: Mapping[str, Run],
    theta0: Weights,
    seed: int,
    pattern: Pattern = ANY,
) -> Iterator[Assembly]:
    """Every assembly that is scored on the images of each partition, one at a time.

    In the network of the partition that is scored, with a core whose weights are the mean of all partitions':

    - ``core``, and ``core+specialist-<p>...``, where specialists have the weights of their own networks: with each
      specialist, with all, and for few partitions with every subset;
    - ``core+random@core+specialist-<p>``: random weights with theta0's values, as many per layer as the specialist's;
    - ``core+part-specialist-<p>``, ``null-core-<p>`` and ``null-core-<p>+part-null-specialist-<p>``: see `_nulls`.

    In the same network, with a core whose weights are one partition's, read out by the network's head alone: ``core``
    and ``core+specialist-<p>``.

    In every partition's own network (see `_ablations`): ``intact``, ``intact-specialist``, ``intact-random``,
    ``intact-smallest``, ``intact-part-specialist``, ``intact-part-null-specialist``. Other partitions' networks are
    read out by a linear head alone, since their own heads know other classes.

    Args:
        runs: of every partition.
        siblings: of every partition, by the partition's name.
        theta0: prunable weights at initialisation.
        pattern: that the masks keep; an assembly of the core and one specialist keeps it, and so does its control.
    """
    core = intersection(run.mask for run in runs.values())
    specialists = {name: specialise(name, {name: run.mask for name, run in runs.items()}) for name in runs}
    everywhere, by_head = dict.fromkeys(runs, (HEAD, LINEAR)), dict.fromkeys(runs, (HEAD,))

    def specialist(name: str) -> Piece:
        return runs[name].state, specialists[name]

    mean = _mean(core, list(runs.values()))
    yield Assembly("core", MEAN, None, *_joined((mean, core)), everywhere)
    for chosen in subsets(list(runs)):
        pieces = (mean, core), *map(specialist, chosen)
        yield Assembly(assembly_name(chosen), MEAN, None, *_joined(*pieces), everywhere)
    for name in runs:
        drawn = random_addition(name, core, specialists[name], seed, pattern)
        pieces = (mean, core), (theta0, drawn)
        yield Assembly(f"core+random@{assembly_name([name])}", MEAN, None, *_joined(*pieces), everywhere)
    parts = {name: _parts(name, specialists[name], run.mask - siblings[name].mask, seed) for name, run in runs.items()}
    for name, run in runs.items():
        readouts = by_head | {name: (HEAD, LINEAR)}
        for null, null_pieces in _nulls(name, run, siblings[name], (mean, core), *parts[name]).items():
            yield Assembly(null, MEAN, None, *_joined(*null_pieces), readouts)
    for origin, run in runs.items():
        yield Assembly("core", origin, None, *_joined((run.state, core)), by_head)
        for name in runs:
            pieces = (run.state, core), specialist(name)
            yield Assembly(assembly_name([name]), origin, None, *_joined(*pieces), by_head)
    for origin, run in runs.items():
        readouts = dict.fromkeys(runs, (LINEAR,)) | {origin: (HEAD, LINEAR)}
        for name, mask in _ablations(origin, run, specialists[origin], *parts[origin], seed).items():
            yield Assembly(name, origin, origin, *_joined((run.state, mask)), readouts)


def scored(partitions: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Partition, assembly, core_from and readout of every score that there will be.

    Found by putting together networks of one weight, and from the list of those that are retrained.
    """
    one = Run(Mask.full({"layer": (1,)}), {"layer": np.ones(1)})
    runs = dict.fromkeys(partitions, one)
    found = list(assemblies(runs, runs, one.state, 0))
    joined = [
        (partition, assembly.name, assembly.core_from, readout)
        for partition in partitions
        for assembly in found
        for readout in assembly.readouts[partition]
    ]
    return joined + [(partition, name, THETA0, RETRAINED) for partition, name in retrained_names(partitions)]


def random_addition(partition: str, core: Mask, specialist: Mask, seed: int, pattern: Pattern = ANY) -> Mask:
    """Random weights outside the core, in every layer as many as the partition's specialist has.

    Together with the core they keep the pattern.
    """
    others, draws = Mask.full(core.shapes) - core, generator(seed, "assembly", partition)
    return random_like(specialist, draws, within=others, pattern=pattern.beside(core))


def retrained_mask(partition: str, assembly: str, masks: Mapping[str, Mask], seed: int, pattern: Pattern = ANY) -> Mask:
    """The mask of one of `retrained_names`.

    Args:
        masks: of every partition.

    Raises:
        ValueError: there is no such assembly.
    """
    core = intersection(masks.values())
    found = {"core": core, "union": union(masks.values())}
    found |= {assembly_name([name]): core | specialise(name, masks) for name in masks}
    if assembly == f"core+random@{assembly_name([partition])}":
        return core | random_addition(partition, core, specialise(partition, masks), seed, pattern)
    if assembly not in found:
        raise ValueError(f"no assembly '{assembly}' is retrained; there are {list(found)}")
    return found[assembly]


def _nulls(name: str, run: Run, sibling: Run, core: Piece, part: Mask, null_part: Mask) -> dict[str, list[Piece]]:
    """Assemblies to compare what a specialist adds to the core with what a null specialist adds to the null core.

    Both add equally many weights in every layer. The null core is what partition and sibling both kept, with the mean
    of both networks' weights, of which the largest are left, as many as the core has (all, should they agree on fewer);
    the null specialist is what the partition kept and its sibling did not. It is added to
    the null core, not to the core: with two partitions all of a network's weights outside the core are its specialist,
    so that no other trained weights are left to add there. If partitions differed no more than siblings do, both gains
    would be equal.

    Args:
        part, null_part: of specialist and null specialist, by `_parts`.
    """
    agreed = run.mask & sibling.mask
    weights = _mean(agreed, [run, sibling])
    null_core = keep_largest(magnitudes(weights, agreed), agreed, min(agreed.count, core[1].count))
    null = weights, null_core
    return {
        f"core+part-specialist-{name}": [core, (run.state, part)],
        f"null-core-{name}": [null],
        f"null-core-{name}+part-null-specialist-{name}": [null, (run.state, null_part)],
    }


def _ablations(name: str, run: Run, specialist: Mask, part: Mask, null_part: Mask, seed: int) -> dict[str, Mask]:
    """A partition's mask whole, without its specialist, and without as many other weights in every layer.

    The others are random weights of the mask, or its smallest. Specialist and null specialist are compared by parts of
    equal size, as in `_nulls`.
    """
    own = run.mask
    lost = random_like(specialist, generator(seed, "ablation", name), within=own)
    left = {layer: count - specialist.counts[layer] for layer, count in own.counts.items()}
    return {
        "intact": own,
        "intact-specialist": own - specialist,
        "intact-random": own - lost,
        "intact-smallest": keep_largest_per_layer(magnitudes(run.state, own), own, left),
        "intact-part-specialist": own - part,
        "intact-part-null-specialist": own - null_part,
    }


def _parts(name: str, specialist: Mask, null_specialist: Mask, seed: int) -> tuple[Mask, Mask]:
    """Parts of both with equally many weights in every layer, drawn at random from the one that has more there."""
    counts = {layer: min(count, null_specialist.counts[layer]) for layer, count in specialist.counts.items()}
    return _draw(specialist, counts, seed, "specialist", name), _draw(null_specialist, counts, seed, "null", name)


def _draw(mask: Mask, counts: Mapping[str, int], seed: int, *purpose: str) -> Mask:
    draws = generator(seed, "part", *purpose)
    return keep_largest_per_layer({name: draws.random(shape) for name, shape in mask.shapes.items()}, mask, counts)


def _mean(mask: Mask, runs: Sequence[Run]) -> Tensors:
    return {name: np.mean([run.state[name] for run in runs], axis=0) for name in mask.names}


def _joined(*pieces: Piece) -> tuple[Tensors, Mask]:
    """Weights of disjoint masks put together, and their mask."""
    first, _ = pieces[0]
    mask = union(mask for _, mask in pieces)
    together = {name: np.zeros_like(first[name]) for name in mask.names}
    for weights, piece in pieces:
        for name in mask.names:
            together[name][piece[name]] = weights[name][piece[name]]
    return together, mask
