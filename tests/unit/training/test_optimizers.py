"""Facts about the optimizers: they are torch's and timm's, with timm's groups, and go on from a saved state."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import CPU, RESNET, SGD, VIT, mask_of, network
from timm.optim import create_optimizer_v2
from torch import nn

from dilt.networks import building, states
from dilt.networks.devices import memory_format
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.training import optimizers
from dilt.training.loop import Pruned

SHAPE, CLASSES = (3, 32, 32), ["a", "b", "c"]
RATE, DECAY = 0.1, 0.25
# Of timm's names, ours is SGD without Nesterov's momentum.
TIMM = {"sgd": "momentum"}
FUSED = {"sgd": {"fused": True}, "adamw": {"fused": True}}
NAMES = ["sgd", "adamw", "lamb", "lion"]
EACH = pytest.mark.parametrize("name", NAMES)
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


def step(model: nn.Module, optimizer: torch.optim.Optimizer, number: int) -> None:
    """A step on fixed noise, with a rate that falls."""
    shape = SHAPE if hasattr(model, "pretrained_cfg") and not hasattr(model, "drop") else (1, 8, 8)
    pixels, labels = torch.randn(6, *shape, generator=torch.Generator(CPU).manual_seed(0)), torch.arange(6) % 3
    model.eval()
    nn.functional.cross_entropy(model(pixels), labels).backward()
    optimizers.set_rate(optimizer, RATE / (number + 1))
    optimizer.step()
    optimizer.zero_grad()


def steps(ours: nn.Module, theirs: nn.Module, own: torch.optim.Optimizer, reference: torch.optim.Optimizer) -> None:
    """The same five steps of both."""
    for number in range(5):
        step(ours, own, number)
        step(theirs, reference, number)
        assert_equal(ours, theirs)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_without_exclusions_they_are_torchs_to_the_bit(name: str, weight_decay: float, nesterov: bool) -> None:
    ours, theirs = network(), network()
    chosen = settings(name, weight_decay=weight_decay, weight_decay_exclude=False, nesterov=nesterov)
    kind = torch.optim.AdamW if name == "adamw" else torch.optim.SGD
    own = {} if name == "adamw" else {"momentum": 0.9, "nesterov": nesterov}
    reference = kind(theirs.parameters(), lr=1, weight_decay=weight_decay, fused=True, **own)
    steps(ours, theirs, optimizers.create(ours, chosen), reference)


@EACH
@pytest.mark.parametrize("of", NETWORKS)
@pytest.mark.parametrize("layer_decay", [None, 0.7])
def test_by_default_they_are_those_of_timms_factory_to_the_bit(name: str, of: str, layer_decay: float | None) -> None:
    ours, theirs = NETWORKS[of](), NETWORKS[of]()
    own = {"max_grad_norm": None} if name == "lamb" else FUSED.get(name, {})
    reference = create_optimizer_v2(
        theirs, TIMM.get(name, name), lr=1.0, weight_decay=0.01, layer_decay=layer_decay, **own
    )
    steps(ours, theirs, optimizers.create(ours, settings(name, weight_decay=0.01, layer_decay=layer_decay)), reference)


def spared(model: nn.Module, chosen: Training) -> set[str]:
    """Names of the parameters without decay."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = optimizers.create(model, chosen).param_groups
    return {names[id(p)] for group in groups if group["weight_decay"] == 0 for p in group["params"]}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
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
    optimizer = optimizers.create(model, chosen)
    optimizers.set_rate(optimizer, RATE)
    optimizer.step()
    kept = spared(model, chosen)
    for key, parameter in model.named_parameters():
        factor = 1.0 if key in kept else 1 - RATE * DECAY
        assert torch.allclose(parameter, factor * before[key], rtol=1e-6, atol=0), key
        assert (key not in kept) or torch.equal(parameter, before[key]), key


