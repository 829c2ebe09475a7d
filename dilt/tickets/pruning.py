"""Magnitude pruning: from weights and a mask to a sparser mask, exact to the weight, ties included.

Pure functions on NumPy arrays. Rounds and rewinding are left to the workflow, tickets to `making`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dilt.tickets.masks import BoolArray, Mask
from dilt.tickets.pattern import ANY, Pattern

Scope = Literal["global", "layerwise"]
Weights = Mapping[str, NDArray[np.floating]]  # by layer
Saliencies = Mapping[str, NDArray[np.floating]]  # how much each weight matters: the smallest are pruned


def prune(weights: Weights, mask: Mask, rate: float, scope: Scope, origin: str = "", pattern: Pattern = ANY) -> Mask:
    """Remove the share ``rate`` of the live weights that is smallest in magnitude (Frankle & Carbin 2019, IMP).

    A mask that breaks the pattern, as the dense one does, is brought to it instead: the largest weights of each group
    are kept, as many as the pattern allows. What is pruned later keeps it.

    Args:
        weights: layer name to trained weight, of the mask's shapes.
        mask: weights that live so far; the result is nested in it.
        rate: fraction of the live weights to remove, between 0 and 1.
        scope: ``global`` ranks all layers together, ``layerwise`` takes the rate from each layer.

    Raises:
        ValueError: a weight is not a finite number.
    """
    saliencies = magnitudes(weights, mask)
    if not pattern.kept_by(mask):
        return pattern.narrowed(saliencies, mask).with_origin(origin)
    if scope == "layerwise":
        return keep_largest_per_layer(saliencies, mask, {n: _kept(c, rate) for n, c in mask.counts.items()}, origin)
    return keep_largest(saliencies, mask, _kept(mask.count, rate), origin)


def prune_to_count(
    weights: Weights, mask: Mask, count: int, scope: Scope, origin: str = "", pattern: Pattern = ANY
) -> Mask:
    """Keep exactly ``count`` of the live weights, the largest in magnitude of those that the pattern lets live.

    With ``layerwise`` scope every layer gives up the same share, rounded by largest remainder.

    Raises:
        ValueError: the mask has fewer than ``count`` such weights, or a weight is not finite.
    """
    if scope == "global" and pattern == ANY:
        return _keep_largest_live(weights, mask, count, origin)
    saliencies = magnitudes(weights, mask)
    mask = pattern.narrowed(saliencies, mask)
    if scope == "global":
        return keep_largest(saliencies, mask, count, origin)
    if count > mask.count:
        raise ValueError(f"{count} weights to keep, but only {mask.count} are live")
    return keep_largest_per_layer(saliencies, mask, apportion(mask.counts, count), origin)


def count_on_the_way(size: int, last: int, round_: int, rounds: int, pattern: Pattern = ANY) -> int:
    """Live weights after a round of a run that leaves ``last`` of ``size`` in ``rounds`` rounds of one rate.

    Under a pattern the first round leaves what the pattern allows, as the first of any run does; with one round, the
    last's number.
    """
    if pattern.most < pattern.group and rounds > 1:
        size, round_, rounds = size * pattern.most // pattern.group, round_ - 1, rounds - 1
    share: float = (last / size) ** (round_ / rounds)
    return round(size * share)


def apportion(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """Whole numbers in proportion to ``counts`` that add up to ``total`` (largest remainder)."""
    whole = sum(counts.values())
    shares = {name: count * total / whole if whole else 0.0 for name, count in counts.items()}
    found = {name: int(share) for name, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: found[name] - shares[name])
    for name in by_remainder[: total - sum(found.values())]:
        found[name] += 1
    return found


def magnitudes(weights: Weights, mask: Mask) -> dict[str, NDArray[np.floating]]:
    """Absolute values of the weights that the mask covers, checked to be finite."""
    saliencies = {name: np.abs(weights[name]) for name in mask.names}
    for name, saliency in saliencies.items():
        if not np.isfinite(saliency.max(initial=0)):  # a maximum is nan where any value is
            raise ValueError(f"weights of layer '{name}' are not finite; training diverged, so nothing can be pruned")
    return saliencies


def _magnitudes_at(weights: Weights, positions: NDArray[np.intp] | slice, names: Sequence[str]) -> NDArray[np.floating]:
    """Absolute values of some weights of some layers, by ascending positions counted through the layers, or of all.

    They are not checked to be finite.
    """
    flat = [weights[name].ravel() for name in names]
    if not isinstance(positions, slice):
        ends = np.cumsum([len(values) for values in flat])
        pieces = np.split(positions, np.searchsorted(positions, ends[:-1]))
        flat = [values[piece - start] for values, piece, start in zip(flat, pieces, (0, *ends), strict=False)]
    found: NDArray[np.floating] = np.concatenate(flat)
    np.abs(found, out=found)
    return found


def _keep_largest_live(weights: Weights, mask: Mask, count: int, origin: str) -> Mask:
    """`keep_largest` by magnitude, of which only the live weights' are computed."""
    live = _positions(mask.flatten())
    values = _magnitudes_at(weights, live, mask.names)
    if not np.isfinite(values.max(initial=0)):
        magnitudes(weights, mask)  # raises the error, which names the layer
    kept = np.zeros(mask.size, dtype=np.bool_)
    kept[live] = _first_largest(values, count)
    return mask.unflatten(kept, origin)


