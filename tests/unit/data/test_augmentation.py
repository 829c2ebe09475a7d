"""Facts about augmentation: images move and are mirrored, each as its own draw says, and draws follow from the seed."""

import numpy as np
import pytest
import torch
from builders import images
from PIL import Image
from small_networks import CPU

from dilt.data.augmentation import denormalise, draw_moves, move, normalise
from dilt.settings.training import Views

CROPS = Views(augmentation="resized-crop")


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
    settings = Views(augmentation=augmentation)
    draws = draw_moves(settings, data, 0, "full", 0, CPU)
    assert [sorted(set(column.tolist())) for column in draws.T] == [[-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], mirrors]
    assert torch.equal(draws, draw_moves(settings, data, 0, "full", 0, CPU))
    for other in ((1, "full", 0), (0, "low", 0), (0, "full", 1)):
        assert not torch.equal(draws, draw_moves(settings, data, *other, CPU))
    assert draw_moves(Views(), data, 0, "full", 0, CPU) is None


def test_normalised_pixels_have_mean_zero_and_deviation_one() -> None:
    data = images(per_class=100)
    values = data.pixels / 255
    exact = type(data)(data.pixels, data.labels, data.classes, (values.mean(),), (values.std(),))
    normal = normalise(torch.from_numpy(np.array(data.pixels)), exact)
    assert normal.mean().item() == pytest.approx(0, abs=1e-5)
    assert normal.std(unbiased=False).item() == pytest.approx(1, abs=1e-5)


def test_pixels_come_back_from_normalised_images() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(denormalise(normalise(pixels, images()), images()), pixels)
    assert denormalise(torch.tensor([-99.0, 99.0]).reshape(1, 1, 1, 2), images()).flatten().tolist() == [0, 255]


def test_a_crop_of_a_quarter_is_enlarged_and_mirrored() -> None:
    """Against Pillow's bilinear enlargement, which is exact where the crop's pixels are whole."""
    pixels = np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32)
    crops = torch.tensor([[0.25, 0.5, 0.5, 0.5, 0], [0.25, 0.5, 0.5, 0.5, 1]])
    found = move(torch.from_numpy(pixels), crops).numpy()
    inner = slice(1, -1)  # at the edge, what lies beside the crop comes in
    for index, mirrored in enumerate((False, True)):
        part = Image.fromarray(pixels[index, 0, 2:6, 4:8]).resize((8, 8), Image.Resampling.BILINEAR)
        expected = np.asarray(part)[:, ::-1] if mirrored else np.asarray(part)
        assert np.allclose(found[index, 0, inner, inner], expected[inner, inner], atol=1e-5)


def test_the_whole_image_as_crop_stays_as_it_is() -> None:
    whole = torch.tensor([[0.0, 0, 1, 1, 0], [0, 0, 1, 1, 1]])
    assert torch.allclose(move(picture(), whole), torch.stack([picture()[0], picture()[1].flip(-1)]), atol=1e-5)


def test_resized_crops_are_of_the_areas_and_shapes_asked_for_and_follow_from_seed_order_and_epoch() -> None:
    data = images(per_class=500, side=16)
    draws = draw_moves(CROPS, data, 0, "full", 0, CPU)
    top, left, height, width, mirrored = draws.double().numpy().T
    assert np.all((top >= 0) & (left >= 0) & (top + height <= 1 + 1e-6) & (left + width <= 1 + 1e-6))
    area, ratio = height * width, width / height
    assert area.min() == pytest.approx(0.08, abs=0.01)
    assert area.max() > 0.95
    assert np.all((ratio > 3 / 4 - 1e-6) & (ratio < 4 / 3 + 1e-6))
    assert abs(np.log(ratio).mean()) < 0.02
    assert set(mirrored) == {0, 1}
    assert torch.equal(draws, draw_moves(CROPS, data, 0, "full", 0, CPU))
    for other in ((1, "full", 0), (0, "low", 0), (0, "full", 1)):
        assert not torch.equal(draws, draw_moves(CROPS, data, *other, CPU))


def test_resized_crops_are_drawn_as_torchvision_draws_them() -> None:
    from torchvision.transforms import RandomResizedCrop

    torch.manual_seed(0)
    image = torch.zeros(3, 1000, 1000)
    theirs = np.array([RandomResizedCrop.get_params(image, (0.08, 1), (3 / 4, 4 / 3)) for _ in range(4000)]) / 1000
    ours = draw_moves(CROPS, images(per_class=4000, num_classes=1), 0, "full", 0, CPU).numpy()[:, :4]
    assert np.allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=0.02)
    assert np.allclose(ours.std(axis=0), theirs.std(axis=0), atol=0.02)


def test_the_smallest_crop_can_be_set() -> None:
    draws = draw_moves(Views(augmentation="resized-crop", smallest_crop=0.5), images(per_class=500), 0, "full", 0, CPU)
    assert (draws[:, 2] * draws[:, 3]).min() == pytest.approx(0.5, abs=0.01)
