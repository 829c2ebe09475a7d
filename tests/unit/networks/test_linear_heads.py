"""Facts about a linear head put in the place of a network's head: the network answers as it does."""

from functools import partial

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, MLP, RESNET, VIT
from torch import nn

from dilt.data.batches import in_order
from dilt.data.prepared import Images
from dilt.networks import building, states
from dilt.networks.features import features
from dilt.networks.linear_heads import fit_linear_head, linear_head_outputs, use_linear_head
from dilt.networks.outputs import correct
from dilt.networks.readings import read
from dilt.settings.networks import Model

DISTILLED = VIT.model_copy(update={"name": "deit_tiny_distilled_patch16_224"})
NETWORKS = {"mlp": MLP, "resnet": RESNET, "vit": VIT, "distilled": DISTILLED}


def read_out(model: nn.Module, data: Images, precision: str) -> np.ndarray:
    reader = partial(linear_head_outputs, num_classes=len(data.classes))
    (found,) = read([(model, reader)], data, CPU, precision)
    return found["none"][0]


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_whose_head_is_a_linear_head_answers_as_it(name: str, num_classes: int) -> None:
    train, test = (images(per_class=30, num_classes=num_classes, side=32, seed=seed) for seed in (0, 1))
    model = building.build(NETWORKS[name], train.image_shape, train.classes, 0)
    seen = features(model, train, CPU, "float32")
    head = fit_linear_head(seen, train.labels, seen, train.labels, [1.0], CPU)
    use_linear_head(model, head.weight, head.bias)
    written = building.build(NETWORKS[name], test.image_shape, test.classes, 5)
    states.load_state(written, states.state(model))
    outputs = read_out(written, test, "float32")
    assert np.allclose(outputs, features(written, test, CPU, "float32") @ head.weight.T + head.bias, atol=1e-4)
    assert correct(outputs, test.labels).mean() > 1 / num_classes
    with torch.no_grad():
        assert np.allclose(model.eval()(next(in_order(test, CPU))).numpy(), outputs, atol=1e-4)


def test_a_linear_head_is_read_in_float32_where_features_are_not() -> None:
    """Its weights are far apart where features hardly vary; rounded to 8 bits they would say something else."""
    data = images(side=32)
    model = building.build(RESNET, data.image_shape, data.classes, 0)
    seen = features(model, data, CPU, "bfloat16")
    weight = np.eye(3, seen.shape[1]) * 1000
    use_linear_head(model, weight, -weight @ seen.mean(axis=0))
    expected = (seen.astype(np.float64) - seen.mean(axis=0)) @ weight.T
    assert np.allclose(read_out(model, data, "bfloat16"), expected, atol=1e-2)


def test_a_head_without_a_linear_layer_of_this_shape_is_told() -> None:
    model = building.build(Model(name="mlp", arguments={"width": 8, "depth": 3}), (1, 4, 4), ("a", "b"), 0)
    with pytest.raises(ValueError, match="no linear layer from 9 features to 2 classes; leave linear out"):
        use_linear_head(model, np.zeros((2, 9)), np.zeros(2))
