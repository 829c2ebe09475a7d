"""Readouts of assembled networks: batch norms measured anew, and the network's own head or a linear head.

A readout is a few small tensors beside the network's own. `joining` puts the networks together. Several networks see
images side by side, where reading these costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dilt.assemblies.joining import Assembly
from dilt.assemblies.names import HEAD, LINEAR
from dilt.foundations.storage import Tensors
from dilt.networks import readings, states
from dilt.networks.linear_heads import fit_linear_head
from dilt.networks.shells import Shells, side_by_side
from dilt.settings.evaluation import CLEAN

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dilt.assemblies.joining import Run
    from dilt.assemblies.reading import Inputs
    from dilt.data.prepared import Images

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


def at_a_time(inputs: Inputs, data: Images, device: torch.device) -> int:
    """How many assemblies are put together at a time, to see the images of each partition side by side.

    Args:
        data: images that features are computed of.
    """
    from dilt.data.batches import reading_costs

    if not reading_costs(data, device):
        return 1
    network = sum(array.nbytes for array in inputs.theta0.values())
    of_heads = (array for run in inputs.runs.values() for name, array in run.state.items() if name not in inputs.theta0)
    widest = max((array.shape[1] for array in of_heads if array.ndim > 1), default=0)
    return side_by_side((len(inputs.runs) + 2) * network + 4 * widest * len(data))


def network(
    assembly: Assembly,
    shells: Shells,
    classes: Sequence[str],
    partition: str,
    runs: Mapping[str, Run],
    seed: int,
    place: int = 0,
) -> nn.Module:
    """The network of an assembly, for a partition's classes; with that partition's head if it has its norms too.

    Args:
        place: in the shells.
    """
    own = assembly.network or partition
    state = {**runs[own].state, **assembly.weights}
    if own == partition:
        return shells.with_state(state, classes, place)
    return shells.with_backbone(state, classes, seed, place)


def fit(
    networks: Sequence[tuple[nn.Module, Sequence[str]]],
    train: Images,
    validation: Images,
    penalties: Sequence[float],
    device: torch.device,
    precision: str,
) -> Iterator[dict[str, Readout]]:
    """Measure batch norms anew, in place, and fit linear heads; validation images choose the penalties.

    Args:
        networks: each with its readouts.
    """
    readings.recalibrate([model for model, _ in networks], train, device)
    linear = [(model, readings.features) for model, readouts in networks if LINEAR in readouts]
    seen, held_out = (iter(readings.read(linear, data, device, precision)) for data in (train, validation))
    for model, readouts in networks:
        measured = _statistics(model)
        found = {HEAD: Readout(measured, None)} if HEAD in readouts else {}
        if LINEAR in readouts:
            (features,), (validating,) = next(seen)[CLEAN], next(held_out)[CLEAN]
            head = fit_linear_head(features, train.labels, validating, validation.labels, penalties, device)
            found[LINEAR] = Readout(measured | {WEIGHT: head.weight, BIAS: head.bias}, head.penalty)
        yield found


def outputs(
    networks: Sequence[tuple[nn.Module, Mapping[str, Tensors]]], data: Images, device: torch.device, precision: str
) -> Iterator[dict[str, NDArray[np.floating]]]:
    """Outputs (num_images, num_classes) of networks, by readout; one look at the images is enough for all.

    Args:
        networks: each with the tensors that `fit` found for its readouts. Statistics of norms are put in place.
    """
    import torch

    for model, fitted in networks:
        measured = {name: array for tensors in fitted.values() for name, array in tensors.items()}
        statistics = {name: torch.from_numpy(array) for name, array in measured.items() if name not in (WEIGHT, BIAS)}
        model.load_state_dict(statistics, strict=False)
    readers = [readings.features_and_outputs if LINEAR in fitted else readings.outputs for _, fitted in networks]
    asked = [(model, reader) for (model, _), reader in zip(networks, readers, strict=True)]
    for (_, fitted), reading in zip(networks, readings.read(asked, data, device, precision), strict=True):
        features, own = reading[CLEAN][0], reading[CLEAN][-1]
        yield {
            readout: own if readout == HEAD else features @ tensors[WEIGHT].T + tensors[BIAS]
            for readout, tensors in fitted.items()
        }


def _statistics(model: nn.Module) -> Tensors:
    """Running means and variances of batch norms."""
    return {
        name: array for name, array in states.state(model).items() if name.rpartition(".")[2].startswith("running_")
    }
