"""Stored representations: a Zarr v3 store per ticket, a group per layer, on one fixed set of probes.

No torch here: `pooling` makes what is stored, `compare` reads it. The layout is one that xarray's ``open_datatree``
reads.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.storage import make_folder, naming, put, replacing, sync_all
from dilt.geometry.cka import centred_products

if TYPE_CHECKING:
    import zarr

CHUNK_ROWS = 256  # of features; a chunk of a flattened layer has the rows of one batch
CHUNK_COLUMNS = 2**16


@dataclass(frozen=True)
class Probes:
    """The images that layers are seen on, in their order.

    Attributes:
        ids: (num_probes,), indices among the validation images.
        labels: (num_probes,), class indices.
        images: digest of the pixels.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    images: str

    @property
    def digest(self) -> str:
        """Equal for two tickets that saw the same probes in the same order."""
        return hashlib.sha256(self.ids.tobytes() + self.labels.tobytes() + self.images.encode()).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where a layer is in its network: its number from the input on, the part it is in, its type."""

    depth: int
    stage: str
    module_type: str


@dataclass(frozen=True)
class Layer:
    """A layer's representation: its activations, or of a layer too large to keep, their inner products.

    Attributes:
        activations: (num_probes, num_features), or None.
        products: (num_probes, num_probes), inner products of the centred activations, or None.
    """

    place: Place
    activations: NDArray[np.float32] | None
    products: NDArray[np.float64] | None = None

    def gram(self, chosen: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Inner products of the activations on some probes (None: all), centred on these."""
        if self.activations is not None:
            features = self.activations if chosen is None else self.activations[chosen]
            return centred_products([features])
        assert self.products is not None
        if chosen is None:
            return self.products
        part = self.products[np.ix_(chosen, chosen)]
        means = part.mean(axis=0)
        centred = part - means - means[:, None] + means.mean()
        noise = 1e-12 * np.diagonal(self.products).max()  # what rounding leaves where all activations are equal
        return centred if np.diagonal(centred).max() > noise else np.zeros_like(centred)

    def compact(self) -> Layer:
        """The layer as whichever is smaller, activations or products."""
        if self.activations is None or self.activations.nbytes <= 8 * len(self.activations) ** 2:
            return self
        return Layer(self.place, None, self.gram())


@dataclass(frozen=True)
class Representations:
    """The layers' representations of one ticket or reference.

    Attributes:
        name: the ticket's or reference's.
        probes: the images that it saw.
        layers: by name, in depth order.
        record: how the representations were made.
    """

    name: str
    probes: Probes
    layers: Mapping[str, Layer]
    record: Mapping[str, Any]


class StoreWriter:
    """A store that grows beside its place, a block of probes at a time, and is put there once it is complete.

    If its ``with`` block fails, nothing is left; if the job is stopped, what was written stays for a later writer.

    Args:
        path: the store's folder.
        name: the ticket's.
        probes: the images that it sees.
        resume: go on with what an earlier writer left, if that is still there and complete so far.

    Attributes:
        resumed: whether this writer goes on with what an earlier one left.
    """

    def __init__(self, path: Path, name: str, probes: Probes, resume: bool) -> None:
        import zarr

        self._path, self._partial = path, path.with_name(f"{path.name}.partial")
        self._name, self._probes = name, probes
        with naming(path):
            make_folder(self._partial.parent)
            left = _begun(self._partial) if resume else None
            self.resumed = left is not None
            self._root = zarr.open_group(self._partial, mode="w", zarr_format=3) if left is None else left

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            _remove(self._partial)

    def write(self, layer: str, place: Place, first: int, rows: NDArray[np.float32], chunk_rows: int) -> None:
        """Activations of some probes, from the ``first`` on.

        Raises:
            ValueError: an activation is not finite.
            OSError: the store cannot be written; the message names it.
        """
        if not np.isfinite(rows).all():
            raise ValueError(f"ticket '{self._name}': activations of layer '{layer}' are not finite")
        with naming(self._path):
            if layer not in self._root:
                group = self._root.create_group(layer, attributes=vars(place))
                self._create(
                    group,
                    "activations",
                    (len(self._probes.ids), rows.shape[1]),
                    (min(chunk_rows, len(self._probes.ids)), min(rows.shape[1], CHUNK_COLUMNS)),
                    np.float32,
                    ["probe", "feature"],
                )
            self._array(layer)[first : first + len(rows)] = rows

    def sync(self) -> None:
        """Have all that was written on the disk, before a checkpoint says that it is there."""
        with naming(self._path):
            sync_all(self._partial)

    def finish(self, record: Mapping[str, Any], limit: int | None = None) -> None:
        """Complete the store and put it in its place.

        Args:
            record: JSON-able attributes: how it was made.
            limit: bytes; of layers with more, only the inner products are kept.
        """
        with naming(self._path):
            for layer in self._root.group_keys():
                assert self._array(layer).nchunks_initialized == self._array(layer).nchunks, "probes were left out"
                if limit is not None and self._array(layer).nbytes > limit:
                    self._reduce(layer)
            for name, values in {"probe_id": self._probes.ids, "label": self._probes.labels}.items():
                array = self._create(self._root, name, values.shape, values.shape, np.int64, ["probe"])
                array[:] = values
            self._root.attrs.update(
                {
                    "format": "dilt representations 2",
                    "ticket": self._name,
                    "probe_digest": self._probes.digest,
                    "probe_images": self._probes.images,
                    "digest": _digest(self._root),
                    **record,
                    "complete": True,
                }
            )
            shutil.rmtree(self._path, ignore_errors=True)
            put(self._partial, self._path)

    def _reduce(self, layer: str) -> None:
        array = self._array(layer)
        blocks = (array[:, start : start + CHUNK_COLUMNS] for start in range(0, array.shape[1], CHUNK_COLUMNS))
        products = centred_products(np.asarray(block) for block in blocks)
        group: Any = self._root[layer]
        kept = self._create(group, "products", products.shape, products.shape, np.float64, ["probe", "other_probe"])
        kept[:] = products
        del group["activations"]

    def _array(self, layer: str) -> Any:
        return self._root[f"{layer}/activations"]

    def _create(
        self, group: Any, name: str, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: type, dimensions: list[str]
    ) -> Any:
        """An array that reads as NaN where it was not written; uncompressed: compression takes longer than networks."""
        fill = np.nan if np.issubdtype(dtype, np.floating) else 0
        return group.create_array(
            name,
            shape=shape,
            chunks=chunks,
            dtype=dtype,
            fill_value=fill,
            dimension_names=dimensions,
            compressors=None,
            overwrite=True,
        )


