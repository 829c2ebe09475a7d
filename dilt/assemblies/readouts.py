"""Readouts of assembled networks: batch norms measured anew, and the network's own head or a linear head.

A readout is a few small tensors beside the network's own. `joining` puts the networks together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dilt.assemblies.joining import Assembly
from dilt.assemblies.names import HEAD, LINEAR
from dilt.foundations.storage import Tensors
from dilt.networks import building, states
from dilt.networks.features import features
from dilt.networks.linear_heads import fit_linear_head
from dilt.networks.outputs import logits, recalibrate

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dilt.assemblies.joining import Run
    from dilt.data.prepared import Images
    from dilt.settings.networks import Model

WEIGHT, BIAS = "linear head weight", "linear head bias"


@dataclass(frozen=True)
class Readout:
    """What reads a network out, beside its own weights.

    Attributes:
        tensors: statistics of batch norms; with a linear head also its weight (num_classes, num_features) and bias.
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
    """The network of an assembly, for a partition's images; with that partition's head if it has its norms too."""
    model = building.build(settings, data.image_shape, data.classes, seed, theta0)
    state = {**runs[assembly.network].state, **assembly.weights}
    if assembly.network == partition:
        states.load_state(model, state)
    else:
        states.load_backbone(model, state)
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
    """Measure batch norms anew, in place, and fit linear heads; validation images choose the penalties."""
    recalibrate(model, train, device)
    measured = _statistics(model)
    found = {HEAD: Readout(measured, None)} if HEAD in readouts else {}
    if LINEAR in readouts:
        seen, held_out = (features(model, data, device, precision) for data in (train, validation))
        head = fit_linear_head(seen, train.labels, held_out, validation.labels, penalties)
        weight, bias = head.layer()
        found[LINEAR] = Readout(measured | {WEIGHT: weight, BIAS: bias}, head.penalty)
    return found


def outputs(
    model: nn.Module, tensors: Tensors, data: Images, device: torch.device, precision: str
) -> NDArray[np.floating]:
    """Outputs (num_images, num_classes) of a network with the readout that `fit` found, which is put in place."""
    import torch

    measured = {name: torch.from_numpy(array) for name, array in tensors.items() if name not in (WEIGHT, BIAS)}
    model.load_state_dict(measured, strict=False)
    if WEIGHT not in tensors:
        return logits(model, data, device, precision)
    return features(model, data, device, precision) @ tensors[WEIGHT].T + tensors[BIAS]


def _statistics(model: nn.Module) -> Tensors:
    """Running means and variances of batch norms."""
    return {
        name: array for name, array in states.state(model).items() if name.rpartition(".")[2].startswith("running_")
    }
