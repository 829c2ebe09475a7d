"""Facts about the command that shows a model: it lists what is pruned and observed, and tells what is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from configurations import ROOT

from dilt import models
from dilt.networks import architectures, building
from dilt.settings.networks import Model


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What the command prints, or what it ends with."""
    monkeypatch.setattr(sys, "argv", ["dilt.models", *arguments])
    try:
        models.main()
    except SystemExit as ended:
        return str(ended.code)
    return capsys.readouterr().out


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    return lambda *arguments: shown(capsys, monkeypatch, *arguments)


@pytest.mark.parametrize(
    ("name", "last_line"),
    [
        ("resnet18", "11,166,912 of 11,181,642 parameters are prunable (99.9%), in 20 weights; 8 blocks are observed"),
        (
            "vit_tiny_patch16_224",
            "5,455,872 of 5,526,346 parameters are prunable (98.7%), in 49 weights; 12 blocks are observed",
        ),
        ("mlp", "33,792 of 35,914 parameters are prunable (94.1%), in 4 weights; 4 blocks are observed"),
    ],
)
def test_every_weight_and_block_is_listed_and_counted(show, name: str, last_line: str) -> None:
    weights, blocks, totals, line = show(name).strip().split("\n\n")
    shape = (1, 8, 8) if name == "mlp" else (3, 224, 224)
    model = building.skeleton(Model(name=name), shape, 10)
    rows = [row.split() for row in weights.splitlines()[1:]]
    assert [row[0] for row in rows if row[-1] == "yes"] == list(architectures.prunable(model))
    assert [row.split()[0] for row in blocks.splitlines()[1:]] == list(architectures.blocks(model))
    numbers = [int(re.split(r"\s{2,}", row)[1].replace(",", "")) for row in totals.splitlines()[1:]]
    assert sum(numbers) == sum(parameter.numel() for parameter in model.parameters())
    assert line == last_line


def test_patterns_arguments_stem_and_layers_show_their_effect(show) -> None:
    told = show(
        "vit_tiny_patch16_224", "--exclude", "patch_embed.*", "--arguments", '{"img_size": 32, "patch_size": 4}'
    )
    assert "no: excluded by 'patch_embed.*'" in told
    assert "65 x 192" in told, "8 x 8 patches and the class token"
    told = show(
        "resnet18", "--stem", "cifar", "--image-size", "32", "--layers", "maxpool", "layer4.1", "--classes", "7"
    )
    assert "64 x 32 x 32" in told
    assert "512 x 4 x 4" in told
    assert "7 x 512" in told
    assert told.endswith("2 blocks are observed\n")


def test_a_pattern_shows_what_it_leaves_dense(show) -> None:
    told = show("resnet18", "--pattern", "2:4")
    assert re.search(r"conv1.weight +Conv2d +64 x 3 x 7 x 7 +9,408 +no: inputs not in groups of 4\n", told)
    assert "11,157,504 of 11,181,642 parameters are prunable (99.8%), in 19 weights" in told
    assert "--pattern: '4:2': should be null, or N:M in quotes" in show("mlp", "--pattern", "4:2")


def test_a_configuration_gives_the_model_its_images_and_its_classes(show) -> None:
    told = show("--config", str(ROOT / "config.yaml"))
    assert "96 x 64" in told, "digits of 8 x 8"
    assert "6 x 96" in told, "six classes"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["resnet81"], "model.name: 'resnet81' is neither mlp nor a timm model; did you mean 'resnet18'?"),
        (["resnet18", "--arguments", "{"], "--arguments: '{' is not JSON"),
        (["resnet18", "--arguments", "3"], "--arguments: 3 is no mapping"),
        (["resnet18", "--arguments", '{"colour": 1}'], "model.arguments: resnet18 cannot be built from"),
        (["resnet18", "--exclude", "stem*"], "pruning.exclude: 'stem*' matches no weight"),
        (["resnet18", "--layers", "layer9"], "representations.layers: the model has no block 'layer9'"),
        (["vit_tiny_patch16_224", "--image-size", "32"], "image_size: the model takes no images of 3 x 32 x 32"),
        (["--config", "gone.yaml"], "gone.yaml: no such file"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(show, arguments: list[str], line: str) -> None:
    told = show(*arguments)
    assert told.startswith(f"python -m dilt.models: error: {line}")
    assert "\n" not in told


def test_an_unknown_name_ends_with_exit_code_1_and_nothing_heavy_is_loaded_for_it(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "dilt.models", "resnet81"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 1
    assert "| torch" not in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("python -m dilt.models: error: model.name: 'resnet81'")
