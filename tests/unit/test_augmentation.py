"""Facts about augmentation: images move and are mirrored, each as its own draw says, and draws follow from the seed."""

import numpy as np
import pytest
import torch
from builders import images
from networks import CPU

from dilt.augmentation import draw_moves, move, normalise


def picture() -> torch.Tensor:
    return torch.arange(1.0, 1 + 2 * 2 * 4 * 4).reshape(2, 2, 4, 4)


def test_an_image_that_does_not_move_stays_as_it_is() -> None:
    assert torch.equal(move(picture(), torch.zeros(2, 3, dtype=torch.int64)), picture())


def test_an_image_moves_down_and_right_and_the_mean_comes_in() -> None:
    moved = move(picture(), torch.tensor([[1, 2, 0], [0, -1, 0]]))
    assert torch.equal(moved[0, :, 1:, 2:], picture()[0, :, :-1, :-2])
    assert not moved[0, :, 0].any()
    assert not moved[0, :, :, :2].any()
    assert torch.equal(moved[1, :, :, :-1], picture()[1, :, :, 1:])


def test_an_image_can_be_mirrored() -> None:
    moved = move(picture(), torch.tensor([[0, 0, 1], [0, 0, 0]]))
    assert torch.equal(moved, torch.stack([picture()[0].flip(-1), picture()[1]]))


@pytest.mark.parametrize(("augmentation", "mirrors"), [("crop", [0]), ("crop-flip", [0, 1])])
def test_draws_reach_an_eighth_and_follow_from_seed_order_and_epoch(augmentation: str, mirrors: list[int]) -> None:
    data = images(per_class=100, side=16)
    draws = draw_moves(augmentation, data, 0, "full", 0, CPU)
    assert [sorted(set(column.tolist())) for column in draws.T] == [[-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], mirrors]
    assert torch.equal(draws, draw_moves(augmentation, data, 0, "full", 0, CPU))
    for other in ((1, "full", 0), (0, "low", 0), (0, "full", 1)):
        assert not torch.equal(draws, draw_moves(augmentation, data, *other, CPU))
    assert draw_moves("none", data, 0, "full", 0, CPU) is None


def test_normalised_pixels_have_mean_zero_and_deviation_one() -> None:
    data = images(per_class=100)
    values = data.pixels / 255
    exact = type(data)(data.pixels, data.labels, data.classes, (values.mean(),), (values.std(),))
    normal = normalise(torch.from_numpy(np.array(data.pixels)), exact)
    assert normal.mean().item() == pytest.approx(0, abs=1e-5)
    assert normal.std(unbiased=False).item() == pytest.approx(1, abs=1e-5)
