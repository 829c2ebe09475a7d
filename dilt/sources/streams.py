"""Images that stay in their files and are decoded when asked for, by any number of processes side by side.

Finding the files is left to `sources.loading` and `layouts`.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dilt.settings.data import DataSet
from dilt.sources import decoding
from dilt.sources.decoding import Form

if TYPE_CHECKING:
    from PIL.Image import Image


class Shelf(Protocol):
    """Where images are taken from."""

    def read(self, location: Any) -> Image:
        """The RGB image at a place; raises ValueError that names the image if it cannot be read."""

    def origin(self, location: Any) -> str:
        """What to call an image in a message."""

    def name(self, location: Any) -> str | None:
        """Path of an image from the root, or in a tar file; None where it has none."""

    def record(self) -> dict[str, Any]:
        """What `reopened` needs to make the shelf again."""


class Folder:
    """Image files below a folder; their places are paths from there, as bytes."""

    def __init__(self, root: str) -> None:
        self._root = root

    def read(self, location: bytes) -> Image:
        """The RGB image in a file."""
        origin = self.origin(location)
        try:
            stream = open(self._path(location), "rb")  # noqa: SIM115
        except OSError as error:
            raise ValueError(f"root: {origin} cannot be read ({error.strerror}); restore or replace it") from error
        return decoding.read(stream, origin)

    def origin(self, location: bytes) -> str:
        """The path, in quotes."""
        return f"'{self._path(location)}'"

    def name(self, location: bytes) -> str:
        """The path from the root."""
        return os.fsdecode(location)

    def record(self) -> dict[str, Any]:
        """The root."""
        return {"root": self._root}

    def _path(self, location: bytes) -> Path:
        return Path(self._root, os.fsdecode(location))


class Collection:
    """A data set that timm or torchvision opens; places are positions in it.

    Each process opens it for itself: forked ones would share a file handle, and move each other's place in the file.

    Args:
        data: its section of the configuration.
        split: the name of a split.
        size: number of images when it was prepared, which it must still have.
    """

    def __init__(self, data: DataSet, split: str, size: int | None = None) -> None:
        self._data, self._split, self._size = data, split, size
        self._opened: Any = None
        self._process = 0

    @property
    def dataset(self) -> Any:
        """The data set, opened in this process.

        Raises:
            ValueError: it cannot be opened, or has another number of images than before.
        """
        if self._process != os.getpid():
            self._opened, self._process = open_dataset(self._data, self._split), os.getpid()
            if self._size not in (None, len(self._opened)):
                raise ValueError(
                    f"root: '{self._data.root or self._data.name}' had {self._size} images when it was prepared and "
                    f"now has {len(self._opened)}; prepare it again with snakemake -R prepare"
                )
        return self._opened

    def __reduce__(self) -> tuple[type[Collection], tuple[DataSet, str, int]]:
        return Collection, (self._data, self._split, len(self.dataset))

    def read(self, location: np.int64) -> Image:
        """The RGB image at a position; timm's data set would silently take the neighbour of a damaged image."""
        dataset, origin = self.dataset, self.origin(location)
        reader = getattr(dataset, "reader", None)
        if file := self._file(location):
            return Folder("").read(os.fsencode(file))
        if reader is None:
            return decoding.rgb(dataset[int(location)][0], origin)
        try:
            stream = reader[int(location)][0]
        except (OSError, ValueError, tarfile.TarError) as error:
            raise ValueError(f"root: {origin} cannot be read ({error}); replace or remove it") from error
        return decoding.read(stream, origin)

    def origin(self, location: np.int64) -> str:
        """The name of the file or member, in quotes; the position where there is none."""
        reader = getattr(self.dataset, "reader", None)
        name = reader.filename(int(location), absolute=True) if reader else self._file(location)
        return f"'{name}'" if name else f"image {location} of '{self._data.name}'"

    def name(self, location: np.int64) -> str | None:
        """The path from the root; None where the data set has none."""
        reader: Any = getattr(self.dataset, "reader", None)
        if reader is not None:
            name: str | None = reader.filename(int(location))
            return name
        file = self._file(location)
        return os.path.relpath(file, self._data.root) if file else None

    def _file(self, location: np.int64) -> str | None:
        """The file of an image where torchvision's data set is made of files (its loaders check nothing); else None."""
        dataset, place = self.dataset, int(location)
        if hasattr(dataset, "all_categories"):  # iNaturalist
            category, name = dataset.index[place]
            return str(os.path.join(dataset.root, dataset.all_categories[category], name))
        for listed in ("samples", "imgs"):  # class folders, ImageNet; Places365
            files = getattr(dataset, listed, None)
            if isinstance(files, list) and files and isinstance(files[0], tuple) and isinstance(files[0][0], str):
                file: str = files[place][0]
                return file
        return None

    def record(self) -> dict[str, Any]:
        """The data set, the split and its size."""
        return {"data": self._data.model_dump(mode="json"), "split": self._split, "size": len(self.dataset)}


