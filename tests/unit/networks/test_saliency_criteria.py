"""Facts about saliencies at initialisation: what they are by hand and by finite differences, and what they keep."""

import numpy as np
import pytest
import torch
from small_networks import MLP, RESNET, VIT
from torch import Tensor, nn
from torch.nn import functional

from dilt.networks import architectures, building
from dilt.networks.saliency_criteria import (
    OF_IMAGES,
    OF_NO_IMAGES,
    TEMPERATURE,
    flow_scores,
    grasp,
    grasp_scores,
    linearised,
    snip,
    synflow,
)
from dilt.settings.networks import Model
from dilt.tickets.masks import Mask
from dilt.tickets.names import CRITERIA
from dilt.tickets.pruning import Saliencies, prune_to_count

SHAPE = (3, 32, 32)
OF_ALL = pytest.mark.parametrize("settings", [MLP, RESNET, VIT], ids=["mlp", "resnet", "vit"])


class OneLayer(nn.Module):
    """Logits that are a product of the pixels with a matrix."""

    def __init__(self, weight: list[list[float]]) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2, bias=False)
        self.linear.weight.data = torch.tensor(weight, dtype=torch.float32)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.linear(images.flatten(1))
        return logits


class Smooth(nn.Module):
    """A small network with batch norm, whose gradients have gradients everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(4, 5, bias=False), nn.BatchNorm1d(5), nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.second(torch.tanh(self.norm(self.first(images.flatten(1)))))
        return outputs


def built(settings: Model) -> nn.Module:
    return building.build(settings, SHAPE, ["a", "b", "c"], seed=0)


def sample(number: int = 12, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(number, *shape, generator=draws), torch.arange(number) % 3


def scored(criterion: str, model: nn.Module) -> Saliencies:
    names = list(architectures.prunable(model))
    if criterion in OF_IMAGES:
        return OF_IMAGES[criterion](model, names, *sample())
    return OF_NO_IMAGES[criterion](model, names, SHAPE)


def test_the_criteria_are_those_that_tickets_can_have() -> None:
    assert {*OF_IMAGES, *OF_NO_IMAGES} == set(CRITERIA)


def test_snip_is_a_weight_times_its_gradient_by_hand() -> None:
    """Logits (1, 1) for the image (1, 2): the gradient of the cross-entropy of class 0 is (-1/2, 1/2) times it."""
    model = OneLayer([[1, 0], [-1, 1]])
    found = snip(model, ["linear.weight"], torch.tensor([[1.0, 2.0]]), torch.tensor([0]))["linear.weight"]
    np.testing.assert_allclose(found, np.array([[0.5, 0], [0.5, 1]]) / 2)
    assert found.dtype == np.float32


def test_grasp_follows_finite_differences_of_the_gradient_s_squared_norm() -> None:
    torch.manual_seed(0)
    model = Smooth().double().train()
    images, labels = sample(150, (4,))  # three batches, each with statistics of its own
    images = images.double()
    weights = {name: model.get_parameter(name) for name in ("first.weight", "second.weight")}

    def half_squared_norm() -> float:
        parts = zip(images.tensor_split(3), labels.tensor_split(3), strict=True)
        loss = sum(len(y) / 150 * functional.cross_entropy(model(x) / TEMPERATURE, y) for x, y in parts)
        return sum(float(g.square().sum()) for g in torch.autograd.grad(loss, list(weights.values()))) / 2

    found = grasp_scores(model, weights, images, labels)
    for name, weight in weights.items():
        for place in np.ndindex(*weight.shape):
            values, step = [], 1e-5
            for sign in (1, -1):
                with torch.no_grad():
                    weight[place] += sign * step
                values.append(half_squared_norm())
                with torch.no_grad():
                    weight[place] -= sign * step
            expected = weight[place].item() * (values[0] - values[1]) / (2 * step)
            assert float(found[name][place]) == pytest.approx(expected, rel=1e-4, abs=1e-13)


def test_grasp_ranks_the_largest_highest() -> None:
    torch.manual_seed(0)
    model, (images, labels) = Smooth().train(), sample(30, (4,))
    names = ["first.weight", "second.weight"]
    scores = grasp_scores(model, {name: model.get_parameter(name) for name in names}, images, labels)
    ranks = grasp(model, names, images, labels)
    flat, order = (np.concatenate([np.ravel(found[name]) for name in names]) for found in (scores, ranks))
    assert sorted(order) == list(range(35))
    assert np.array_equal(np.argsort(order), np.argsort(flat))
    assert flat.min() < 0 < flat.max()


def test_synflow_is_conserved_from_layer_to_layer() -> None:
    """The scores of each layer of a network without biases add up to the sum of its outputs (theorem 2)."""
    model = built(MLP)
    network = linearised(model)
    names = [name for name, parameter in network.named_parameters() if parameter.ndim == 2]
    assert names == [*architectures.prunable(model), "head.weight"]
    ones = torch.ones(1, *SHAPE, dtype=torch.float64)
    scores = flow_scores(network, {name: network.get_parameter(name) for name in names}, ones)
    expected = network(ones).sum().item()
    assert expected > 0
    np.testing.assert_allclose([score.sum().item() for score in scores.values()], expected, rtol=1e-10)


@pytest.mark.parametrize(("settings", "fewest"), [(MLP, 1), (RESNET, 50)], ids=["mlp", "resnet"])
def test_synflow_leaves_no_layer_empty(settings: Model, fewest: int) -> None:
    """Down to one path through a perceptron; a residual block, which its shortcut passes by, may be gone before."""
    saliencies = scored("synflow", built(settings))
    dense = Mask.full({name: saliency.shape for name, saliency in saliencies.items()})
    assert min(prune_to_count(saliencies, dense, fewest * len(dense.names), "global").counts.values()) > 0


def test_synflow_prunes_by_scores_under_the_mask_so_far() -> None:
    """The first iteration's 5 % are the smallest scores of the dense network, the next those of the pruned one."""
    model = built(MLP)
    network, names = linearised(model), list(architectures.prunable(model))
    weights = {name: network.get_parameter(name) for name in names}
    ones = torch.ones(1, *SHAPE, dtype=torch.float64)
    ranks = np.concatenate([saliency.ravel() for saliency in synflow(model, names, SHAPE).values()])
    first = int(0.05 * ranks.size)
    second = first + int(0.05 * (ranks.size - first))
    for start, end in ((0, first), (first, second)):
        scores = torch.cat([score.ravel() for score in flow_scores(network, weights, ones).values()]).numpy()
        removed, kept = (ranks >= start) & (ranks < end), ranks >= end
        assert removed.sum() == end - start
        assert scores[removed].max() <= scores[kept].min()
        gone = torch.from_numpy(ranks < end).split([weight.numel() for weight in weights.values()])
        with torch.no_grad():
            for weight, out in zip(weights.values(), gone, strict=True):
                weight[out.view(weight.shape)] = 0


