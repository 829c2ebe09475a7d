"""Facts about effective weights: they are those that a search of the network's graph, edge by edge, finds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from small_networks import MLP, RESNET, VIT
from torch import nn

from dilt.networks import architectures, building
from dilt.networks.paths import EffectiveWeights, _PositiveNetwork
from dilt.settings.networks import Model
from dilt.tickets.masks import Mask

IMAGE = (3, 32, 32)
MOBILENET = Model(name="mobilenetv3_small_050")


def build(settings: Model, image_shape: tuple[int, int, int] = IMAGE) -> nn.Module:
    torch.manual_seed(0)
    return building.create(settings, image_shape, 4)


def dense(network: nn.Module) -> Mask:
    return Mask.full({name: tuple(weight.shape) for name, weight in architectures.prunable(network).items()})


def random_mask(network: nn.Module, density: float, seed: int) -> Mask:
    draws = np.random.default_rng(seed)
    return Mask({name: draws.random(shape) < density for name, shape in dense(network).shapes.items()}, "random")


def without(mask: Mask, **dead: object) -> Mask:
    """The mask without parts of layers, given as index by layer; ``__`` stands for a point of the name."""
    layers = {name: kept.copy() for name, kept in mask.layers.items()}
    for name, index in dead.items():
        layers[name.replace("__", ".") + ".weight"][index] = False
    return Mask(layers)


# Edges as (name of the weight or None, from which units, their places, to which units, their places, weights' places).
Edges = list[tuple[str | None, str, np.ndarray, str, np.ndarray, np.ndarray]]


def convolution(name: str, of: str, to: str, shape: tuple[int, ...], side: int, stride: int, padding: int) -> Edges:
    """Edges of a convolution (outputs, inputs, kernel, kernel) of units (channels, side, side)."""
    after = (side + 2 * padding - shape[-1]) // stride + 1
    output, channel, down, right, row, column = np.indices((*shape, after, after)).reshape(6, -1)
    y, x = row * stride + down - padding, column * stride + right - padding
    inside = (y >= 0) & (y < side) & (x >= 0) & (x < side)
    places = np.ravel_multi_index((output, channel, down, right), shape)
    source, target = (channel * side + y) * side + x, (output * after + row) * after + column
    return [(name, of, source[inside], to, target[inside], places[inside])]


def unweighted(of: str, to: str, source: np.ndarray, target: np.ndarray) -> Edges:
    return [(None, of, source, to, target, np.zeros(0, dtype=int))]


def searched(edges: Edges, sizes: dict[str, int], mask: Mask) -> Mask:
    """Effective weights: live edges from a unit that an input reaches to one that an output reads. Edges in order."""
    live = [np.ones(len(e[2]), bool) if e[0] is None else mask[f"{e[0]}.weight"].ravel()[e[5]] for e in edges]
    reached = {name: np.full(size, name == "input") for name, size in sizes.items()}
    read = {name: np.full(size, name == "output") for name, size in sizes.items()}
    for (_, of, source, to, target, _), alive in zip(edges, live, strict=True):
        reached[to][target[alive & reached[of][source]]] = True
    for (_, of, source, to, target, _), alive in zip(edges[::-1], live[::-1], strict=True):
        read[of][source[alive & read[to][target]]] = True
    effective = {name: np.zeros(kept.shape, bool) for name, kept in mask.layers.items()}
    for (name, of, source, to, target, places), alive in zip(edges, live, strict=True):
        if name is not None:
            effective[f"{name}.weight"].ravel()[places[alive & reached[of][source] & read[to][target]]] = True
    return Mask(effective)


def resnet_edges(shapes: dict[str, tuple[int, ...]], side: int) -> tuple[Edges, dict[str, int]]:
    """Edges and units of a ResNet-18 with weights of such shapes, for images (3, side, side)."""
    edges: Edges = []
    sizes = {"input": 3 * side**2, "output": 1}

    def add(name: str, of: str, to: str, before: int, stride: int, padding: int) -> None:
        shape = shapes[f"{name}.weight"]
        edges.extend(convolution(name, of, to, shape, before, stride, padding))
        sizes[to] = shape[0] * (before // stride) ** 2

    add("conv1", "input", "stem", side, 2, 3)
    # Max pooling, 3 x 3 of stride 2: a convolution of each channel by itself, all of whose weights live.
    now, last, channels = side // 4, "pooled", shapes["conv1.weight"][0]
    for channel in range(channels):
        ((_, _, source, _, target, _),) = convolution("", "", "", (1, 1, 3, 3), side // 2, 2, 1)
        edges.extend(unweighted("stem", last, channel * (side // 2) ** 2 + source, channel * now**2 + target))
    sizes[last] = channels * now**2
    for block in (f"layer{stage}.{place}" for stage in range(1, 5) for place in range(2)):
        stride = 2 if block[5] > "1" and block.endswith("0") else 1
        add(f"{block}.conv1", last, f"{block}.inner", now, stride, 1)
        add(f"{block}.conv2", f"{block}.inner", block, now // stride, 1, 1)
        if f"{block}.downsample.0.weight" in shapes:
            add(f"{block}.downsample.0", last, block, now, stride, 0)
        else:
            edges.extend(unweighted(last, block, np.arange(sizes[last]), np.arange(sizes[last])))
        now, last = now // stride, block
    edges.extend(unweighted(last, "output", np.arange(sizes[last]), np.zeros(sizes[last], dtype=int)))
    return edges, sizes


@pytest.mark.parametrize("density", [0.05, 0.15, 0.3, 0.6])
@pytest.mark.parametrize("seed", range(5))
def test_in_a_perceptron_they_are_those_of_a_search(density: float, seed: int) -> None:
    network = build(MLP, (1, 4, 4))
    mask = random_mask(network, density, seed)
    edges, sizes, before = [], {"input": 16, "output": 8}, "input"
    for place, name in enumerate(mask.names):
        to = "output" if place == 2 else name
        sizes.setdefault(to, 8)
        outputs, inputs = np.indices(mask[name].shape).reshape(2, -1)
        edges.append((name.removesuffix(".weight"), before, inputs, to, outputs, np.arange(len(inputs))))
        before = to
    found = EffectiveWeights(network, (1, 4, 4))(mask)
    assert found == searched(edges, sizes, mask) <= mask
    if density < 0.2:
        assert found.count < mask.count


def test_layer_norms_carry_something_without_a_path() -> None:
    """The units that the first layer feeds are not read by the second, but their norm tells the other units of them."""
    network = build(MLP, (1, 4, 4))
    mask = without(dense(network), blocks__0__linear=np.s_[4:], blocks__1__linear=np.s_[:, :4])
    assert EffectiveWeights(network, (1, 4, 4))(mask).count == 0
    with torch.no_grad():
        for name, kept in mask.layers.items():
            network.get_parameter(name).mul_(torch.from_numpy(kept))
        logits = network(torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0)))
    assert not torch.allclose(logits[0], logits[1])


@pytest.mark.parametrize("density", [0.06, 0.1, 0.3, 1])
@pytest.mark.parametrize("seed", range(2))
def test_in_a_resnet_they_are_those_of_a_search(density: float, seed: int) -> None:
    """At 32 pixels the last feature maps have one, so that most of their kernels' weights meet padding alone."""
    network = build(RESNET)
    mask = random_mask(network, density, seed)
    found = EffectiveWeights(network, IMAGE)(mask)
    assert found == searched(*resnet_edges(mask.shapes, 32), mask)
    assert found.count < mask.count
    assert found.count > 0 or density < 0.1