def test_what_is_spared_by_default() -> None:
    vit = NETWORKS["vit"]()
    by_default = spared(vit, settings("adamw"))
    assert {name for name, _ in vit.named_parameters()} - by_default == {
        "patch_embed.proj.weight",
        "head.weight",
        *(
            f"blocks.{block}.{part}.weight"
            for block in (0, 1)
            for part in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
        ),
    }
    assert {"cls_token", "pos_embed", "norm.weight", "head.bias"} <= by_default
    assert spared(vit, settings("adamw", weight_decay_exclude=["pos_*", "norm.bias"])) == {"pos_embed", "norm.bias"}
    assert spared(NETWORKS["perceptron"](), settings("adamw")) == {
        *(f"blocks.{block}.{part}" for block in (0, 1) for part in ("linear.bias", "norm.weight", "norm.bias")),
        "head.bias",
    }


def test_no_gradient_is_clipped_unasked() -> None:
    """timm's lamb would clip all of them together to a norm of 1."""
    moments = []
    for scale in (1.0, 100.0):
        model = network()
        optimizer = optimizers.create(model, settings("lamb"))
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, scale)
        optimizer.step()
        moments.append(optimizer.state[model.conv.weight]["exp_avg"].flatten()[0].item())
    assert moments[1] == pytest.approx(100 * moments[0])


def test_layers_of_the_perceptron_are_layers() -> None:
    model = NETWORKS["perceptron"]()
    optimizer = optimizers.create(model, settings("adamw", layer_decay=0.5))
    optimizers.set_rate(optimizer, RATE)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    found = {name: rates[id(p)] / RATE for name, p in model.named_parameters()}
    assert {name.partition(".linear")[0]: rate for name, rate in found.items() if name.endswith("weight")} == {
        **{"blocks.0": 0.25, "blocks.1": 0.5, "blocks.0.norm.weight": 0.25, "blocks.1.norm.weight": 0.5},
        "head.weight": 1.0,
    }


def test_earlier_layers_learn_more_slowly_by_the_factor_asked_for() -> None:
    vit = NETWORKS["vit"]()
    optimizer = optimizers.create(vit, settings("adamw", layer_decay=0.5))
    optimizers.set_rate(optimizer, RATE)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    found = {name: rates[id(p)] for name, p in vit.named_parameters()}
    assert found["head.weight"] == RATE
    assert found["blocks.0.mlp.fc1.weight"] == pytest.approx(found["blocks.1.mlp.fc1.weight"] / 2)
    assert found["patch_embed.proj.weight"] == pytest.approx(found["blocks.0.mlp.fc1.weight"] / 2)


@EACH
@pytest.mark.parametrize("of", NETWORKS)
def test_a_saved_state_goes_on_to_the_same_bits(name: str, of: str) -> None:
    """Whatever tensors, numbers and memory layouts an optimizer keeps."""
    whole, first = NETWORKS[of](), NETWORKS[of]()
    for model in (whole, first):
        model.to(memory_format=memory_format(model, CPU))
    optimizer = optimizers.create(whole, settings(name))
    for number in range(5):
        step(whole, optimizer, number)
    before = optimizers.create(first, settings(name))
    for number in range(2):
        step(first, before, number)
    saved, weights = optimizers.state(before), states.state(first)
    assert saved[0]
    again = NETWORKS[of]()
    again.to(memory_format=memory_format(again, CPU))
    states.load_state(again, weights)
    after = optimizers.create(again, settings(name))
    optimizers.load(after, *saved)
    for parameter, slots in after.state.items():
        for value in slots.values():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                assert value.stride() == parameter.stride()
    for number in range(2, 5):
        step(again, after, number)
    assert_equal(whole, again)


@EACH
def test_pruned_weights_stay_zero_with_and_without_decay(name: str) -> None:
    model = network()
    mask = mask_of(model)
    pruned = Pruned(model, mask)
    optimizer = optimizers.create(model, settings(name, weight_decay_exclude=["conv.weight"]))
    for number in range(3):
        step(model, optimizer, number)
        pruned.keep_at_zero()
    weights = states.state(model)["conv.weight"]
    assert not weights[~mask["conv.weight"]].any()
    assert np.all(weights[mask["conv.weight"]] != 0)
