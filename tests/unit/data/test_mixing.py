"""Facts about mixed images: shares and parts are timm's, and pairs do not depend on how a batch is shared out."""

import numpy as np
import pytest
import torch
from timm.data.mixup import Mixup

from dilt.data.mixing import Mix, draw_mix
from dilt.settings.training import Views

SHAPE = (3, 16, 24)
BOTH = Views(mixup=0.8, cutmix=1.0)


def batch() -> torch.Tensor:
    return torch.arange(4.0)[:, None, None, None].expand(4, *SHAPE).contiguous()


def test_without_mixing_nothing_is_drawn() -> None:
    assert draw_mix(Views(), SHAPE, 0, "full", 0) is None


def test_mixed_images_are_weighted_sums_of_pairs_and_so_are_losses() -> None:
    mix = Mix(0.75)
    assert mix.images(batch())[:, 0, 0, 0].tolist() == [0.5, 1.5, 1.5, 2.5]
    loss = mix.loss(lambda labels: labels.double().mean(), torch.tensor([0, 0, 8, 8]))
    assert loss.item() == 0.75 * 4 + 0.25 * 4
    first = mix.loss(lambda labels: labels[0].double(), torch.tensor([0, 0, 8, 8]))
    assert first.item() == 0.25 * 8


def test_a_part_comes_from_the_partner() -> None:
    mixed = Mix(0.9, (2, 5, 1, 7)).images(batch())
    inside = torch.zeros(SHAPE[1:], dtype=torch.bool)
    inside[2:5, 1:7] = True
    for index, partner in enumerate([2, 3, 0, 1]):
        assert (mixed[index][:, inside] == partner).all()
        assert (mixed[index][:, ~inside] == index).all()


def test_the_share_of_a_part_is_that_of_its_pixels() -> None:
    for step in range(200):
        mix = draw_mix(Views(cutmix=1.0), SHAPE, 0, "full", step)
        assert mix is not None and mix.box is not None  # noqa: PT018
        top, bottom, left, right = mix.box
        assert 0 <= top <= bottom <= SHAPE[1]
        assert 0 <= left <= right <= SHAPE[2]
        assert mix.share == pytest.approx(1 - (bottom - top) * (right - left) / (SHAPE[1] * SHAPE[2]))


def test_draws_follow_from_seed_order_and_step() -> None:
    assert draw_mix(BOTH, SHAPE, 0, "full", 3) == draw_mix(BOTH, SHAPE, 0, "full", 3)
    drawn = {draw_mix(BOTH, SHAPE, *of) for of in ((0, "full", 3), (1, "full", 3), (0, "low", 3), (0, "full", 4))}
    assert len(drawn) == 4


def test_shares_are_distributed_as_timms_are() -> None:
    """Of both kinds, half of the steps each."""
    np.random.seed(0)  # noqa: NPY002
    theirs = Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, num_classes=2)
    drawn = [theirs._params_per_batch() for _ in range(4000)]
    ours = [draw_mix(BOTH, SHAPE, 0, "full", step) for step in range(4000)]
    cuts = [mix for mix in ours if mix is not None and mix.box is not None]
    assert len(cuts) == pytest.approx(2000, abs=150)
    mixed = [mix.share for mix in ours if mix is not None and mix.box is None]
    expected = [share for share, is_cut in drawn if not is_cut]
    assert np.quantile(mixed, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(expected, [0.1, 0.5, 0.9]), abs=0.05)
    from timm.data.mixup import cutmix_bbox_and_lam

    boxed = [cutmix_bbox_and_lam((1, *SHAPE), share)[1] for share, is_cut in drawn if is_cut]
    shares = [mix.share for mix in cuts]
    assert np.quantile(shares, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(boxed, [0.1, 0.5, 0.9]), abs=0.05)


@pytest.mark.parametrize("mix", [Mix(0.6), Mix(0.6, (0, 8, 4, 20))])
def test_two_gpus_mix_the_pairs_that_one_mixes(mix: Mix) -> None:
    images = torch.randn(8, *SHAPE)
    whole = mix.images(images)
    for rank in range(2):
        assert torch.equal(mix.images(images[rank::2]), whole[rank::2])