def test_a_skip_connection_keeps_what_its_dead_block_does_not() -> None:
    network = build(RESNET, (3, 64, 64))
    everything = dense(network)
    effective = EffectiveWeights(network, (3, 64, 64))
    assert effective(everything) == everything
    # The second convolution of a block is dead: nobody reads the first; all before still flows past the block.
    mask = without(everything, layer2__1__conv2=np.s_[:])
    assert effective(mask) == without(mask, layer2__1__conv1=np.s_[:])
    # Where the shortcut is a convolution and dead too, nothing comes through.
    mask = without(everything, layer2__0__conv2=np.s_[:], layer2__0__downsample__0=np.s_[:])
    assert effective(mask).count == 0


HEAD = 4  # features of each of the 3 heads of the small ViT, whose rows of qkv are 12 of q, 12 of k, 12 of v


@pytest.mark.parametrize(
    ("dead", "with_it"),
    [
        # Nothing is to be weighed: queries and keys of the head are for nothing, and nothing comes to its outputs.
        (
            {"blocks__0__attn__qkv": np.s_[24 : 24 + HEAD]},
            {"blocks__0__attn__qkv": [*range(HEAD), *range(12, 12 + HEAD)], "blocks__0__attn__proj": np.s_[:, :HEAD]},
        ),
        # Without queries all keys weigh the same: values still flow.
        ({"blocks__1__attn__qkv": np.s_[:12]}, {"blocks__1__attn__qkv": np.s_[12:24]}),
        ({"blocks__1__attn__qkv": np.s_[12:24]}, {"blocks__1__attn__qkv": np.s_[:12]}),
        # A feature of one head's queries meets the same feature of its keys.
        ({"blocks__0__attn__qkv": 5}, {"blocks__0__attn__qkv": 17}),
        # Nobody reads what attention gives; the tokens flow past it. The class token has then seen no other token when
        # it comes to the last block, whose queries are read for it alone.
        (
            {"blocks__0__attn__proj": np.s_[:]},
            {"blocks__0__attn__qkv": np.s_[:], "blocks__1__attn__qkv": np.s_[:12]},
        ),
        ({"blocks__0__mlp__fc1": 7}, {"blocks__0__mlp__fc2": np.s_[:, 7]}),
    ],
    ids=["values", "queries", "keys", "feature", "projection", "hidden unit"],
)
@pytest.mark.parametrize("fused", [True, False])
def test_in_attention_queries_and_keys_need_values_and_each_other(
    dead: dict[str, object], with_it: dict[str, object], fused: bool
) -> None:
    network = build(VIT)
    for block in network.blocks:
        block.attn.fused_attn = fused
    mask = without(dense(network), **dead)
    assert EffectiveWeights(network, IMAGE)(mask) == without(mask, **with_it)


