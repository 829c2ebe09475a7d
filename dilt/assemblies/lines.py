"""Scores the networks on straight lines between trained networks; `barriers` has what follows from the scores.

Batch norms of each network on a line are measured anew on training images, those of the ends too, since the average of
two networks' statistics is not that of their average. Errors are measured on validation images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from dilt.assemblies.barriers import Curve, Floats, between
from dilt.assemblies.names import OF_PARTITIONS, OF_SIBLINGS
from dilt.foundations.randomness import generator
from dilt.foundations.storage import Tensors
from dilt.networks import building, states
from dilt.networks.architectures import heads
from dilt.networks.outputs import logits, score
from dilt.networks.readings import recalibrate
from dilt.tickets.trajectories import sibling

if TYPE_CHECKING:
    import torch

    from dilt.data.partitions import Partitions
    from dilt.data.prepared import Images
    from dilt.settings.networks import Model

NORM_IMAGES = 8192  # training images, at most, on which batch norms are measured anew


@dataclass(frozen=True)
class Judge:
    """What the networks on lines are built from and judged by.

    Attributes:
        train: images on which batch norms are measured.
        validation: images on which errors are measured.
    """

    settings: Model
    train: Images
    validation: Images
    seed: int
    device: torch.device
    precision: str

    def scores(
        self, first: Tensors, second: Tensors, alphas: Floats, classes: Sequence[str], own_head: bool = False
    ) -> Floats:
        """Errors and losses of the networks on a line: (2, points).

        Args:
            classes: those of the first network's head, on whose images all are scored.
            own_head: whether the head is the first's all along, as it must be if the second's has other classes.
        """
        train, validation = (split.restrict(classes) for split in (self.train, self.validation))
        drawn = generator(self.seed, "norms", *classes).permutation(len(train))[:NORM_IMAGES]
        model = building.build(self.settings, train.image_shape, classes, self.seed, first)
        kept = heads(model) if own_head else ()
        found = []
        for alpha in alphas.tolist():
            states.load_state(model, between(first, second, alpha, kept))
            recalibrate([model], train.take(drawn), self.device)
            at = score(logits(model, validation, self.device, self.precision), validation.labels)
            found.append((1 - at.accuracy, at.loss))
        return np.array(found).T


def curves(networks: Mapping[str, Tensors], partitions: Partitions, alphas: Floats, judge: Judge) -> Iterator[Curve]:
    """The lines from each partition's network to its sibling's, then those between every two partitions'.

    Args:
        networks: trained states by trajectory: of each partition and each sibling.
        partitions: the classes of each.
    """
    images = {name: len(judge.validation.restrict(classes)) for name, classes in partitions.items()}
    for name, classes in partitions.items():
        other = sibling(name)
        errors, losses = judge.scores(networks[name], networks[other], alphas, classes)
        yield Curve(
            OF_SIBLINGS, name, other, alphas, np.stack([errors, errors]), np.stack([losses, losses]), images[name]
        )
    for first, second in combinations(partitions, 2):
        there = judge.scores(networks[first], networks[second], alphas, partitions[first], own_head=True)
        back = judge.scores(networks[second], networks[first], 1 - alphas, partitions[second], own_head=True)
        errors, losses = np.stack([there, back], axis=1)
        yield Curve(OF_PARTITIONS, first, second, alphas, errors, losses, images[first] + images[second])
