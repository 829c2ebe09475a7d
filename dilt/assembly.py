"""Modular assembly: networks put together from trained weights of core and specialists, without retraining.

The weights of a partition's network are those trained under its mask. Pure functions on arrays; `assemble` scores
the results.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dilt.masks import Mask, intersection
from dilt.pruning import random_like
from dilt.randomness import generator
from dilt.storage import Tensors
from dilt.tickets import specialise

Weights = Mapping[str, NDArray[np.floating]]


def assemblies(
    partition: str, masks: Mapping[str, Mask], trained: Mapping[str, Weights], theta0: Weights, seed: int
) -> dict[str, tuple[Tensors, Mask]]:
    """Every assembly that is put into the network of one partition, by name: its weights and its mask.

    The core's weights are the mean over the partitions' networks; a specialist's are those of its own network; random
    weights, as many per layer as the partition's specialist, keep theta0's values. Ablations start from the
    partition's own trained network and lose its specialist, or as many random weights per layer.

    Args:
        masks: mask of each partition.
        trained: prunable weights of each partition's network, trained under its mask.
        theta0: prunable weights at initialisation.

    Returns:
        ``intact``, ``intact-specialist``, ``intact-random``, ``core``, ``core+specialist-<q>`` for every partition
        q, and ``core+random``.
    """
    core = intersection(masks.values())
    own = masks[partition]
    specialists = {name: specialise(name, masks) for name in masks}
    elsewhere = Mask.full(core.shapes) - core
    count = specialists[partition]
    lost = random_like(count, generator(seed, "ablation", partition), within=own)
    drawn = random_like(count, generator(seed, "assembly", partition), within=elsewhere)

    mean = {name: np.mean([weights[name] for weights in trained.values()], axis=0) for name in core.names}
    made = {
        "intact": (_masked(trained[partition], own), own),
        "intact-specialist": (_masked(trained[partition], own - count), own - count),
        "intact-random": (_masked(trained[partition], own - lost), own - lost),
        "core": (_masked(mean, core), core),
    }
    for name, specialist in specialists.items():
        made[f"core+specialist-{name}"] = (_joined(mean, core, trained[name], specialist), core | specialist)
    made["core+random"] = (_joined(mean, core, theta0, drawn), core | drawn)
    return made


def _masked(weights: Weights, mask: Mask) -> Tensors:
    return {name: np.where(mask[name], weights[name], 0).astype(weights[name].dtype) for name in mask.names}


def _joined(core_weights: Weights, core: Mask, other_weights: Weights, other: Mask) -> Tensors:
    first, second = _masked(core_weights, core), _masked(other_weights, other)
    return {name: first[name] + second[name] for name in core.names}
