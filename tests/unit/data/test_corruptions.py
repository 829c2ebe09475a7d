"""Facts about corruptions: what each does to pixels, that sizes do not matter, and that draws follow from the image."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from dilt.data.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from dilt.settings.evaluation import Evaluation

SIDES = (8, 32, 224)


def photo(side: int = 32, channels: int = 3, number: int = 4) -> Tensor:
    """Smooth images: a few waves across each, away from black and white."""
    draws = np.random.default_rng(side)
    grid = np.arange(side) / side
    waves = [np.sin(2 * np.pi * (draws.integers(1, 3) * grid + draws.random())) for _ in range(2 * channels * number)]
    pixels = np.array([np.outer(*pair) for pair in zip(waves[::2], waves[1::2], strict=True)])
    return torch.from_numpy((128 + 60 * pixels).astype(np.uint8)).view(number, channels, side, side)


def places(images: Tensor) -> np.ndarray:
    return np.arange(len(images))


def test_every_kind_that_can_be_asked_for_is_there_with_five_strengths() -> None:
    kinds = Evaluation.model_json_schema()["properties"]["corruptions"]["items"]["enum"]
    assert set(kinds) == set(CORRUPTIONS) == set(STRENGTHS)
    assert {len(strengths) for strengths in STRENGTHS.values()} == {5}


def test_images_that_are_not_corrupted_are_as_they_were() -> None:
    assert torch.equal(corrupt(photo(), "none", 3, places(photo())), photo())


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corrupted_image_is_an_image_of_the_same_size_and_a_severer_one_is_farther(
    kind: str, side: int, channels: int
) -> None:
    images = photo(side, channels)
    found = [corrupt(images, kind, severity, places(images)) for severity in range(1, 6)]
    assert all((image.dtype, image.shape) == (torch.uint8, images.shape) for image in found)
    errors = [float((image.float() - images.float()).square().mean()) for image in found]
    assert 0 < errors[0] < errors[2] < errors[4]


@pytest.mark.parametrize("kind", ["noise", "brightness", "contrast"])
def test_a_severity_means_the_same_for_small_and_large_images(kind: str) -> None:
    """Measured on waves that have as many periods in a side, whichever the side."""
    errors = []
    for side in (32, 128):
        images = photo(32) if side == 32 else torch.nn.functional.interpolate(photo(32), (side, side), mode="nearest")
        errors.append(float((corrupt(images, kind, 3, places(images)).float() - images.float()).square().mean()))
    assert errors[0] == pytest.approx(errors[1], rel=0.15)


def test_noise_has_the_deviation_that_is_told_and_is_each_images_own() -> None:
    grey = torch.full((3, 1, 200, 200), 128, dtype=torch.uint8)
    found = corrupt(grey, "noise", 3, np.array([5, 6, 5])).float()
    assert float(found[0].std()) == pytest.approx(255 * STRENGTHS["noise"][2], rel=0.02)
    assert float(found.mean()) == pytest.approx(128, abs=0.5)
    assert torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_an_image_is_corrupted_in_the_same_way_in_whatever_batch(kind: str) -> None:
    images = photo()
    whole = corrupt(images, kind, 2, places(images))
    single = [corrupt(images[place : place + 1], kind, 2, np.array([place])) for place in (2, 0, 3, 1)]
    assert torch.equal(whole[[2, 0, 3, 1]], torch.cat(single))


@pytest.mark.parametrize(("side", "spread"), [(8, 0.52), (32, 0.88), (224, 3.76)])
def test_blur_is_a_gaussian_filter_that_grows_with_the_side(side: int, spread: float) -> None:
    images = photo(side)
    reach = int(np.ceil(3 * spread))
    expected = gaussian_filter(images.numpy().astype(float), (0, 0, spread, spread), mode="nearest", radius=reach)
    assert np.abs(corrupt(images, "blur", 3, places(images)).numpy() - expected).max() <= 0.51


def test_brightness_adds_and_stops_at_white() -> None:
    pixels = torch.tensor([0, 100, 250], dtype=torch.uint8).view(1, 1, 1, 3)
    assert corrupt(pixels, "brightness", 2, np.array([0])).flatten().tolist() == [51, 151, 255]


def test_contrast_shrinks_differences_from_the_mean() -> None:
    pixels = torch.tensor([50, 100, 150, 100], dtype=torch.uint8).view(1, 1, 2, 2)
    assert corrupt(pixels, "contrast", 3, np.array([0])).flatten().tolist() == [80, 100, 120, 100]


def test_pixelated_squares_have_their_mean() -> None:
    """At severity 2 there are half as many along a side as pixels."""
    pixels = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4) * 10
    found = corrupt(pixels, "pixelate", 2, np.array([0]))[0, 0]
    means = pixels[0, 0].float().view(2, 2, 2, 2).mean(dim=(1, 3))
    assert torch.equal(found, means.repeat_interleave(2, 0).repeat_interleave(2, 1).to(torch.uint8))
