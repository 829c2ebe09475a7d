"""Data sets by name, decoded to 8-bit arrays: scikit-learn's digits, and through timm all others.

Nothing that is damaged or would lose something in decoding is passed over. Splitting is left to `datasets`.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt import catalog, image_folders
from dilt.settings import DataSet

if TYPE_CHECKING:
    from PIL.Image import Image

# uint8 (num_images, channels, height, width) and int64 (num_images,)
Pool = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load(data: DataSet) -> tuple[dict[str, Pool], list[str]]:
    """Pixels and labels of ``all`` images, and of ``test`` where there is such a split, and the class names.

    Raises:
        ValueError: the data cannot be loaded as they are; the message names the culprit and the cure.
    """
    if data.name == "digits":
        return _load_digits()
    if data.name == "folder":
        _check_files(data)
    pools: dict[str, Pool] = {}
    place: dict[str, int] = {}  # of each class name among the training classes
    for pool, split in {"all": data.train_split, "test": data.test_split}.items():
        if split is None:
            continue
        dataset = _open(data, split)
        pixels, labels = _decode(dataset, data)
        if not len(labels):
            raise ValueError(f"root: no images in split '{split}' of '{data.root or data.name}'; name another split")
        found = _class_names(dataset, int(labels.max()) + 1)
        if not 0 <= labels.min() <= labels.max() < len(found):
            odd = labels.min() if labels.min() < 0 else labels.max()
            raise ValueError(f"name: '{data.name}' has the label {odd}, but {len(found)} classes; correct its labels")
        place = place or {name: index for index, name in enumerate(found)}
        for name in found:
            if name not in place:
                raise ValueError(f"test_split: class '{name}' of '{split}' is not in '{data.train_split}'; remove it")
        pools[pool] = pixels, np.array([place[name] for name in found])[labels]
    if len({pixels.shape[1:] for pixels, _ in pools.values()}) > 1:
        raise ValueError(f"image_size: test images of '{data.root or data.name}' differ in size; give a size in pixels")
    return pools, list(place)


def _check_files(data: DataSet) -> None:
    """Raise the first finding on a folder or tar file of images."""
    findings = list(image_folders.findings(data))
    root = Path(data.root or "")
    if not findings and root.is_file():
        findings = list(image_folders.member_findings(root))
    if findings:
        raise ValueError(findings[0])


def _load_digits() -> tuple[dict[str, Pool], list[str]]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return {"all": (pixels, digits.target.astype(np.int64))}, list(catalog.DIGITS)


def _open(data: DataSet, split: str) -> Any:
    """A timm or torchvision data set."""
    from timm.data.dataset_factory import create_dataset

    name = "" if data.name == "folder" else data.name
    try:
        return create_dataset(name, root=data.root, split=split)
    except (RuntimeError, AssertionError, ImportError, ValueError, OSError, tarfile.TarError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"root: '{data.name}' cannot be opened from '{data.root}', split '{split}' ({reason}); "
            "correct name, root or split"
        ) from error


def _decode(dataset: Any, data: DataSet) -> Pool:
    pixels: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for image, label, origin in _images(dataset, data):
        if data.image_size is not None and image.size != (data.image_size, data.image_size):
            image = image.resize((data.image_size, data.image_size))
        if pixels and image.size != (pixels[0].shape[2], pixels[0].shape[1]):
            raise ValueError(
                f"image_size: images of '{data.root or data.name}' differ in size, {origin} is the first to; "
                "give a size in pixels"
            )
        pixels.append(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))
        labels.append(int(label))
    return np.stack(pixels) if pixels else np.empty(0, np.uint8), np.array(labels, dtype=np.int64)


def _images(dataset: Any, data: DataSet) -> Iterator[tuple[Image, int, str]]:
    """RGB images, their labels, and what to call them in a message."""
    reader: Any = getattr(dataset, "reader", None)
    if not hasattr(reader, "__getitem__"):
        for index, (image, label) in enumerate(dataset):
            origin = f"image {index} of '{data.name}'"
            yield _rgb(image, origin), label, origin
        return
    for index in range(len(dataset)):
        origin = f"'{reader.filename(index, absolute=True) or index}'"
        image, label = _read(reader, index, origin)
        yield _rgb(image, origin), label, origin


def _read(reader: Any, index: int, origin: str) -> tuple[Image, int]:
    """One image of a timm reader; timm's data set itself would pass over a damaged one and take its neighbour.

    Raises:
        ValueError: the file is damaged or no image.
    """
    import PIL.Image

    try:
        stream, label = reader[index]
        with stream, PIL.Image.open(stream) as image:
            image.load()
    except PIL.UnidentifiedImageError as error:
        raise ValueError(f"root: {origin} is not a readable image; replace or remove it") from error
    except (OSError, SyntaxError, ValueError, tarfile.TarError, PIL.Image.DecompressionBombError) as error:
        raise ValueError(f"root: {origin} cannot be read ({error}); replace or remove it") from error
    return image, label


def _rgb(image: Image, origin: str) -> Image:
    """Three channels of eight bits; greyscale and palettes fit into them, transparency and deeper channels do not.

    Raises:
        ValueError: converting the image would lose something.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise ValueError(f"root: {origin} has more than 8 bits per channel (mode {image.mode}); store it with 8")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise ValueError(
            f"root: {origin} is transparent, a fourth channel (mode {image.mode}); store it as RGB on a background"
        )
    return image.convert("RGB")


def _class_names(dataset: Any, count: int) -> list[str]:
    """Class names of a timm or torchvision data set, in label order; numbers where it has none."""
    for holder in (getattr(dataset, "reader", None), dataset):
        for attribute in ("class_to_idx", "class_name_to_idx"):  # the latter of tar files
            index = getattr(holder, attribute, None)
            if index:
                return [str(name) for name in sorted(index, key=index.get)]
    return [str(number) for number in range(count)]