def test_positions_are_no_input() -> None:
    network = build(VIT)
    mask = without(dense(network), patch_embed__proj=np.s_[:])
    assert EffectiveWeights(network, IMAGE)(mask).count == 0
    mask = without(dense(network), patch_embed__proj=3)  # feature 3 is that of the position alone
    assert EffectiveWeights(network, IMAGE)(mask) == without(mask, blocks__0__attn__qkv=np.s_[:, 3])


def test_depthwise_convolutions_and_gates() -> None:
    network = build(MOBILENET, (3, 64, 64))
    effective = EffectiveWeights(network, (3, 64, 64))
    everything = effective(dense(network))
    assert {name for name, share in everything.densities.items() if share < 1} == {
        "blocks.4.1.conv_dw.weight",  # 5 x 5 on feature maps of 2 x 2: nine places are ever seen
        "blocks.4.2.conv_dw.weight",
    }
    assert everything.densities["blocks.4.1.conv_dw.weight"] == 9 / 25
    # A channel's only convolution is dead. It has no pixel to read and none to gate.
    mask = without(everything, blocks__0__0__conv_dw=5)
    assert effective(mask) == without(
        mask,
        conv_stem=5,
        blocks__0__0__se__conv_reduce=np.s_[:, 5],
        blocks__0__0__se__conv_expand=5,
        blocks__0__0__conv_pw=np.s_[:, 5],
    )
    # The gates are dead, and all that they gate flows on.
    mask = without(everything, blocks__0__0__se__conv_expand=np.s_[:])
    assert effective(mask) == without(mask, blocks__0__0__se__conv_reduce=np.s_[:])
    # Nothing reads a channel that is gated.
    mask = without(everything, blocks__0__0__conv_pw=np.s_[:, 5])
    found = effective(mask)
    assert found == without(mask, blocks__0__0__se__conv_expand=5)
    assert found["conv_stem.weight"][5].all()  # it is read through the other channels' gates


