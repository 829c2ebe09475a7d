"""What is found out about a network before any job: layouts, tokens, silent blocks, answers, heads, masks."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from dilt.networks import building, inspection
from dilt.networks.inspection import Layout, inspect
from dilt.settings.networks import Model

SQUARE = (3, 32, 32)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def layouts(name: str, image_shape: tuple[int, int, int], **arguments: object) -> dict[str, Layout]:
    return inspect(Model(name=name, arguments=arguments), image_shape, 5).blocks


@pytest.mark.parametrize(
    ("name", "side", "arguments", "expected"),
    [
        ("swin_tiny_patch4_window7_224", 384, {"img_size": 384}, {Layout(3, 0)}),  # 96 x 96 x 96 at first
        ("test_vit", 160, {}, {Layout(2, 1)}),
        ("vit_small_patch16_dinov3", 64, {"img_size": 64}, {Layout(2, 5)}),
        ("deit_tiny_distilled_patch16_224", 224, {}, {Layout(2, 2)}),
        ("xcit_nano_12_p8_224", 64, {"img_size": 64}, {Layout(2, 0)}),  # its class token comes after the blocks
        ("cait_xxs24_224", 64, {"img_size": 64}, {Layout(2, 0), Layout(2, 1)}),
        ("levit_128s", 224, {}, {Layout(2, 0)}),  # odd sides are not halved exactly
        ("pit_ti_224", 224, {}, {Layout(2, 1)}),
        ("crossvit_tiny_240", 240, {}, {Layout(2, 1)}),  # makes every image of one size
        ("nest_tiny", 224, {}, {Layout(3, 0)}),  # blocks, tokens, features
        ("test_mambaout", 96, {}, {Layout(3, 0)}),
        ("test_convnext", 64, {}, {Layout(1, 0)}),
        ("resnet18", 32, {}, {Layout(1, 0)}),
        ("tnt_s_legacy_patch16_224", 224, {}, {Layout(2, 1)}),
    ],
)
def test_the_axis_of_features_and_the_tokens_of_a_block_are_found_out(
    name: str, side: int, arguments: dict[str, object], expected: set[Layout]
) -> None:
    assert set(layouts(name, (3, side, side), **arguments).values()) == expected


def test_images_that_are_not_square_are_no_exception() -> None:
    assert set(layouts("test_mambaout", (3, 96, 32)).values()) == {Layout(3, 0)}
    assert set(layouts("test_vit", (3, 64, 32), img_size=[64, 32]).values()) == {Layout(2, 1)}


def test_blocks_that_are_not_called_are_left_out_and_refused_by_name() -> None:
    name = "hrnet_w18_small"
    found = inspect(Model(name=name), (3, 64, 64), 5)
    assert found.refusal is None
    assert "downsamp_modules.0" not in found.blocks
    asked = inspect(Model(name=name), (3, 64, 64), 5, ["downsamp_modules.0", "layer1.0"])
    assert asked.silent == {"downsamp_modules.0": "is not called when an image passes through"}
    assert list(asked.blocks) == ["layer1.0"]


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        (
            Model(name="resnet18", arguments={"features_only": True}),
            "resnet18 answers with a list, not one vector",
        ),
        (
            Model(name="test_resnet", arguments={"global_pool": ""}),
            "{'global_pool': ''} takes no images of 3 x 32",
        ),
        (
            Model(name="test_vit", arguments={"global_pool": ""}),
            "answers an image with 5 x 5, not one number for",
        ),
        (Model(name="deit_tiny_patch16_224"), "model.arguments: deit_tiny_patch16_224 takes no images of 3 x 32 x 32"),
        (Model(name="resnet18", arguments={"drop_rate": "gelu"}), "{'drop_rate': 'gelu'} takes no images of"),
    ],
    ids=["features", "maps", "tokens", "another size", "an argument of the wrong kind"],
)
def test_what_is_no_classifier_of_these_images_is_refused(settings: Model, refusal: str) -> None:
    try:
        told = inspect(settings, SQUARE, 5).refusal
    except ValueError as error:  # it cannot even be built
        told = str(error)
    assert told is not None
    assert refusal in told
    assert "\n" not in told


def test_heads_of_one_linear_layer_take_a_linear_classifier() -> None:
    heads = {"resnet18": True, "resnetv2_18": True, "crossvit_tiny_240": False}
    sides = {"crossvit_tiny_240": 240}
    for name, linear in heads.items():
        side = sides.get(name, 64)
        assert inspect(Model(name=name), (3, side, side), 5).linear == linear, name


class Transformed(nn.Module):
    """A network that turns one weight around, takes another's mean off, and forgets a third."""

    pretrained_cfg = {"classifier": "head"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.unused = nn.Linear(4, 4)
        self.head = nn.Linear(4, 5)

    def get_classifier(self) -> nn.Module:
        return self.head

    def forward_features(self, images: Tensor) -> Tensor:
        maps, weight = self.first(images), self.second.weight
        return nn.functional.conv2d(maps, weight - weight.mean())

    def forward_head(self, maps: Tensor, pre_logits: bool = False) -> Tensor:
        features = maps.mean((2, 3))
        return features if pre_logits else self.head(features)

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(images))


def test_weights_that_are_not_what_convolves_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def skeleton(*_: object) -> nn.Module:
        with torch.device("meta"):
            return Transformed()

    monkeypatch.setattr(building, "skeleton", skeleton)
    found = inspection.inspect(Model(name="transformed"), SQUARE, 5)
    assert found.refusal is None
    assert found.unreached == {
        "second.weight": "it goes through mean, sub first",
        "unused.weight": "nothing is computed with it",
    }


def test_a_network_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Model(name="test_resnet")
    first = inspect(settings, SQUARE, 5)
    monkeypatch.setattr(inspection, "_found", None)
    assert inspect(settings, SQUARE, 5) == first
