"""Facts about networks on lines: where a network meets itself there is no barrier, where a permuted twin, there is.

Images are labelled by the networks themselves, so that every network is always right about its own.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, RESNET

from dilt.assemblies.barriers import Curve
from dilt.assemblies.lines import Judge, curves
from dilt.data.prepared import Images
from dilt.foundations.storage import Tensors
from dilt.networks import building, states
from dilt.networks.outputs import logits
from dilt.settings.networks import Model
from dilt.tickets.trajectories import sibling

MLP = Model(name="mlp", arguments={"width": 16, "depth": 3})
ALPHAS = np.linspace(0, 1, 5)
PARTITIONS = {name: [f"{name} {index}" for index in range(4)] for name in ("low", "high")}
CLASSES = tuple(name for members in PARTITIONS.values() for name in members)
NOISE = replace(images(per_class=200, num_classes=1, side=4), mean=(0.25,), std=(0.15,))


def answers(name: str, state: Tensors) -> np.ndarray:
    """Logits of a partition's network on the noise."""
    model = building.build(MLP, NOISE.image_shape, PARTITIONS[name], 0, state)
    states.load_state(model, state)
    return logits(model, NOISE, CPU, "float32")


def network(name: str) -> Tensors:
    """A network of random weights whose answers are spread over its partition's classes."""
    state = states.state(building.build(MLP, NOISE.image_shape, PARTITIONS[name], seed=len(name)))
    return state | {"head.bias": state["head.bias"] - answers(name, state).mean(axis=0)}


NETWORKS = {name: network(name) for name in PARTITIONS}
LOW, HIGH = (answers(name, state).argmax(axis=1) for name, state in NETWORKS.items())
PICTURES = Images(
    np.concatenate([NOISE.pixels, NOISE.pixels]), np.concatenate([LOW, HIGH + 4]), CLASSES, NOISE.mean, NOISE.std
)


def judge(settings: Model = MLP, data: Images = PICTURES) -> Judge:
    return Judge(settings, data, data, 0, CPU, "float32")


def permuted(state: Tensors) -> Tensors:
    """The same function by other weights: the units of every hidden block in another order, as the next block reads."""
    found, order = dict(state), None
    for block in range(3):
        weight = found[f"blocks.{block}.linear.weight"]
        weight = weight if order is None else weight[:, order]
        order = np.random.default_rng(block).permutation(len(weight))
        found[f"blocks.{block}.linear.weight"] = weight[order]
        for name in ("linear.bias", "norm.weight", "norm.bias"):
            found[f"blocks.{block}.{name}"] = found[f"blocks.{block}.{name}"][order]
    found["head.weight"] = found["head.weight"][:, order]
    return found


def lines(twins: dict[str, Tensors]) -> dict[tuple[str, str], Curve]:
    """The lines between the networks and their twins by the names of both ends."""
    together = NETWORKS | {sibling(name): twin for name, twin in twins.items()}
    return {(each.first, each.second): each for each in curves(together, PARTITIONS, ALPHAS, judge())}


def test_the_networks_answer_with_several_classes() -> None:
    assert min(len(np.unique(found)) for found in (LOW, HIGH)) > 1
    assert max(np.bincount(found).max() for found in (LOW, HIGH)) < 150


def test_between_equal_networks_there_is_no_barrier() -> None:
    found = lines(NETWORKS)
    assert list(found) == [("low", "low-sibling"), ("high", "high-sibling"), ("low", "high")]
    for name in PARTITIONS:
        told = found[name, sibling(name)].barriers()
        assert told["error_barrier_points"] == told["average_points"] == 0
        assert told["loss_barrier"] == pytest.approx(0, abs=1e-6)


def test_between_a_network_and_its_permuted_twin_there_is_a_high_barrier() -> None:
    found = lines({name: permuted(state) for name, state in NETWORKS.items()})
    for name in PARTITIONS:
        line = found[name, sibling(name)]
        assert line.error[0] == 0
        assert line.error[-1] <= 0.01, "the same function, sums in another order aside"
        assert line.barriers()["error_barrier_points"] > 10


def test_the_ends_of_a_line_between_partitions_are_the_networks_on_their_own_classes() -> None:
    line = lines(NETWORKS)["low", "high"]
    assert (line.kind, line.images) == ("partitions", 400)
    assert line.error[0] == line.error[-1] == 0
    assert line.errors[0, -1] > 0.1, "the first's head on the second's backbone"
    assert line.errors[1, 0] > 0.1
    assert line.barriers()["error_barrier_points"] > 10, "networks of unrelated weights"


def test_norms_are_measured_anew_on_training_images_at_every_point() -> None:
    """Running statistics that are nonsense change nothing."""
    data = images(per_class=10, num_classes=2, side=32, channels=3)
    classes = list(data.classes)
    first, second = (states.state(building.build(RESNET, data.image_shape, classes, seed)) for seed in (0, 1))
    wrong = {name: array + 5 if "running_" in name else array for name, array in first.items()}
    at = judge(RESNET, data)
    right = at.scores(first, second, ALPHAS[::2], classes)
    torch.testing.assert_close(right, at.scores(wrong, second, ALPHAS[::2], classes))
    assert len(set(right[1])) == 3