def keep_largest(saliencies: Saliencies, mask: Mask, count: int, origin: str = "") -> Mask:
    """The ``count`` live weights with the largest saliencies over all layers; of equal ones, those that come first."""
    flat = np.concatenate([saliencies[name].ravel() for name in mask.names])
    return mask.unflatten(_largest(flat, mask.flatten(), count), origin)


def keep_largest_per_layer(saliencies: Saliencies, mask: Mask, counts: Mapping[str, int], origin: str = "") -> Mask:
    """In every layer as many live weights as ``counts`` says, those with the largest saliencies."""
    return Mask.of_own(
        {
            name: _largest(saliencies[name].ravel(), mask[name].ravel(), counts[name]).reshape(mask[name].shape)
            for name in mask.names
        },
        origin,
    )


def random_like(
    mask: Mask,
    generator: np.random.Generator,
    within: Mask | None = None,
    origin: str = "",
    pattern: Pattern = ANY,
) -> Mask:
    """Random weights, in every layer exactly as many as ``mask`` keeps, drawn from ``within`` (default: from all).

    Raises:
        ValueError: a layer of ``within`` has too few weights that the pattern lets live.
    """
    return draw(mask.counts, within or Mask.full(mask.shapes), generator, origin, pattern)


def draw(
    counts: Mapping[str, int],
    within: Mask,
    generator: np.random.Generator,
    origin: str = "",
    pattern: Pattern = ANY,
) -> Mask:
    """Random weights of ``within``, in every layer as many as ``counts`` says; smaller draws are nested in larger ones.

    Under a pattern, random numbers are pruned as magnitudes are: the largest of each group are left, and of these the
    largest of the layer. All weights that are in groups alike are equally likely.

    Raises:
        ValueError: a layer of ``within`` has too few weights that the pattern lets live.
    """
    saliencies = {name: generator.random(shape) for name, shape in within.shapes.items()}
    return keep_largest_per_layer(saliencies, pattern.narrowed(saliencies, within), counts, origin)


def shuffle_units(mask: Mask, generator: np.random.Generator, origin: str = "", pattern: Pattern = ANY) -> Mask:
    """Every layer's mask with its outputs and inputs in random order, drawn for each layer by itself.

    Numbers of live weights per output and per input stay the same, as multisets; kernels stay whole. What is lost is
    which units have them, and so how layers fit together. Under a pattern, inputs of a group stay together: groups are
    in random order, and so are a group's inputs, so that as many groups as before have any number of live weights.
    """
    shuffled = {}
    for name, kept in mask.layers.items():
        outputs, groups = (generator.permutation(size) for size in (len(kept), kept.shape[1] // pattern.group))
        inputs = groups[:, None] * pattern.group + np.arange(pattern.group)
        if pattern.group > 1:
            inputs = generator.permuted(inputs, axis=1)
        shuffled[name] = kept[outputs][:, inputs.ravel()]
    return Mask(shuffled, origin)


def _largest(saliencies: NDArray[np.floating], live: BoolArray, count: int) -> BoolArray:
    """Which ``count`` of the live entries have the largest saliencies; shapes (size,)."""
    positions = _positions(live)
    kept = np.zeros(len(live), dtype=np.bool_)
    kept[positions] = _first_largest(saliencies[positions], count)
    return kept


def _positions(live: BoolArray) -> NDArray[np.intp] | slice:
    """Where entries live, which takes them several times as fast as booleans do."""
    return slice(None) if live.all() else np.flatnonzero(live)


def _first_largest(values: NDArray[np.floating], count: int) -> BoolArray:
    """Which ``count`` of the entries are the largest; of equal ones, the first. Shape (size,). Linear in size."""
    size = len(values)
    if count > size:
        raise ValueError(f"{count} weights to keep, but only {size} are live")
    if count in (0, size):
        return np.full(size, count > 0)
    threshold = np.partition(values, size - count)[size - count]
    kept: BoolArray = values >= threshold
    if more := int(np.count_nonzero(kept)) - count:
        ties = np.flatnonzero(values == threshold)
        kept[ties[len(ties) - more :]] = False
    return kept


def _kept(live: int, rate: float) -> int:
    return live - round(live * rate)