class Streamed:
    """Images decoded when asked for.

    Args:
        locations: (num_images,) places on the shelf.
        image_shape: (channels, height, width) of every one.
    """

    def __init__(
        self, locations: NDArray[Any], shelf: Shelf, form: Form, image_shape: tuple[int, ...] | None = None
    ) -> None:
        self.locations, self._shelf, self._form = locations, shelf, form
        self._image_shape = image_shape or form.array(shelf.read(locations[0])).shape

    @property
    def shape(self) -> tuple[int, ...]:
        """(num_images, channels, height, width)."""
        return len(self.locations), *self._image_shape

    def __len__(self) -> int:
        return len(self.locations)

    def __getitem__(self, indices: Any) -> NDArray[np.uint8]:
        """Images at an array of indices.

        Raises:
            ValueError: one is damaged, or differs in size from the first; the message names it.
        """
        locations = self.locations[indices]
        found = np.empty((len(locations), *self._image_shape), np.uint8)
        for place, location in zip(found, locations, strict=True):
            array = self._form.array(self._shelf.read(location))
            if array.shape != place.shape:
                origin = self._shelf.origin(location)
                raise ValueError(f"image_size: images differ in size, {origin} is the first to; give a size in pixels")
            place[...] = array
        return found

    def picture(self, index: int) -> Image:
        """The whole RGB image as it lies in its file; raises ValueError that names it if it is damaged."""
        return self._shelf.read(self.locations[index])

    def names(self) -> list[str] | None:
        """Path of every image from the root, or in a tar file; None where images have none."""
        names = [self._shelf.name(location) for location in self.locations]
        return None if None in names else [name for name in names if name is not None]

    def origin(self, index: int) -> str:
        """What to call an image in a message."""
        return self._shelf.origin(self.locations[index])

    def choose(self, indices: NDArray[np.int64]) -> Streamed:
        """Some of these images."""
        return Streamed(self.locations[indices], self._shelf, self._form, self._image_shape)

    def record(self) -> dict[str, Any]:
        """What `reopened` needs besides the locations."""
        return self._shelf.record() | {
            "image_size": self._form.side,
            "resize": self._form.resize,
            "crop_share": self._form.crop_share,
            "image_shape": self._image_shape,
        }


def reopened(locations: NDArray[Any], record: Mapping[str, Any]) -> Streamed:
    """The images that a `Streamed.record` describes."""
    shelf: Shelf
    if "tar" in record:
        from dilt.sources.tar_files import Tar

        shelf = Tar(record["tar"], record["listing"])
    elif "data" in record:
        shelf = Collection(DataSet.model_validate(record["data"]), record["split"], record["size"])
    else:
        shelf = Folder(record["root"])
    form = Form(record["image_size"], record["resize"], record["crop_share"])
    return Streamed(locations, shelf, form, tuple(record["image_shape"]))


def open_dataset(data: DataSet, split: str) -> Any:
    """A timm or torchvision data set.

    Raises:
        ValueError: it cannot be opened.
    """
    from timm.data.dataset_factory import create_dataset

    try:
        return create_dataset(data.name, root=data.root, split=split)
    except (RuntimeError, AssertionError, ImportError, KeyError, ValueError, OSError, tarfile.TarError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"root: '{data.name}' cannot be opened from '{data.root}', split '{split}' ({reason}); "
            "correct name, root or split"
        ) from error
