"""Changes of single images by timm and torchvision: policies of colours and shapes, colour jitter, erased parts.

They draw from global generators, which are seeded for each image here: how it is changed in an epoch follows from
(seed, order, epoch, image), whichever process does it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dilt.data.augmentation import denormalise, draw_moves, move, normalise
from dilt.data.prepared import Images
from dilt.foundations.randomness import generator
from dilt.settings.training import Views
from dilt.sources.streams import Streamed

TRIVIAL = "trivial"
PART = r"t\w+|[a-z]+\d[\d.]*"  # of a policy's name, after the first
LARGEST = 10  # magnitude, unless a policy says mmax
CPU = torch.device("cpu")
Change = Callable[[Any], Any]  # of an image of PIL


class Changed:
    """The images of a training as they are changed one at a time, shifted or cropped before; processes can have it.

    Args:
        order: names the stream of data orders, as `training.loop.Work` has it.
    """

    def __init__(self, data: Images, settings: Views, seed: int, order: str) -> None:
        self._data, self._settings, self._seed, self._order = data, settings, seed, order
        self._epoch = -1
        self._moves: Tensor | None = None
        self._seeds: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._change: Change | None = None

    def __getitem__(self, wanted: tuple[int, NDArray[np.int64]]) -> NDArray[np.uint8]:
        """The images at an array of indices as they look in an epoch: uint8 (batch, channels, height, width)."""
        epoch, indices = wanted
        self._draw(epoch)
        if self._change is None:
            self._change = policy(self._settings, self._data.image_shape, self._data.mean)
        with _own_draws():
            return np.stack(
                [
                    self._changed(picture, self._change, int(seed))
                    for picture, seed in zip(self._pictures(indices), self._seeds[indices], strict=True)
                ]
            )

    def _changed(self, picture: Any, change: Change, seed: int) -> NDArray[np.uint8]:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.default_generator.manual_seed(seed)
        try:
            return _pixels(change(picture))
        except (RuntimeError, OSError, TypeError, ValueError, LookupError) as error:
            name = self._settings.auto_augment
            key = f"auto_augment: '{name}'" if name else f"color_jitter: {self._settings.color_jitter}"
            raise ValueError(f"{key} cannot change an image ({error}); choose another") from error

    def _pictures(self, indices: NDArray[np.int64]) -> Iterator[Any]:
        """What is changed: images of PIL, whole, or as they are shifted or cropped."""
        if self._settings.crop_from == "file":
            if not isinstance(self._data.pixels, Streamed):
                raise ValueError("crop_from: 'file' needs streamed images; set the data set's storage to streamed")
            yield from (self._data.pixels.picture(index) for index in indices)
            return
        pixels = torch.from_numpy(self._data.pixels[indices])
        if self._moves is not None:
            pixels = denormalise(move(normalise(pixels, self._data), self._moves[indices]), self._data)
        yield from map(_picture, pixels.numpy())

    def _draw(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        if self._settings.crop_from == "prepared":
            self._moves = draw_moves(self._settings, self._data, self._seed, self._order, epoch, CPU)
        self._seeds = draw_seeds(len(self._data), self._seed, "policy", self._order, epoch)
        self._epoch = epoch


def policy(settings: Views, image_shape: Sequence[int], mean: Sequence[float]) -> Change:
    """What changes an image: crop and mirror of a whole picture; a policy; jitter of colours, as timm orders them.

    Args:
        image_shape: (channels, height, width).
        mean: colour that comes in from outside the image, in units of 0 to 1.

    Raises:
        ValueError: timm has no such policy.
    """
    from torchvision.transforms import v2

    steps: list[Change] = []
    if settings.crop_from == "file":
        crop = v2.RandomResizedCrop(image_shape[1:], scale=(settings.smallest_crop, 1.0))
        steps += [crop, v2.RandomHorizontalFlip()]
    if settings.auto_augment == TRIVIAL:
        steps.append(v2.TrivialAugmentWide(fill=_colour(mean)))
    elif settings.auto_augment is not None:
        steps.append(_timm_policy(settings.auto_augment, image_shape, mean))
    if settings.color_jitter:
        steps.append(v2.ColorJitter(*3 * (settings.color_jitter,)))
    change: Change = v2.Compose(steps)
    return change


def _timm_policy(name: str, image_shape: Sequence[int], mean: Sequence[float]) -> Change:
    from timm.data import auto_augment

    makers = {"rand": auto_augment.rand_augment_transform, "augmix": auto_augment.augment_and_mix_transform}
    make = makers.get(name.partition("-")[0], auto_augment.auto_augment_transform)
    # As timm's `create_transform` calls them.
    arguments = {"translate_const": int(0.45 * min(image_shape[1:])), "img_mean": _colour(mean)}
    if make is auto_augment.augment_and_mix_transform:
        arguments["translate_pct"] = 0.3
    try:
        if not all(re.fullmatch(PART, part) for part in name.split("-")[1:]):
            raise ValueError("timm would pass over a part without a number")
        if "-mmax" not in name and any(int(level) > LARGEST for level in re.findall(r"-m(\d+)(?=-|$)", name)):
            raise ValueError(f"timm would cut a magnitude above {LARGEST}")
        made: Change = make(name, arguments)
    except (AssertionError, ValueError, KeyError) as error:
        told = f" ({error})" if str(error).startswith("timm would") else ""
        raise ValueError(
            f"auto_augment: timm has no policy '{name}'{told}; take trivial, original, 3a, augmix-m5-w4-d2 or "
            "rand-m9-mstd0.5-inc1, for example"
        ) from error
    nested = getattr(made, "policy", [getattr(made, "ops", [])])
    for change in (change for several in nested for change in several):
        if change.aug_fn is auto_augment.posterize:
            change.aug_fn = _posterize
    return made


def _posterize(image: Any, bits: int, **_: Any) -> Any:
    """timm's, where no bits leave an image black: Pillow, from 13 on, refuses what it did before."""
    from PIL import Image
    from timm.data.auto_augment import posterize

    if not bits:
        return Image.new(image.mode, image.size)
    return posterize(image, bits)  # type: ignore[no-untyped-call]


