"""Facts about networks: what is pruned, what is observed, and that theta0 alone makes the backbone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, MLP, RESNET, VIT, mask_of

import dilt
from dilt.foundations.storage import read_tensors, write_tensors
from dilt.networks import architectures, building, states
from dilt.networks.features import features
from dilt.networks.outputs import logits
from dilt.settings.networks import Model
from dilt.tickets.mask_files import write_mask
from dilt.tickets.masks import Mask

SHAPE = (1, 32, 32)
EACH = pytest.mark.parametrize("settings", [MLP, RESNET, VIT], ids=lambda settings: settings.name)


def built(settings: Model, classes: tuple[str, ...] = ("a", "b", "c"), seed: int = 0) -> torch.nn.Module:
    return building.build(settings, SHAPE, classes, seed)


@EACH
def test_conv_and_linear_weights_of_the_backbone_are_prunable(settings: Model) -> None:
    model = built(settings)
    found = architectures.prunable(model)
    heads = {"mlp": "head.", "resnet18": "fc.", "vit_tiny_patch16_224": "head."}
    for name, parameter in model.named_parameters():
        should = parameter.ndim > 1 and not name.startswith((heads[settings.name], "pos_embed", "cls_token"))
        assert (name in found) == should, name
    assert next(iter(found.values())) is dict(model.named_parameters())[next(iter(found))]


def test_excluded_weights_are_not_prunable() -> None:
    everything, some = architectures.prunable(built(MLP)), architectures.prunable(built(MLP), ["blocks.0.*"])
    assert set(everything) - set(some) == {"blocks.0.linear.weight"}
    with pytest.raises(ValueError, match="leaves no weight of the model to prune"):
        architectures.prunable(built(MLP), ["blocks.*"])


@EACH
def test_blocks_are_those_of_the_architecture(settings: Model) -> None:
    expected = {
        "mlp": [f"blocks.{i}" for i in range(3)],
        "resnet18": [f"layer{stage}.{i}" for stage in range(1, 5) for i in range(2)],
        "vit_tiny_patch16_224": ["blocks.0", "blocks.1"],
    }
    model = built(settings)
    assert list(architectures.blocks(model)) == expected[settings.name]
    with pytest.raises(ValueError, match="the model has no block 'elsewhere'"):
        architectures.blocks(model, ["elsewhere"])


@EACH
def test_the_backbone_is_theta0_and_the_head_follows_from_seed_and_classes(settings: Model, tmp_path: Path) -> None:
    write_tensors(tmp_path / "theta0", states.backbone(built(settings)))
    theta0, _ = read_tensors(tmp_path / "theta0")

    def heads_and_backbones(classes: tuple[str, ...], seed: int) -> tuple[bytes, bytes]:
        tensors = states.state(building.build(settings, SHAPE, classes, seed, theta0))
        head = {name: array for name, array in tensors.items() if name not in theta0}
        assert all(np.array_equal(tensors[name], array) for name, array in theta0.items())
        assert len(head) == 2
        return tuple(array.tobytes() for array in head.values())

    torch.manual_seed(99)  # the global state plays no part
    first = heads_and_backbones(("a", "b"), 0)
    torch.manual_seed(7)
    assert first == heads_and_backbones(("a", "b"), 0)
    assert first[0] not in (heads_and_backbones(("a", "b"), 1)[0], heads_and_backbones(("a", "c"), 0)[0])


@EACH
def test_theta0_follows_from_the_seed(settings: Model) -> None:
    first, again, other = (states.backbone(built(settings, seed=seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)


@EACH
def test_a_ticket_loads_into_a_model_in_one_call(settings: Model, tmp_path: Path) -> None:
    origin, model = built(settings), built(settings, seed=1)
    head = {name: array for name, array in states.state(model).items() if name.startswith(architectures.heads(model))}
    write_tensors(tmp_path / "theta0", states.backbone(origin))
    write_mask(tmp_path / "mask", mask_of(origin))
    mask = dilt.load_ticket(model, tmp_path / "theta0", tmp_path / "mask")
    assert mask == mask_of(origin)
    theta0, loaded = states.state(origin), states.state(model)
    for name, array in loaded.items():
        expected = np.where(mask[name], theta0[name], 0) if name in mask.names else theta0[name]
        assert np.array_equal(array, head.get(name, expected)), name


def test_a_ticket_of_another_network_is_refused(tmp_path: Path) -> None:
    wider = MLP.model_copy(update={"arguments": {"width": 9, "depth": 3}})
    with pytest.raises(ValueError, match=r"weights do not fit the model: 'blocks\.0\.linear\.bias'"):
        building.build(MLP, SHAPE, ("a", "b"), 0, states.backbone(built(wider)))
    with pytest.raises(ValueError, match=r"mask 'made elsewhere' does not fit the model: 'blocks\.0\.linear\.weight'"):
        states.apply_mask(built(MLP), mask_of(built(wider)).with_origin("made elsewhere"))
    with pytest.raises(ValueError, match="'gone' differs in name"):
        states.apply_mask(built(MLP), Mask({"gone": np.ones(2, dtype=bool)}))


def test_arguments_that_do_not_fit_are_explained() -> None:
    with pytest.raises(ValueError, match=r"model\.arguments: resnet18 cannot be built .*colour"):
        built(Model(name="resnet18", arguments={"colour": "red"}))


@EACH
def test_the_head_reads_the_features(settings: Model) -> None:
    model, data = built(settings), images(3, side=32)
    found = torch.from_numpy(features(model, data, CPU, "float32"))
    head = model.get_classifier() if hasattr(model, "get_classifier") else model.head
    with torch.no_grad():
        assert np.allclose(head(found).numpy(), logits(model, data, CPU, "float32"), atol=1e-5)


def test_images_that_a_model_cannot_take_are_told_before_it_is_trained() -> None:
    vit = Model(name="vit_tiny_patch16_224", arguments={"depth": 1})
    building.check_images(building.build(vit, (3, 224, 224), ["a", "b"], 0), (3, 224, 224))
    with pytest.raises(ValueError, match=r"image_size: the model takes no images of 3 x 64 x 64 \(.*224"):
        building.check_images(building.build(vit, (3, 64, 64), ["a", "b"], 0), (3, 64, 64))


def test_a_model_without_weights_to_prune_is_told() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LayerNorm(4))
    network.pretrained_cfg = {"classifier": "head"}
    with pytest.raises(ValueError, match=r"model\.name: no Conv or Linear weight to prune besides the head; choose"):
        architectures.prunable(network)