@OF_ALL
@pytest.mark.parametrize("criterion", CRITERIA)
def test_saliencies_cover_the_prunable_weights_and_give_nested_masks_of_any_count(
    settings: Model, criterion: str
) -> None:
    model = built(settings)
    saliencies, again = scored(criterion, model), scored(criterion, model)
    assert {name: found.shape for name, found in saliencies.items()} == {
        name: tuple(weight.shape) for name, weight in architectures.prunable(model).items()
    }
    assert all(np.array_equal(found, again[name]) for name, found in saliencies.items())
    assert all(found.dtype == np.float32 and found.min() >= 0 for found in saliencies.values())
    mask = Mask.full({name: found.shape for name, found in saliencies.items()})
    for count in (mask.size // 2, mask.size // 10, 7):
        sparser = prune_to_count(saliencies, mask, count, "global")
        assert sparser.count == count
        assert sparser <= mask
        mask = sparser


@OF_ALL
@pytest.mark.parametrize("criterion", CRITERIA)
def test_scoring_leaves_the_network_as_it_is(settings: Model, criterion: str) -> None:
    model = built(settings)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    scored(criterion, model)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("criterion", CRITERIA)
def test_norms_that_are_zero_at_the_start_do_not_make_their_blocks_worthless(criterion: str) -> None:
    model = building.build(
        RESNET.model_copy(update={"arguments": {**RESNET.arguments, "zero_init_last": True}}),
        SHAPE,
        ["a", "b", "c"],
        seed=0,
    )
    assert not model.layer1[0].bn2.weight.any()
    saliencies = scored(criterion, model)
    assert len(np.unique(saliencies["layer1.0.conv1.weight"])) > 100


def test_a_network_without_any_signal_is_told() -> None:
    model = OneLayer([[0, 0], [0, 0]])
    with pytest.raises(ValueError, match=r"SNIP cannot rank .* add up to 0\.0; leave tickets of snip out"):
        snip(model, ["linear.weight"], torch.tensor([[1.0, 2.0]]), torch.tensor([0]))
    with pytest.raises(ValueError, match=r"SynFlow cannot rank .* leave tickets of synflow out"):
        synflow(model, ["linear.weight"], (1, 1, 2))
