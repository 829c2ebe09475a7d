"""How a network that was put together is read out: norms measured anew, and its own head or a linear one.

What is fitted is a few small tensors beside the network's own; which networks there are is told by `assembly`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dilt import models
from dilt.activations import features
from dilt.assembly import Assembly
from dilt.assembly_names import HEAD, LINEAR
from dilt.evaluation import logits, recalibrate
from dilt.probing import fit_probe
from dilt.storage import Tensors

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dilt.assembly import Run
    from dilt.datasets import Images
    from dilt.settings import Model

WEIGHT, BIAS = "linear head weight", "linear head bias"


@dataclass(frozen=True)
class Readout:
    """What reads a network out, beside its own weights.

    Attributes:
        tensors: statistics of batch norms; of a linear head its weight (num_classes, num_features) and bias too.
        penalty: inverse regularisation strength of the linear head, chosen on validation images; None without one.
    """

    tensors: Tensors
    penalty: float | None


def network(
    assembly: Assembly,
    settings: Model,
    data: Images,
    partition: str,
    runs: Mapping[str, Run],
    theta0: Tensors,
    seed: int,
) -> nn.Module:
    """The network of an assembly for a partition's images: with the partition's own head, if it has its norms too."""
    model = models.build(settings, data.image_shape, data.classes, seed, theta0)
    state = {**runs[assembly.network].state, **assembly.weights}
    if assembly.network == partition:
        models.load_state(model, state)
    else:
        models.load_backbone(model, state)
    return model


def fit(
    model: nn.Module,
    readouts: Sequence[str],
    train: Images,
    validation: Images,
    penalties: Sequence[float],
    device: torch.device,
    precision: str,
) -> dict[str, Readout]:
    """Measure batch norms anew, in place, and fit linear heads, on training images; penalties on validation images."""
    recalibrate(model, train, device)
    measured = _statistics(model)
    found = {HEAD: Readout(measured, None)} if HEAD in readouts else {}
    if LINEAR in readouts:
        seen, held_out = (features(model, data, device, precision) for data in (train, validation))
        probe = fit_probe(seen, train.labels, held_out, validation.labels, penalties)
        weight, bias = probe.layer()
        found[LINEAR] = Readout(measured | {WEIGHT: weight, BIAS: bias}, probe.penalty)
    return found


def outputs(
    model: nn.Module, tensors: Tensors, data: Images, device: torch.device, precision: str
) -> NDArray[np.floating]:
    """Outputs (num_images, num_classes) of a network by what `fit` found for it, in place."""
    import torch

    measured = {name: torch.from_numpy(array) for name, array in tensors.items() if name not in (WEIGHT, BIAS)}
    model.load_state_dict(measured, strict=False)
    if WEIGHT not in tensors:
        return logits(model, data, device, precision)
    return features(model, data, device, precision) @ tensors[WEIGHT].T + tensors[BIAS]


def _statistics(model: nn.Module) -> Tensors:
    """Running means and variances of batch norms."""
    return {
        name: array for name, array in models.state(model).items() if name.rpartition(".")[2].startswith("running_")
    }
