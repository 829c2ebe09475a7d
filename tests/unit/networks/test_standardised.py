"""Facts about weights that are standardised before they convolve: the mask covers what convolves."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, mask_of, train_in
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from dilt.exports import cards, export_folder
from dilt.exports.cards import Card
from dilt.networks import architectures, building, states
from dilt.settings.networks import Model

SHAPE = (3, 32, 32)
NETWORKS = [
    Model(name="test_nfnet"),
    Model(name="vit_tiny_r_s16_p8_224", arguments={"img_size": 32, "depth": 2}),
]
EACH = pytest.mark.parametrize("settings", NETWORKS, ids=lambda settings: settings.name)


class Seen(TorchFunctionMode):
    """The weights that convolve."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[torch.Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is functional.conv2d:
            self.weights.append(args[1])
        return func(*args, **(kwargs or {}))


def built(settings: Model) -> torch.nn.Module:
    return building.build(settings, SHAPE, ("a", "b", "c"), 0).eval()


@EACH
def test_pruned_weights_are_zero_in_what_convolves(settings: Model) -> None:
    model = built(settings)
    for name, weight in model.named_parameters():
        if name.endswith(".gain"):
            nn.init.ones_(weight)  # some are zero at first, and what convolves with them
    mask = mask_of(model, share=0.3)
    states.apply_mask(model, mask)
    seen = Seen()
    with torch.no_grad(), seen:
        model(torch.randn(2, *SHAPE))
    standardised = [m for m in model.modules() if architectures.keeps_zeros(m)]
    assert standardised
    pruned = sum(mask[name].size - mask.counts[name] for name in mask.names if mask[name].ndim == 4)
    assert sum(int((weight == 0).sum()) for weight in seen.weights) == pruned


@EACH
def test_a_dense_network_computes_as_timm_s_does(settings: Model) -> None:
    import timm

    model = built(settings)
    theirs = timm.create_model(settings.name, num_classes=3, **settings.arguments).eval()
    theirs.load_state_dict(model.state_dict())
    pixels = torch.randn(2, *SHAPE)
    with torch.no_grad():
        assert torch.equal(model(pixels), theirs(pixels))


@EACH
def test_what_was_pruned_has_no_influence_and_stays_zero_in_training(settings: Model, tmp_path: Path) -> None:
    data = images(3, side=32)
    model = building.build(settings, (1, 32, 32), data.classes, 0)
    mask = mask_of(model, share=0.3)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for name in mask.names:
            weight = other.get_parameter(name)
            weight[~torch.from_numpy(mask[name].copy())] += 1.0
    trained = []
    for place, one in enumerate((model, other)):
        trained.append(train_in(tmp_path / str(place), one, mask, data=data, validation=data)[0])
    for name, array in trained[0].items():
        assert np.array_equal(array, trained[1][name])
    for name in mask.names:
        assert not trained[0][name][~mask[name]].any()


def test_networks_that_keep_zeros_are_copied_and_sent_to_another_rank(tmp_path: Path) -> None:
    data = images(3, side=32)
    one, two = (building.build(NETWORKS[0], (1, 32, 32), data.classes, 0) for _ in range(2))
    pixels = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(one)(pixels), one(pixels))
    mask = mask_of(one, share=0.3)
    alone, _ = train_in(tmp_path / "one", one, mask, data=data, validation=data)
    together, _ = train_in(tmp_path / "two", two, mask, data=data, validation=data, devices=(CPU, CPU))
    for name, array in alone.items():
        assert np.allclose(array, together[name], rtol=1e-3, atol=1e-5), name
    assert not any(together[name][~mask[name]].any() for name in mask.names)


def test_an_exported_ticket_is_what_it_was_and_does_not_say_that_timm_keeps_its_zeros(tmp_path: Path) -> None:
    settings = NETWORKS[0]
    model = built(settings)
    mask = mask_of(model, share=0.3)
    states.apply_mask(model, mask)
    card = Card(settings, ("a", "b", "c"), SHAPE, (0.5,) * 3, (0.5,) * 3, "squash", {"mask": "core"}, [])
    export_folder.write_export(tmp_path / "core", states.state(model), {}, mask, card)
    pixels = torch.randn(2, *SHAPE)
    with torch.no_grad():
        assert torch.equal(export_folder.load_exported(tmp_path / "core")(pixels), model(pixels))
    assert "timm.create_model" not in (tmp_path / "core/README.md").read_text()
    assert "timm.create_model" in cards.loading(card, "core")
    with pytest.raises((ValueError, RuntimeError, KeyError)):
        __import__("timm").create_model(f"local-dir:{tmp_path / 'core'}", pretrained=True)


def test_a_network_of_timm_s_own_keeps_zeros_once_it_has_a_mask() -> None:
    import timm

    model = timm.create_model("test_nfnet", num_classes=3).eval()
    mask = mask_of(model, share=0.3)
    states.apply_mask(model, mask)
    assert any(map(architectures.keeps_zeros, model.modules()))
