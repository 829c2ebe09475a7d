"""Facts about what follows from a network's structure: heads, prunable weights, blocks, and stems for small images."""

import pytest
import torch
from torch import nn

from dilt.networks import architectures, building, features, states
from dilt.settings.networks import Model
from dilt.tickets.masks import Mask

# Prunable weights, blocks, side of the images.
KNOWN = {
    "resnet18": (20, 8, 32),  # the stem, 8 x 2, 3 projections
    "resnet50": (53, 16, 32),  # the stem, 16 x 3, 4 projections
    "vit_tiny_patch16_224": (49, 12, 224),  # patch embedding, 12 x (qkv, proj, fc1, fc2)
    "vit_small_patch16_224": (49, 12, 224),
    "deit_tiny_patch16_224": (49, 12, 224),
    "deit_tiny_distilled_patch16_224": (49, 12, 224),
    "convnext_atto": (40, 12, 32),  # the stem, 12 x 3, 3 downsamplings
    "mobilenetv3_small_100": (53, 12, 32),
    "efficientnet_b0": (81, 16, 32),
}
HEADS = {
    "resnet18": ("fc.",),
    "deit_tiny_distilled_patch16_224": ("head.", "head_dist."),
    "convnext_atto": ("head.fc.",),
    "efficientnet_b0": ("classifier.",),
}
# The same architectures in a size that builds in no time.
VIT = {"img_size": 32, "patch_size": 8, "depth": 2, "embed_dim": 12, "num_heads": 3}
RESNET = {"channels": [8, 8, 8, 8]}
SMALL = {
    "resnet18": RESNET,
    "resnet50": RESNET,
    "vit_tiny_patch16_224": VIT,
    "vit_small_patch16_224": VIT,
    "deit_tiny_patch16_224": VIT,
    "deit_tiny_distilled_patch16_224": VIT,
    "convnext_atto": {"dims": [8, 8, 8, 8], "depths": [1, 1, 2, 1]},
    "mobilenetv3_small_100": {},
    "efficientnet_b0": {},
}
TOKENS = ("cls_token", "dist_token", "pos_embed")


def skeleton(name: str, side: int = 32, **settings: object) -> nn.Module:
    return building.skeleton(Model(name=name, **settings), (3, side, side), 10)


