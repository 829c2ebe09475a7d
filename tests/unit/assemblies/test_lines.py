"""Facts about networks on lines: where a network meets itself there is no barrier, where a permuted twin, there is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, RESNET, SGD, checkpoints

from dilt.assemblies.lines import Judge, curves
from dilt.data.prepared import Images
from dilt.foundations.storage import Tensors
from dilt.networks import building, states
from dilt.networks.outputs import logits, score
from dilt.settings.networks import Model
from dilt.tickets.trajectories import sibling
from dilt.training.loop import Work
from dilt.training.session import train

ALPHAS = np.linspace(0, 1, 5)
MLP = Model(name="mlp", arguments={"width": 32, "depth": 3})
PARTITIONS = {"low": ["low even", "low odd"], "high": ["high even", "high odd"]}


def pictures(seed: int) -> Images:
    """Four classes of 6 x 6 pixels: three bright or dark bands, of which two give the parity, one the partition."""
    draws = np.random.default_rng(seed)
    bits = draws.integers(0, 2, (320, 3))
    labels = 2 * bits[:, 2] + (bits[:, 0] ^ bits[:, 1])
    bands = np.repeat(bits, 2, axis=1)[:, None, :, None]
    pixels = 60 + 80 * bands + draws.integers(0, 60, (len(bits), 1, 6, 6))
    classes = tuple(name for members in PARTITIONS.values() for name in members)
    return Images(pixels.astype(np.uint8), labels, classes, (0.5,), (0.2,))


TRAIN, VALIDATION = pictures(0), pictures(1)
SETTINGS = SGD.model_copy(update={"epochs": 15, "learning_rate": 0.05})


def judge(settings: Model = MLP, train: Images = TRAIN, validation: Images = VALIDATION) -> Judge:
    return Judge(settings, train, validation, 0, CPU, "float32")


def trained(folder: Path, partition: str, order: str) -> Tensors:
    """A perceptron trained on a partition's classes, from one theta0."""
    classes = PARTITIONS[partition]
    theta0 = states.backbone(building.build(MLP, TRAIN.image_shape, TRAIN.classes, seed=0))
    model = building.build(MLP, TRAIN.image_shape, classes, 0, theta0)
    work = Work(model, TRAIN.restrict(classes), None, SETTINGS, 0, order)
    train(work, VALIDATION.restrict(classes), [CPU], checkpoints(folder).of(order))
    return states.state(model)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensors]:
    folder = tmp_path_factory.mktemp("networks")
    return {name: trained(folder, name, name) for name in PARTITIONS}


def permuted(state: Tensors) -> Tensors:
    """The same function by other weights: the units of every hidden block in another order, as the next block reads."""
    found, order = {name: array.copy() for name, array in state.items()}, None
    for block in range(3):
        weight = found[f"blocks.{block}.linear.weight"]
        if order is not None:
            weight = weight[:, order]
        order = np.random.default_rng(block).permutation(len(weight))
        found[f"blocks.{block}.linear.weight"] = weight[order]
        for name in ("linear.bias", "norm.weight", "norm.bias"):
            found[f"blocks.{block}.{name}"] = found[f"blocks.{block}.{name}"][order]
    found["head.weight"] = found["head.weight"][:, order]
    return found


def measured(networks: dict[str, Tensors], twins: dict[str, Tensors]) -> dict[tuple[str, str], dict[str, float]]:
    """Barriers by the names of both ends."""
    together = networks | {sibling(name): twin for name, twin in twins.items()}
    return {(each.first, each.second): each.barriers() for each in curves(together, PARTITIONS, ALPHAS, judge())}


def test_between_equal_networks_there_is_no_barrier(networks: dict[str, Tensors]) -> None:
    found = measured(networks, networks)
    assert set(found) == {("low", "low-sibling"), ("high", "high-sibling"), ("low", "high")}
    for name in PARTITIONS:
        told = found[name, sibling(name)]
        assert told["error_barrier_points"] == told["average_points"] == 0
        assert told["loss_barrier"] == pytest.approx(0, abs=1e-6)


def test_between_a_network_and_its_permuted_twin_there_is_a_high_barrier(networks: dict[str, Tensors]) -> None:
    twins = {name: permuted(state) for name, state in networks.items()}
    for each in curves(networks | {sibling(n): t for n, t in twins.items()}, PARTITIONS, ALPHAS, judge()):
        if each.kind == "siblings":
            assert each.error[0] == each.error[-1] < 0.1, "they are one function"
            assert each.loss[0] == pytest.approx(each.loss[-1], rel=1e-3)
            assert each.barriers()["error_barrier_points"] > 5
            assert each.barriers()["loss_barrier"] > 0.1


def test_the_ends_are_the_networks_on_their_own_classes(networks: dict[str, Tensors]) -> None:
    *_, line = curves(networks | {sibling(n): s for n, s in networks.items()}, PARTITIONS, ALPHAS, judge())
    assert (line.kind, line.first, line.second, line.images) == ("partitions", "low", "high", 240)
    for name, end in (("low", 0), ("high", -1)):
        data = VALIDATION.restrict(PARTITIONS[name])
        model = building.build(MLP, data.image_shape, data.classes, 0, networks[name])
        states.load_state(model, networks[name])
        expected = score(logits(model, data, CPU, "float32"), data.labels)
        assert line.error[end] == pytest.approx(1 - expected.accuracy)
        assert line.loss[end] == pytest.approx(expected.loss, rel=1e-5)


def test_norms_are_measured_anew_on_training_images_at_every_point() -> None:
    """Running statistics that are nonsense change nothing."""
    data = images(per_class=20, num_classes=2, side=32, channels=3)
    classes = list(data.classes)
    first, second = (states.state(building.build(RESNET, data.image_shape, classes, seed)) for seed in (0, 1))
    wrong = {name: array + 5 if "running_" in name else array for name, array in first.items()}
    at = judge(RESNET, data, data)
    right = at.scores(first, second, ALPHAS[::2], classes)
    torch.testing.assert_close(right, at.scores(wrong, second, ALPHAS[::2], classes))
    assert len(set(right[1])) == 3
