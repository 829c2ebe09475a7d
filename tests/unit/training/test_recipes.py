"""Facts about the field's recipes: they train, keep pruned weights at zero, and go on to the same bits when stopped."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import images
from small_networks import ADAMW, CPU, mask_of, network, train_in
from torch import nn

from dilt.networks import states
from dilt.settings.training import Training
from dilt.training.loop import Loop, Work
from dilt.training.session import train  # noqa: F401  # what `train_in` runs

STEPS = 3 * (36 // 8)
RECIPES: dict[str, dict[str, Any]] = {
    "policy": {"augmentation": "resized-crop", "auto_augment": "rand-m9-mstd0.5-inc1", "color_jitter": 0.2},
    "trivial": {"auto_augment": "trivial"},
    "erasing": {"erasing": 0.5, "erase_with": "noise"},
    "mixing": {"mixup": 0.8, "cutmix": 1.0, "label_smoothing": 0.1},
    "clipping": {"clip_norm": 0.5},
    "average": {"ema_decay": 0.9},
    "layers": {"layer_decay": 0.7},
    "steps": {"warmup_epochs": "5it"},
    "lamb": {"optimizer": "lamb"},
    "lion": {"optimizer": "lion"},
    "nesterov": {"optimizer": "sgd", "nesterov": True},
}
RECIPES["all"] = {key: value for recipe in list(RECIPES)[:-2] for key, value in RECIPES[recipe].items()}


def settings(name: str) -> Training:
    return ADAMW.model_copy(update=RECIPES[name])


@pytest.mark.parametrize("name", RECIPES)
def test_stopped_at_any_step_it_goes_on_to_the_same_bits(tmp_path: Path, name: str) -> None:
    mask = mask_of(network())
    whole, history = train_in(tmp_path / "whole", network(), mask, settings(name))
    plain, _ = train_in(tmp_path / "plain", network(), mask, ADAMW)
    assert not np.array_equal(whole["conv.weight"], plain["conv.weight"]), "it changes nothing"
    assert not whole["conv.weight"][~mask["conv.weight"]].any()
    for step in range(1, STEPS + 1, 2):
        with pytest.raises(SystemExit):
            train_in(tmp_path / str(step), network(), mask, settings(name), stop_at=step)
        weights, resumed = train_in(tmp_path / str(step), network(), mask, settings(name))
        assert resumed == history
        assert all(np.array_equal(weights[key], whole[key]) for key in whole)


def loop_of(**changed: Any) -> Loop:
    model = network()
    return Loop(Work(model, images(), mask_of(model), ADAMW.model_copy(update=changed), 0, "full round 1"), CPU)


def test_the_norm_that_is_clipped_is_that_of_live_weights() -> None:
    """By hand: the same step with gradients that are cleared and scaled."""
    loop = loop_of(clip_norm=0.01, optimizer="sgd", momentum=0.0, weight_decay=0.0, warmup_epochs=0)
    norms: list[float] = []
    original = loop.optimizer.step

    def step() -> None:
        gradients = [p.grad for p in loop.work.model.parameters() if p.grad is not None]
        norms.append(torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients])).item())
        pruned = torch.from_numpy(~mask_of(network())["conv.weight"])
        assert not loop.work.model.get_parameter("conv.weight").grad[pruned].any()
        original()

    loop.optimizer.step = step  # type: ignore[method-assign, assignment]
    next(loop.steps())
    assert norms == [pytest.approx(0.01, rel=1e-4)]


def test_the_network_of_a_training_is_the_average_of_its_weights(tmp_path: Path) -> None:
    """By hand, with timm's decay that grows; validation is of the average too."""
    loop = loop_of(ema_decay=0.9)
    expected = {name: array.astype(np.float64) for name, array in states.state(loop.work.model).items()}
    for number, _ in enumerate(loop.steps()):  # the first step's average is its weights
        decay = min(1 - (1 + number) ** (-2 / 3), 0.9) if number else 0.0
        for name, array in states.state(loop.work.model).items():
            expected[name] = decay * expected[name] + (1 - decay) * array
    model = network()
    trained, history = train_in(tmp_path, model, mask_of(model), ADAMW.model_copy(update={"ema_decay": 0.9}))
    for name in dict(model.named_parameters()):
        assert np.allclose(trained[name], expected[name], rtol=1e-4, atol=1e-6), name
    held_out = images(4, seed=1)
    from dilt.networks.outputs import logits_there, score

    found = score(logits_there(model, held_out, CPU, "float32"), held_out.labels)
    assert history[-1]["validation_loss"] == found.loss
    assert not np.array_equal(trained["conv.weight"], states.state(loop.work.model)["conv.weight"])


def test_stochastic_depth_is_drawn_by_the_step(tmp_path: Path) -> None:
    from small_networks import VIT

    from dilt.networks import building

    deep = VIT.model_copy(update={"arguments": {**VIT.arguments, "drop_path_rate": 0.5, "img_size": 16}})
    data = images(side=16, channels=3)

    def model() -> nn.Module:
        return building.build(deep, data.image_shape, data.classes, 0)

    whole, history = train_in(tmp_path / "whole", model(), None, ADAMW, data=data, validation=data)
    with pytest.raises(SystemExit):
        train_in(tmp_path / "job", model(), None, ADAMW, data=data, validation=data, stop_at=5)
    weights, resumed = train_in(tmp_path / "job", model(), None, ADAMW, data=data, validation=data)
    assert resumed == history
    assert all(np.array_equal(weights[key], whole[key]) for key in whole)
