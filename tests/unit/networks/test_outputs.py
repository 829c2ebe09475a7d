"""Facts about evaluation: what a score is, and that batch-norm statistics are those of the images given."""

from pathlib import Path

import numpy as np
import pytest
from builders import images
from small_networks import CPU, MLP, RESNET, network, train_in

from dilt.networks import building, states
from dilt.networks.outputs import correct, logits, score
from dilt.settings.networks import Model
from dilt.sources.pixels import EVALUATION_BATCH


def test_a_score_is_the_share_right_and_the_mean_loss() -> None:
    outputs = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], dtype=np.float32))
    found = score(outputs, np.array([0, 1, 1, 0]))
    assert found.accuracy == 0.75
    assert correct(outputs, np.array([0, 1, 1, 0])).tolist() == [1, 1, 0, 1]
    assert found.loss == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.5]).mean())
    assert found.images == 4


def test_outputs_come_in_the_order_of_the_images_whatever_the_batch() -> None:
    data = images(per_class=EVALUATION_BATCH // 2)
    order = np.random.default_rng(0).permutation(len(data))
    straight, shuffled = (logits(network(), part, CPU, "float32") for part in (data, data.take(order)))
    assert np.allclose(straight[order], shuffled, atol=1e-6)


@pytest.mark.parametrize("settings", [MLP, RESNET], ids=["mlp", "resnet"])
def test_a_network_that_was_written_and_read_answers_as_it_did_when_it_was_trained(
    tmp_path: Path, settings: Model
) -> None:
    data = images(side=32)
    trained = building.build(settings, data.image_shape, data.classes, 0)
    state, _ = train_in(tmp_path, trained, None, data=data, validation=data)
    read = building.build(settings, data.image_shape, data.classes, 5, state)
    states.load_state(read, state)
    assert np.array_equal(logits(trained, data, CPU, "float32"), logits(read, data, CPU, "float32"))
