"""Facts about the optimizers: they are torch's, and spare the parameters that timm's factory spares from decay."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import CPU, RESNET, SGD, VIT, mask_of, network
from timm.optim import create_optimizer_v2
from torch import nn

from dilt.networks import building, states
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.training.loop import Pruned
from dilt.training.optimizers import Optimizer, undecayed

SHAPE, CLASSES = (3, 32, 32), ["a", "b", "c"]
RATE, DECAY = 0.1, 0.25
# Of timm's names, ours is SGD without Nesterov's momentum.
TIMM = {"sgd": "momentum", "adamw": "adamw"}
BOTH = pytest.mark.parametrize("name", ["sgd", "adamw"])
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "perceptron": lambda: building.build(Model(name="mlp", arguments={"width": 8, "depth": 2}), SHAPE, CLASSES, 0),
    "resnet": lambda: building.build(RESNET, SHAPE, CLASSES, 0),
    "vit": lambda: building.build(VIT, SHAPE, CLASSES, 0),
}


def settings(name: str, **others: Any) -> Training:
    return SGD.model_copy(update={"optimizer": name, "weight_decay": DECAY, **others})


def assert_equal(first: nn.Module, second: nn.Module) -> None:
    for (name, one), (_, other) in zip(first.named_parameters(), second.named_parameters(), strict=True):
        assert torch.equal(one, other), name


def steps(ours: nn.Module, theirs: nn.Module, stepper: Optimizer, reference: torch.optim.Optimizer) -> None:
    """The same five steps of both, with rates that fall."""
    shape = SHAPE if hasattr(ours, "pretrained_cfg") and not hasattr(ours, "drop") else (1, 8, 8)
    pixels, labels = torch.randn(6, *shape, generator=torch.Generator(CPU).manual_seed(0)), torch.arange(6) % 3
    for step in range(5):
        rate = RATE / (step + 1)
        for model in (ours, theirs):
            model.eval()
            nn.functional.cross_entropy(model(pixels), labels).backward()
        stepper.step(rate)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
        reference.zero_grad()
        assert_equal(ours, theirs)


@BOTH
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_without_exclusions_they_are_torchs_to_the_bit(name: str, weight_decay: float) -> None:
    ours, theirs = network(), network()
    stepper = Optimizer(ours, settings(name, weight_decay=weight_decay, weight_decay_exclude=False))
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.SGD
    own = {} if name == "adamw" else {"momentum": 0.9}
    steps(ours, theirs, stepper, kind(theirs.parameters(), lr=1, weight_decay=weight_decay, fused=True, **own))


@BOTH
@pytest.mark.parametrize("of", NETWORKS)
def test_by_default_they_are_those_of_timms_factory_to_the_bit(name: str, of: str) -> None:
    ours, theirs = NETWORKS[of](), NETWORKS[of]()
    reference = create_optimizer_v2(theirs, TIMM[name], lr=1.0, weight_decay=0.01, fused=True)
    steps(ours, theirs, Optimizer(ours, settings(name, weight_decay=0.01)), reference)


@BOTH
@pytest.mark.parametrize("of", NETWORKS)
@pytest.mark.parametrize("exclude", [True, False, [], ["*.weight"]], ids=str)
def test_where_nothing_is_learnt_only_what_is_not_spared_shrinks(name: str, of: str, exclude: Any) -> None:
    model = NETWORKS[of]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)  # none is zero
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    chosen = settings(name, weight_decay_exclude=exclude)
    Optimizer(model, chosen).step(RATE)
    spared = undecayed(model, exclude)
    for key, parameter in model.named_parameters():
        factor = 1.0 if key in spared else 1 - RATE * DECAY
        assert torch.allclose(parameter, factor * before[key], rtol=1e-6, atol=0), key
        assert (key not in spared) or torch.equal(parameter, before[key]), key


def test_what_is_spared_by_default() -> None:
    vit = NETWORKS["vit"]()
    kept = {name for name, _ in vit.named_parameters()} - undecayed(vit, True)
    assert kept == {
        "patch_embed.proj.weight",
        "head.weight",
        *(
            f"blocks.{block}.{part}.weight"
            for block in (0, 1)
            for part in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
        ),
    }
    assert {"cls_token", "pos_embed", "norm.weight", "head.bias"} <= undecayed(vit, True)
    assert undecayed(vit, ["pos_*", "norm.bias"]) == {"pos_embed", "norm.bias"}
    assert undecayed(NETWORKS["perceptron"](), True) == {
        *(f"blocks.{block}.{part}" for block in (0, 1) for part in ("linear.bias", "norm.weight", "norm.bias")),
        "head.bias",
    }


@BOTH
def test_pruned_weights_stay_zero_with_and_without_decay(name: str) -> None:
    model = network()
    mask = mask_of(model)
    pruned, stepper = Pruned(model, mask), Optimizer(model, settings(name, weight_decay_exclude=["conv.weight"]))
    for _ in range(3):
        model(torch.randn(4, 1, 8, 8)).sum().backward()
        stepper.step(RATE)
        pruned.keep_at_zero()
    weights = states.state(model)["conv.weight"]
    assert not weights[~mask["conv.weight"]].any()
    assert np.all(weights[mask["conv.weight"]] != 0)
