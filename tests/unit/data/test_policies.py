"""Facts about changed images: each follows from its seed, whoever changes it, and the policies are those named."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from builders import images
from numpy.typing import NDArray
from PIL import Image
from small_networks import CPU

from dilt.data import workers
from dilt.data.augmentation import denormalise, draw_moves, move, normalise
from dilt.data.policies import Changed, Eraser, draw_seeds, policy
from dilt.data.prepared import Images
from dilt.settings.training import Views
from dilt.sources.decoding import Form
from dilt.sources.streams import Folder, Streamed

NAMES = ["trivial", "rand-m9-mstd0.5-inc1", "rand-m9-n3-tweights", "original", "3a", "augmix-m5-w2-d2"]
EACH = pytest.mark.parametrize("name", NAMES)


def data(channels: int = 3) -> Images:
    return images(per_class=8, side=16, channels=channels)


def views(**others: object) -> Views:
    return Views.model_validate({"augmentation": "crop-flip", **others})


def changed(
    settings: Views, epoch: int = 0, order: str = "full", seed: int = 0, channels: int = 3
) -> NDArray[np.uint8]:
    return Changed(data(channels), settings, seed, order)[epoch, np.arange(24)]


@EACH
@pytest.mark.parametrize("channels", [1, 3])
def test_images_follow_from_seed_order_epoch_and_index(name: str, channels: int) -> None:
    settings = views(auto_augment=name, color_jitter=0.3)
    whole = changed(settings, channels=channels)
    assert whole.shape == (24, channels, 16, 16)
    assert whole.dtype == np.uint8
    random.seed(5)  # whatever global generators have drawn
    torch.manual_seed(5)
    again = Changed(data(channels), settings, 0, "full")
    again[3, np.arange(4)]  # another epoch before
    for index in (23, 5, 0):
        assert np.array_equal(again[0, np.array([index])][0], whole[index])
    for other in (
        changed(settings, epoch=1, channels=channels),
        changed(settings, order="low", channels=channels),
        changed(settings, seed=1, channels=channels),
    ):
        assert not np.array_equal(other, whole)


@EACH
def test_any_number_of_processes_gives_the_same_bits(name: str) -> None:
    settings = views(auto_augment=name, color_jitter=0.3)
    wanted = [(epoch, indices) for epoch in (0, 1) for indices in np.arange(24).reshape(6, 4)]
    here = [Changed(data(), settings, 0, "full")[asked] for asked in wanted]
    for number in (1, 2):
        there = workers.Workers(Changed(data(), settings, 0, "full"), number).batches(wanted)
        for batch, expected in zip(there, here, strict=True):
            assert np.array_equal(batch.numpy(), expected)


def test_global_generators_are_left_as_they_were() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    changed(views(auto_augment="rand-m9"))
    Eraser(views(erasing=1.0), CPU)(torch.zeros(2, 3, 16, 16), [0, 1])
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002


def test_a_policy_changes_what_is_cropped_and_mirrored_as_ever() -> None:
    assert not views().one_at_a_time
    settings = views(auto_augment="rand-m9-p0")  # which applies none of its changes
    moves = draw_moves(settings, data(), 0, "full", 2, CPU)
    assert moves is not None
    pixels = torch.from_numpy(np.array(data().pixels))
    expected = denormalise(move(normalise(pixels, data()), moves), data())
    assert np.array_equal(changed(settings, epoch=2), expected.numpy())


def test_the_policies_are_those_of_timm_and_torchvision() -> None:
    from timm.data.auto_augment import rand_augment_transform
    from torchvision.transforms import v2

    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3), dtype=np.uint8))
    hparams = {"translate_const": 7, "img_mean": (102, 102, 102)}
    pairs = {
        "rand-m9-mstd0.5-inc1": rand_augment_transform("rand-m9-mstd0.5-inc1", hparams),
        "trivial": v2.TrivialAugmentWide(fill=(102, 102, 102)),
    }
    for name, theirs in pairs.items():
        ours = policy(Views(auto_augment=name), (3, 16, 16), (0.4, 0.4, 0.4))
        different = 0
        for seed in range(20):
            found = []
            for change in (ours, theirs):
                random.seed(seed)
                np.random.seed(seed)  # noqa: NPY002
                torch.manual_seed(seed)
                found.append(np.asarray(change(picture)))
            assert np.array_equal(*found)
            different += not np.array_equal(found[0], np.asarray(picture))
        assert different > 10


@pytest.mark.parametrize("name", ["rand-m10-n4-p1-inc1", "rand-m1-n4-p1", "v0", "augmix-m10-w3"])
def test_a_policy_changes_any_image(name: str) -> None:
    """At both ends of its changes too, some of which Pillow refuses."""
    for epoch in range(60):
        assert changed(Views(auto_augment=name), epoch=epoch).shape == (24, 3, 16, 16)


def test_an_image_that_cannot_be_changed_is_told_with_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise TypeError("bits must be an integer")

    monkeypatch.setattr("dilt.data.policies.policy", lambda *_: broken)
    with pytest.raises(
        ValueError, match=r"auto_augment: 'v0' cannot change an image \(bits must be an integer\); choose"
    ):
        changed(Views(auto_augment="v0"))


def test_jitter_changes_colours_by_no_more_than_asked_for() -> None:
    flat = Images(
        np.full((40, 3, 4, 4), 100, dtype=np.uint8), np.zeros(40, dtype=np.int64), ("a",), (0.4,) * 3, (0.2,) * 3
    )
    found = Changed(flat, Views(color_jitter=0.2), 0, "full")[0, np.arange(40)]
    assert found.min() >= 79
    assert found.max() <= 121
    assert len(np.unique(found)) > 10


@pytest.mark.parametrize("name", ["randaugment", "rand-x9", "rand-m9-mstd", "original-m9", ""])
def test_a_policy_that_timm_does_not_have_is_told(name: str) -> None:
    with pytest.raises(ValueError, match=f"auto_augment: timm has no policy '{name}'.*; take trivial, "):
        policy(Views(auto_augment=name), (3, 16, 16), (0.4, 0.4, 0.4))


def erased(settings: Views, batches: Iterator[NDArray[np.int64]], epoch: int = 0) -> NDArray[np.float32]:
    eraser, seeds = Eraser(settings, CPU), draw_seeds(200, 0, "erase", "full", epoch)
    found = []
    for indices in batches:
        pixels = torch.full((len(indices), 3, 16, 16), 7.0)
        eraser(pixels, seeds[indices])
        found.append(pixels.numpy())
    return np.concatenate(found)


@pytest.mark.parametrize("filled", ["mean", "noise"])
def test_as_many_images_as_asked_for_lose_a_part(filled: str) -> None:
    settings = Views(erasing=0.25, erase_with=filled)
    found = erased(settings, iter([np.arange(200)]))
    gone = (found != 7).all(axis=1)
    assert gone.any(axis=(1, 2)).mean() == pytest.approx(0.25, abs=0.08)
    areas = gone.mean(axis=(1, 2))[gone.any(axis=(1, 2))]
    assert areas.min() >= 0.01
    assert areas.max() <= 0.36
    values = found[np.broadcast_to(gone[:, None], found.shape)]
    if filled == "mean":
        assert not values.any()
    else:
        assert values.std() == pytest.approx(1, abs=0.1)
    assert np.array_equal(erased(settings, iter(np.arange(200).reshape(40, 5))), found), "by five at a time"
    assert not np.array_equal(erased(settings, iter([np.arange(200)]), epoch=1), found)


@pytest.fixture
def streamed(tmp_path: Path) -> Images:
    """Pictures of 40 x 30 pixels, dark on the left, that networks see as 16 x 16."""
    for index in range(8):
        picture = np.random.default_rng(index).integers(0, 100, (30, 40, 3), dtype=np.uint8)
        picture[:, 20:] += 120
        Image.fromarray(picture).save(tmp_path / f"{index}.png")
    locations = np.array([f"{index}.png".encode() for index in range(8)])
    pixels = Streamed(locations, Folder(str(tmp_path)), Form(16, "crop"))
    return Images(pixels, np.zeros(8, dtype=np.int64), ("a",), (0.4,) * 3, (0.2,) * 3)


def test_crops_of_whole_pictures_are_torchvisions(streamed: Images) -> None:
    from torchvision.transforms import v2

    settings = Views(augmentation="resized-crop", crop_from="file", smallest_crop=0.25)
    found = Changed(streamed, settings, 0, "full")[1, np.arange(8)]
    assert found.shape == (8, 3, 16, 16)
    theirs = v2.Compose([v2.RandomResizedCrop(16, scale=(0.25, 1)), v2.RandomHorizontalFlip()])
    for index, seed in enumerate(draw_seeds(8, 0, "policy", "full", 1)):
        torch.manual_seed(seed)
        expected = theirs(streamed.pixels.picture(index))  # type: ignore[attr-defined]
        assert np.array_equal(found[index], np.asarray(expected).transpose(2, 0, 1))
    some = Changed(streamed, settings, 0, "full")[1, np.array([3])]
    assert np.array_equal(some[0], found[3])
    with pytest.raises(ValueError, match="crop_from: 'file' needs streamed images"):
        Changed(data(), settings, 0, "full")[0, np.arange(2)]
