"""What is known of a data set before it is loaded: its classes, their numbers of training images, its images' size.

Nothing heavy is imported, since this is needed before any job. Loading belongs to `sources.loading`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dilt.sources import checks, layouts
from dilt.sources.folder_levels import Levels
from dilt.sources.image_folders import first_image, images_per_class

if TYPE_CHECKING:
    from dilt.settings.data import DataSet

# Images of each class of scikit-learn's digits.
DIGITS = dict(zip("0123456789", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True))
CIFAR10 = dict.fromkeys(
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"), 5000
)
DIGITS_SHAPE = (1, 8, 8)
# Data sets of torchvision in two halves: timm takes any other split name for the test half.
TORCH_HALVES = tuple(f"torch/{name}" for name in ("cifar10", "cifar100", "mnist", "kmnist", "fashion_mnist", "qmnist"))
TRAINING_HALF = ("train", "training")
READERS = ("torch/", "hfds/", "hfids/", "tfds/", "wds/")
IN_TURN = ("hfids/", "tfds/", "wds/")  # give images one after the other only


def known_classes(data: DataSet) -> dict[str, int] | None:
    """The classes of a data set and their numbers of training images; None where only loading it would tell.

    A number is 0 where there are no images, and where there are too many to be counted here.
    """
    if data.name == "digits":
        return DIGITS
    if data.name == "torch/cifar10":
        return CIFAR10
    if data.name == "folder" and data.root and (Path(data.root) / data.train_split).is_dir():
        return images_per_class(Path(data.root) / data.train_split, Levels.of(data))
    if data.name in layouts.NAMES and not any(checks.findings(data)):
        try:
            return layouts.classes(data)
        except ValueError:
            return None  # reported when it is loaded
    return None


def known_size(data: DataSet) -> tuple[int, int] | None:
    """Width and height of the first image of a folder, the right way up; None where only loading would tell."""
    if data.name != "folder" or not data.root:
        return None
    first = first_image(Path(data.root) / data.train_split, Levels.of(data))
    if first is None:
        return None
    from PIL import Image, ImageOps

    try:
        with Image.open(first) as image:
            return ImageOps.exif_transpose(image).size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # reported when it is loaded


def known_shape(data: DataSet) -> tuple[int, int, int] | None:
    """Channels, height and width of a data set's images; None where only loading it would tell."""
    if data.name == "digits":
        return DIGITS_SHAPE
    if data.image_size:
        return 3, data.image_size, data.image_size
    if data.name in ("torch/cifar10", "torch/cifar100"):
        return 3, 32, 32
    if data.name == layouts.TINY_IMAGENET:
        return 3, layouts.TINY_SIDE, layouts.TINY_SIDE
    size = known_size(data)
    return size and (3, size[1], size[0])