class Eraser:
    """Erases a part of some images: timm's `RandomErasing` on normalised images (Zhong et al. 2020, arXiv 1708.04896).

    The part has 2 to 33 % of the area, and the mean colour or normal noise for each pixel and channel.
    """

    def __init__(self, settings: Views, device: torch.device) -> None:
        from timm.data.random_erasing import RandomErasing

        mode = "pixel" if settings.erase_with == "noise" else "const"
        self._device, self._noise = device, settings.erase_with == "noise"
        self._erase: Change = RandomErasing(settings.erasing, mode=mode, device=device)  # type: ignore[no-untyped-call]

    def __call__(self, images: Tensor, seeds: Iterable[int]) -> None:
        """Change images (batch, channels, height, width) in place, each as its seed draws it."""
        with _own_draws():
            for image, seed in zip(images, seeds, strict=True):
                random.seed(int(seed))
                if self._noise:
                    torch.default_generator.manual_seed(int(seed))
                    if self._device.type == "cuda":
                        torch.cuda.manual_seed(int(seed))
                self._erase(image)


def draw_seeds(number: int, seed: int, purpose: str, order: str, epoch: int) -> NDArray[np.int64]:
    """A seed for each of a number of images in an epoch."""
    return generator(seed, purpose, order, epoch).integers(2**32, size=number)


@contextmanager
def _own_draws() -> Iterator[None]:
    """Leave the global generators of Python and NumPy as they were; torch's is seeded before every use."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


def _picture(image: NDArray[np.uint8]) -> Any:
    """An image (channels, height, width) as PIL has it: grey or in colours."""
    from PIL import Image

    return Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))


def _pixels(picture: Any) -> NDArray[np.uint8]:
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _colour(mean: Sequence[float]) -> Any:
    levels = tuple(min(255, round(255 * share)) for share in mean)
    return levels[0] if len(levels) == 1 else levels
