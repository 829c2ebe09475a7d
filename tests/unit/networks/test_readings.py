"""Facts about networks that see images side by side: each answers as it does alone, and images are read once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, MLP, RESNET, VIT, network

from dilt.data.batches import in_order
from dilt.data.corruptions import corrupting
from dilt.networks import building, readings
from dilt.networks.features import features
from dilt.networks.outputs import logits
from dilt.networks.readings import read, recalibrate
from dilt.settings.networks import Model

KINDS = ["noise", "contrast"]
DISTILLED = VIT.model_copy(update={"name": "deit_tiny_distilled_patch16_224"})


class Counting:
    """Pixels that count how many images are read."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels, self.shape, self.read = pixels, pixels.shape, 0

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        self.read += len(indices)
        return self.pixels[indices]


def test_on_images_as_they_are_the_answers_are_the_usual_ones_and_under_corruptions_others() -> None:
    data = images(side=8)
    (found,) = read([(network(), readings.outputs)], data, CPU, "float32", corrupting(KINDS, 5))
    assert list(found) == ["none", *KINDS]
    assert np.array_equal(found["none"][0], logits(network(), data, CPU, "float32"))
    for kind in KINDS:
        assert found[kind][0].shape == found["none"][0].shape
        assert not np.allclose(found[kind][0], found["none"][0])


def test_every_network_sees_the_same_images_which_are_read_once_and_corrupted_once() -> None:
    data, made = images(side=8), []

    def corrupted(pixels: torch.Tensor, places: np.ndarray) -> torch.Tensor:
        made.append(len(places))
        return 255 - pixels

    counted = Counting(np.array(data.pixels))
    several = [(network(), readings.outputs) for _ in range(3)]
    found = read(several, replace(data, pixels=counted), CPU, "float32", corrupting(["noise"], 3) | {"mine": corrupted})
    assert (counted.read, sum(made)) == (len(data), len(data))
    for name, (outputs,) in found[0].items():
        assert all(np.array_equal(other[name][0], outputs) for other in found[1:])


@pytest.mark.parametrize("settings", [MLP, RESNET, VIT, DISTILLED], ids=["mlp", "resnet", "vit", "distilled"])
def test_features_and_outputs_are_read_together_as_each_is_alone(settings: Model) -> None:
    data = images(side=32)
    model = building.build(settings, data.image_shape, data.classes, 0)
    ((seen, answers),) = (
        found["none"] for found in read([(model, readings.features_and_outputs)], data, CPU, "float32")
    )
    assert np.array_equal(seen, features(model, data, CPU, "float32"))
    assert np.array_equal(answers, logits(model, data, CPU, "float32"))


def test_recalibration_measures_batch_norm_on_the_images_given_read_once_for_all_networks() -> None:
    data, several = images(), [network(), network()]
    counted = Counting(np.array(data.pixels))
    torch.nn.init.ones_(several[1].conv.weight)
    recalibrate(several, replace(data, pixels=counted), CPU)
    assert counted.read == len(data)
    for model in several:
        with torch.no_grad():
            outputs = model.conv(next(in_order(data, CPU)))
        assert torch.allclose(model.norm.running_mean, outputs.mean(dim=(0, 2, 3)), atol=1e-6)
        assert torch.allclose(model.norm.running_var, outputs.var(dim=(0, 2, 3)), atol=1e-6)


def test_recalibration_leaves_networks_without_batch_norm_and_all_weights_alone() -> None:
    plain = building.build(MLP, (1, 4, 4), ("a", "b"), 0)
    for model in (plain, network()):
        before = [parameter.clone() for parameter in model.parameters()]
        recalibrate([model], images(), CPU)
        assert all(map(torch.equal, before, model.parameters()))