@pytest.mark.parametrize("pool", ["max", "avgmax", "catavgmax"])
def test_pooling_by_a_maximum_is_followed(pool: str) -> None:
    network = build(Model(name="test_byobnet", arguments={"global_pool": pool}))
    everything = dense(network)
    effective = EffectiveWeights(network, IMAGE)
    assert effective(everything).counts["stem.conv.weight"] == everything.counts["stem.conv.weight"]
    assert effective(without(everything, stem__conv=np.s_[:])).count == 0


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["MaxPool", "AdaptiveMaxPool"])
def test_a_maximum_passes_on_what_any_of_its_inputs_brings(kind: str, axes: int) -> None:
    convolution = getattr(nn, f"Conv{axes}d")
    network = nn.Sequential(convolution(1, 3, 1), getattr(nn, f"{kind}{axes}d")(2), convolution(3, 2, 1))
    everything = Mask.full({f"{at}.weight": tuple(network[at].weight.shape) for at in (0, 2)})
    effective = EffectiveWeights(network, (1, *[4] * axes))
    assert effective(everything) == everything
    assert effective(without(everything, **{"0": 1})) == without(everything, **{"0": 1, "2": np.s_[:, 1]})


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        *[
            (name, False)
            for name in ("test_resnet", "test_convnext", "test_nfnet", "test_efficientnet", "test_mambaout")
        ],
        *[(name, True) for name in ("test_vit", "test_vit3")],
    ],
)
def test_without_constants_it_need_not_be_told_what_inputs_bring(name: str, constants: bool) -> None:
    """Positions of a vision transformer arrive with no image. Where there are none, both ways are the same."""
    arguments = {"img_size": 32} if "vit" in name else {}
    network = build(Model(name=name, arguments=arguments))
    positive = _PositiveNetwork(network, IMAGE)
    assert positive.has_constants() == constants
    for seed, density in enumerate((0.05, 0.1, 0.3, 0.6, 1)):
        mask = random_mask(network, density, seed)
        found = Mask(positive.reached(mask, constants=True))
        assert EffectiveWeights(network, IMAGE)(mask) == found
        assert (Mask(positive.reached(mask, constants=False)) == found) or constants


@pytest.mark.parametrize("settings", [RESNET, VIT], ids=lambda settings: settings.name)
def test_threads_find_the_same(settings: Model) -> None:
    network = build(settings)
    masks = [random_mask(network, 0.1, seed) for seed in range(12)]
    effective = EffectiveWeights(network, IMAGE)
    alone = [effective(mask) for mask in masks]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(effective, masks)) == alone


@pytest.mark.parametrize("name", ["test_nfnet", "test_vit", "test_convnext", "test_efficientnet", "test_byobnet"])
def test_all_that_effective_weights_need_is_effective(name: str) -> None:
    arguments = {"img_size": 32} if name == "test_vit" else {}
    network = build(Model(name=name, arguments=arguments))
    effective = EffectiveWeights(network, IMAGE)
    mask = random_mask(network, 0.1, 0)
    found = effective(mask)
    assert 0 < found.count < mask.count
    assert effective(found) == found <= mask


@pytest.mark.parametrize("settings", [MLP, RESNET, VIT], ids=lambda settings: settings.name)
def test_biases_and_weights_do_not_matter_and_the_network_stays_as_it_was(settings: Model) -> None:
    network = build(settings).train()
    mask = random_mask(network, 0.1, 3)
    before = EffectiveWeights(network, IMAGE)(mask)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 1e20)
    kept = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert EffectiveWeights(network, IMAGE)(mask) == before
    assert network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(tensor, kept[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks or "forward" in vars(module) for module in network.modules())


def test_weights_outside_the_mask_are_dense_and_answers_do_not_depend_on_earlier_ones() -> None:
    network = build(MLP)
    effective = EffectiveWeights(network, IMAGE)
    whole = dense(network)
    part = Mask({name: whole[name] for name in whole.names[1:]})
    empty = without(whole, blocks__0__linear=np.s_[:])
    answers = [effective(mask).count for mask in (whole, empty, part, whole)]
    assert answers == [whole.count, 0, part.count, whole.count]


def test_a_mask_of_another_network_is_an_error() -> None:
    mask = dense(build(RESNET))
    with pytest.raises(ValueError, match=r"does not fit the network: 'conv1\.weight'"):
        EffectiveWeights(build(MLP), IMAGE)(mask)