def _begun(partial: Path) -> zarr.Group | None:
    """The store that a killed writer left, if another can go on with it.

    While it reduced layers it may have deleted activations; and a power cut leaves empty files of what was not synced.
    """
    import zarr

    try:
        root = zarr.open_group(partial, mode="a", zarr_format=3)
        layers = [group for _, group in root.groups()]
        return root if layers and all("activations" in layer for layer in layers) else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _remove(folder: Path) -> None:
    """Remove a store that could not be written; what zarr began beside the write that failed may still be under way."""
    for _ in range(100):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)
        if not folder.exists():
            return


def restore(path: Path | str, root: str) -> bool:
    """Give a store back its root metadata, which the workflow removes before it runs a job again.

    Returns:
        Whether this made it a whole store; if not, it has to be written anew.
    """
    path = Path(path)
    if not path.is_dir():
        return False
    with replacing(path / "zarr.json") as partial:
        partial.write_text(root)
    try:
        read_representations(path)
    except ValueError as error:
        print(f"{error}; writing it anew", flush=True)
        return False
    return True


def read_representations(path: Path | str) -> Representations:
    """Read a store, the folder ``<ticket>.zarr``, and check its digest.

    Returns:
        The probes, the record and the layers by name in depth order, each with activations (num_probes, num_features)
        or their inner products.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is no store, or incomplete or damaged; the message names it.
    """
    import zarr

    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such folder; give a store of representations, such as core.zarr")
    if not path.is_dir():
        raise ValueError(f"{path}: a file; give the folder of a store of representations, such as core.zarr")
    try:
        root = zarr.open_group(path, mode="r")
        record = dict(root.attrs)
        layers = {name: _layer(root, name) for name in _by_depth(root)}
        probes = Probes(_array(root, "probe_id"), _array(root, "label"), str(record["probe_images"]))
        expected = record["digest"], record["probe_digest"], record["complete"]
        found = _digest(root), probes.digest, True
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path}: not a readable store of representations ({' '.join(str(error).split())}); delete it and run again"
        ) from error
    if found != expected:
        raise ValueError(f"{path}: its digest does not match, a chunk is damaged; delete it and run again")
    return Representations(str(record["ticket"]), probes, layers, record)


def require_same_probes(found: Sequence[Representations]) -> None:
    """Make sure that all saw the same probes in the same order; raises ValueError that names the culprit."""
    for other in found[1:]:
        own, theirs = found[0].probes, other.probes
        if own.digest == theirs.digest:
            continue
        if len(own.ids) != len(theirs.ids):
            what = f"{len(own.ids)} and {len(theirs.ids)} probes"
        elif np.array_equal(np.sort(own.ids), np.sort(theirs.ids)) and not np.array_equal(own.ids, theirs.ids):
            what = "the same probes in another order"
        else:
            what = "other probes"
        raise ValueError(f"tickets '{found[0].name}' and '{other.name}' saw {what}; run represent again for both")


def _by_depth(root: zarr.Group) -> list[str]:
    depths = {name: int(group.attrs["depth"]) for name, group in root.groups()}  # type: ignore[arg-type]
    return sorted(depths, key=lambda name: depths[name])


def _layer(root: zarr.Group, name: str) -> Layer:
    group: Any = root[name]
    told = group.attrs
    place = Place(int(told["depth"]), str(told["stage"]), str(told["module_type"]))
    if "products" in group:
        return Layer(place, None, _array(group, "products"))
    return Layer(place, _array(group, "activations"))


def _digest(root: zarr.Group) -> str:
    """SHA-256 over the layers in depth order: names, places, types, shapes and bytes, read a block at a time."""
    sha = hashlib.sha256()
    for name in _by_depth(root):
        group: Any = root[name]
        for kind, array in group.arrays():
            sha.update(f"{name} {sorted(group.attrs.items())} {kind} {array.dtype} {array.shape}".encode())
            step = array.chunks[0]
            for start in range(0, array.shape[0], step):
                sha.update(np.ascontiguousarray(array[start : start + step]).data)
    return sha.hexdigest()


def _array(group: Any, name: str) -> NDArray[Any]:
    return np.asarray(group[name][:])