def outputs(model: nn.Module, side: int) -> dict[str, tuple[int, ...]]:
    """Shape of each block's output for one image, in the order in which they are computed."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, block in architectures.blocks(model).items():
        block.register_forward_hook(lambda module, inputs, output, name=name: shapes.update({name: output.shape}))
    building.check_images(model, (3, side, side))
    return shapes


@pytest.mark.parametrize("name", KNOWN)
def test_all_convolutions_and_linear_layers_but_the_head_are_prunable(name: str) -> None:
    model = skeleton(name, KNOWN[name][2])
    prunable, roles = architectures.prunable(model), architectures.roles(model)
    head = architectures.heads(model)
    for parameter, tensor in model.named_parameters():
        assert (parameter in prunable) == (tensor.ndim > 1 and not parameter.startswith((*head, *TOKENS))), parameter
    assert len(prunable) == KNOWN[name][0]
    assert head == HEADS.get(name, head)
    assert all(not model.get_submodule(part[:-1]).weight.shape[0] - 10 for part in head), "a head has an output a class"
    assert list(roles) == [parameter for parameter, _ in model.named_parameters()]
    assert {parameter for parameter, role in roles.items() if role == "head"} == {
        parameter for parameter in roles if parameter.startswith(head)
    }


@pytest.mark.parametrize("name", KNOWN)
def test_blocks_are_the_residual_or_transformer_blocks_in_depth_order(name: str) -> None:
    _, num_blocks, side = KNOWN[name]
    model = skeleton(name, side)
    assert len(architectures.blocks(model)) == num_blocks
    assert list(outputs(model, side)) == list(architectures.blocks(model))


@pytest.mark.parametrize(
    ("name", "num_blocks"),
    [
        ("swin_tiny_patch4_window7_224", 2 + 2 + 6 + 2),
        ("regnety_002", 1 + 1 + 4 + 7),  # blocks that are no members of a sequence
        ("densenet121", 6 + 12 + 24 + 16),
        ("skresnet18", 8),  # whose blocks have sequences inside
        ("vgg11", 8),  # convolutions
        ("pvt_v2_b0", 8),  # timm numbers its stages
        ("caformer_s18", 3 + 3 + 9 + 3),  # timm numbers nothing; its head is a sequence too
        ("inception_v3", 5 + 11),  # no sequences at all: the model's parts
    ],
)
def test_other_architectures_have_their_blocks_too(name: str, num_blocks: int) -> None:
    assert len(architectures.blocks(skeleton(name))) == num_blocks


@pytest.mark.parametrize("name", SMALL)
def test_each_architecture_is_drawn_from_the_seed_masked_and_given_another_head(name: str) -> None:
    settings, shape = Model(name=name, arguments=SMALL[name]), (3, 32, 32)
    model, again = (building.build(settings, shape, ["a", "b"], 0) for _ in range(2))
    theta0 = states.backbone(model)
    assert all((theta0[tensor] == array).all() for tensor, array in states.backbone(again).items())

    weights = architectures.prunable(model)
    mask = Mask({weight: (torch.rand(tensor.shape) < 0.5).numpy() for weight, tensor in weights.items()})
    states.apply_mask(model, mask)
    for weight, tensor in weights.items():
        assert torch.equal(tensor, torch.from_numpy(theta0[weight] * mask[weight])), weight

    other = building.build(settings, shape, ["c", "d", "e"], 1, theta0)
    assert all((states.state(other)[tensor] == array).all() for tensor, array in theta0.items())
    assert other(torch.zeros(2, *shape)).shape == (2, 3)


def test_patch_embedding_and_projections_can_be_left_unpruned() -> None:
    model = skeleton("vit_tiny_patch16_224", 224)
    everything = set(architectures.prunable(model))
    left = everything - set(architectures.prunable(model, ["patch_embed.*", "*.qkv.weight"]))
    assert left == {"patch_embed.proj.weight"} | {f"blocks.{block}.attn.qkv.weight" for block in range(12)}
    assert architectures.roles(model, ["*.qkv.*"])["blocks.3.attn.qkv.weight"] == "excluded by '*.qkv.*'"


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("resnet18", {"conv1.weight"}),
        ("vit_tiny_patch16_224", {"patch_embed.proj.weight"}),
    ],
)
def test_what_reads_three_channels_is_left_dense_where_inputs_have_to_be_in_groups(name: str, left: set[str]) -> None:
    model = skeleton(name, 224)
    assert set(architectures.prunable(model)) - set(architectures.prunable(model, group=4)) == left
    assert {n for n, role in architectures.roles(model, group=4).items() if role == "inputs not in groups of 4"} == left


def test_depthwise_and_transposed_convolutions_are_left_dense_where_inputs_have_to_be_in_groups() -> None:
    model = nn.Sequential(
        nn.Conv2d(8, 8, 3, groups=8), nn.ConvTranspose2d(8, 8, 3), nn.Conv2d(8, 8, 3, groups=2), nn.Conv1d(8, 4, 1)
    )
    model.pretrained_cfg = {"classifier": None}
    assert list(architectures.prunable(model, group=4)) == ["2.weight", "3.weight"]
    with pytest.raises(ValueError, match=r"pruning\.pattern: no weight of the model has inputs in whole groups of 16;"):
        architectures.prunable(model, group=16)
    with pytest.raises(ValueError, match=r"pruning\.exclude: .* leaves no weight"):
        architectures.prunable(model, ["*"], group=16)


def test_heads_are_what_timm_calls_classifiers_whatever_is_in_them() -> None:
    assert architectures.heads(skeleton("levit_128s")) == (
        *("head.", "head.linear.", "head_dist.", "head_dist.linear."),
    )
    assert "head.fc." in architectures.heads(skeleton("caformer_s18")), "a head with a hidden layer"
    assert "aux_head." in architectures.heads(skeleton("volo_d1_224"))


def test_a_shared_weight_is_pruned_once_and_transposed_convolutions_are_convolutions() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.ConvTranspose2d(1, 2, 3), nn.LayerNorm(4))
    model[1].weight = model[0].weight
    model.pretrained_cfg = {"classifier": None}
    assert list(architectures.prunable(model)) == ["0.weight", "2.weight"]
    assert architectures.roles(model)["3.weight"] == "normalisation"


@pytest.mark.parametrize(
    ("name", "factor"),
    [("resnet18", 4), ("resnet50", 4), ("resnet18d", 4), ("efficientnet_b0", 2), ("mobilenetv3_small_100", 2)],
)
def test_a_cifar_stem_keeps_the_resolution_of_small_images(name: str, factor: int) -> None:
    standard, small = (outputs(skeleton(name, stem=stem), 64) for stem in ("standard", "cifar"))
    assert list(standard) == list(small)
    for block, (*_, height, width) in standard.items():
        assert small[block][2:] == (factor * height, factor * width), block
    weights = (architectures.prunable(skeleton(name, stem=stem)) for stem in ("standard", "cifar"))
    changed = [a for (a, one), other in zip(next(weights).items(), next(weights).values(), strict=True)
               if one.shape != other.shape]  # fmt: skip
    assert changed == (["conv1.weight"] if name in ("resnet18", "resnet50") else [])


def test_a_cifar_stem_is_drawn_from_the_seed() -> None:
    settings = Model(name="resnet18", arguments=RESNET, stem="cifar")
    stems = [states.backbone(building.build(settings, (3, 32, 32), ["a", "b"], s))["conv1.weight"] for s in (0, 0, 1)]
    assert stems[0].shape == (64, 3, 3, 3)
    assert (stems[0] == stems[1]).all()
    assert not (stems[0] == stems[2]).any()


def test_of_several_outputs_the_first_with_a_row_per_image_is_taken() -> None:
    output = torch.rand(2, 5, 4, 4)
    assert features.tensor(((4, 4), torch.rand(8, 3), output), 2) is output
    with pytest.raises(ValueError, match=r"representations\.layers: a block's output has no row per image; name other"):
        features.tensor(torch.rand(8, 3, 4), 2)
