"""Pretrained weights in a file become theta0's backbone; nothing else of the file does, and no other file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from configurations import assert_told, changed
from safetensors.torch import save_file
from torch import Tensor

from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.networks import architectures, building, pretrained, states
from dilt.settings.networks import Model

SHAPE = (3, 32, 32)
ARGUMENTS = {"channels": [4, 4, 4, 4]}
VIT = {"patch_size": 8, "depth": 2, "embed_dim": 12, "num_heads": 3}


def saved(path: Path, name: str = "resnet18", num_classes: int = 7, **arguments: Any) -> dict[str, Tensor]:
    """A file of timm's model with other weights than any seed draws; its tensors."""
    torch.manual_seed(12345)
    model = timm.create_model(name, num_classes=num_classes, **arguments)
    tensors = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    save_file(tensors, path)
    return tensors


def built(path: Path, classes: str = "abc", seed: int = 0, shape: tuple[int, ...] = SHAPE, **settings: Any) -> Any:
    settings = {"name": "resnet18", "arguments": ARGUMENTS} | settings
    return pretrained.build(Model(weights=str(path), **settings), shape, list(classes), seed)


def equal(array: np.ndarray, tensor: Tensor) -> bool:
    return np.array_equal(array, tensor.numpy())


@pytest.mark.parametrize("classes", ["abc", "abcdefg"], ids=["other classes", "as many classes"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resnet18", ARGUMENTS),
        ("vit_tiny_patch16_224", VIT | {"img_size": 32}),
        ("deit_tiny_distilled_patch16_224", VIT | {"img_size": 32}),
        ("convnext_atto", {"dims": [4, 4, 4, 4], "depths": [1, 1, 1, 1]}),
    ],
)
def test_the_backbone_is_the_file_s_and_the_head_is_drawn_anew(
    name: str, arguments: Mapping[str, Any], classes: str, tmp_path: Path
) -> None:
    path = tmp_path / "pretrained.safetensors"
    file = saved(path, name, **arguments)
    first, other = (built(path, classes, seed, name=name, arguments=arguments) for seed in (0, 1))
    theta0 = states.backbone(first)
    assert theta0, "a backbone"
    assert all(equal(array, file[key]) for key, array in theta0.items())
    assert all(np.array_equal(array, states.backbone(other)[key]) for key, array in theta0.items()), "of every seed"
    for head in architectures.heads(first):
        drawn = [states.state(model)[f"{head}weight"] for model in (first, other)]
        assert len(drawn[0]) == len(classes)
        assert not np.array_equal(*drawn)
        assert not any(equal(weight, file[f"{head}weight"]) for weight in drawn)
    assert "state_dict" not in first.pretrained_cfg


def test_a_model_with_theta0_needs_the_file_no_more(tmp_path: Path) -> None:
    path = tmp_path / "pretrained.safetensors"
    saved(path, **ARGUMENTS)
    theta0 = states.backbone(built(path))
    path.unlink()
    settings = Model(name="resnet18", arguments=ARGUMENTS, weights=str(path))
    again = states.backbone(building.build(settings, SHAPE, ["d", "e"], 0, theta0))
    assert all(np.array_equal(again[key], array) for key, array in theta0.items())


def test_timm_fits_them_to_grey_images_and_to_images_of_another_size(tmp_path: Path) -> None:
    file = saved(tmp_path / "resnet.safetensors", **ARGUMENTS)
    grey = states.backbone(built(tmp_path / "resnet.safetensors", shape=(1, 32, 32)))
    assert np.allclose(grey["conv1.weight"], file["conv1.weight"].sum(dim=1, keepdim=True), atol=1e-6)

    file = saved(tmp_path / "vit.safetensors", "vit_tiny_patch16_224", img_size=64, **VIT)
    smaller = {"name": "vit_tiny_patch16_224", "arguments": VIT | {"img_size": 32}}
    theta0 = states.backbone(built(tmp_path / "vit.safetensors", **smaller))
    assert theta0["pos_embed"].shape == (1, 1 + 4 * 4, 12)
    assert all(equal(array, file[key]) for key, array in theta0.items() if key != "pos_embed")


def test_a_cifar_stem_is_the_file_s_only_if_the_file_has_one(tmp_path: Path) -> None:
    path = tmp_path / "pretrained.safetensors"
    file = saved(path, **ARGUMENTS)
    stems = [states.backbone(built(path, seed=seed, stem="cifar")) for seed in (0, 1)]
    assert stems[0]["conv1.weight"].shape == (64, 3, 3, 3)
    assert not np.array_equal(*(theta0["conv1.weight"] for theta0 in stems)), "drawn from the seed"
    assert all(equal(array, file[key]) for key, array in stems[0].items() if key != "conv1.weight")

    file["conv1.weight"] = torch.randn(64, 3, 3, 3)
    save_file(file, path)
    assert all(equal(array, file[key]) for key, array in states.backbone(built(path, stem="cifar")).items())


def test_a_file_of_another_model_is_told_before_any_job(tmp_path: Path) -> None:
    path = tmp_path / "pretrained.safetensors"
    told = f"mine.yaml: model.weights: '{path}' "

    def finding(**model: Any) -> str:
        with pytest.raises(ConfigError) as raised:
            parse_config(changed({"model": {"name": "resnet18", "weights": str(path)} | model}), "mine.yaml")
        return str(raised.value)

    another = f"{told}is of another model: "
    saved(path, "resnet34", **ARGUMENTS)
    assert_told(finding(arguments=ARGUMENTS), f"{another}'layer1.2.bn1.bias' is not in the model; choose the model ...")
    saved(path, **ARGUMENTS)
    assert_told(
        finding(name="resnet34", arguments=ARGUMENTS), f"{another}'layer1.2.bn1.bias' is not in the file; choose ..."
    )
    assert_told(
        finding(arguments={"channels": [8, 4, 4, 4]}),
        f"{another}'layer1.0.conv1.weight' is 4 x 64 x 3 x 3 in the file, 8 x 64 x 3 x 3 in the model; choose ...",
    )
    assert_told(finding(arguments={"pretrained": True}), "mine.yaml: model.weights: pretrained ... too; remove one")
    path.write_bytes(b"no safetensors")
    assert_told(finding(), f"{told}is not readable as safetensors (...); save it anew")
