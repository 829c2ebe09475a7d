"""Stored representations: a Zarr v3 store per ticket, a group per layer, on one fixed set of probes.

No torch here: `activations` makes what is stored, `compare` reads it. Layout as xarray's ``open_datatree`` reads it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dilt.storage import digest, naming, replacing

if TYPE_CHECKING:
    import zarr

CHUNK_ROWS = 256


@dataclass(frozen=True)
class Representations:
    """Activations of one ticket.

    Attributes:
        ticket: its name.
        probe_ids: (num_probes,), indices of the probes among the validation images.
        labels: (num_probes,), class indices.
        layers: layer name to (num_probes, num_features), in depth order.
    """

    ticket: str
    probe_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    layers: Mapping[str, NDArray[np.float32]]

    @property
    def probe_digest(self) -> str:
        """Tells whether two tickets saw the same probes in the same order."""
        return hashlib.sha256(self.probe_ids.tobytes() + self.labels.tobytes()).hexdigest()


def write_representations(path: Path, representations: Representations, record: Mapping[str, Any]) -> None:
    """Write a store; it appears whole or not at all.

    Raises:
        ValueError: an activation is not finite.
        OSError: the store cannot be written; the message names it.
    """
    for layer, activations in representations.layers.items():
        if not np.isfinite(activations).all():
            raise ValueError(f"ticket '{representations.ticket}': activations of layer '{layer}' are not finite")
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with naming(path):
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_store(partial, representations, record)
            shutil.rmtree(path, ignore_errors=True)
            partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _write_store(path: Path, representations: Representations, record: Mapping[str, Any]) -> None:
    import zarr

    attributes = {
        "format": "dilt representations 1",
        "ticket": representations.ticket,
        "probe_digest": representations.probe_digest,
        "digest": digest({name: np.asarray(array) for name, array in representations.layers.items()}),
        **record,
    }
    root = zarr.open_group(path, mode="w", zarr_format=3, attributes=attributes)
    for name, values in {"probe_id": representations.probe_ids, "label": representations.labels}.items():
        root.create_array(name, data=values, dimension_names=["probe"])
    for depth, (layer, activations) in enumerate(representations.layers.items()):
        group = root.create_group(layer, attributes={"depth": depth})
        array = group.create_array(
            "activations",
            shape=activations.shape,
            chunks=(min(CHUNK_ROWS, len(activations)), activations.shape[1]),
            dtype=np.float32,
            fill_value=np.nan,
            dimension_names=["probe", "feature"],
        )
        array[:] = activations


def restore(path: Path, root: str) -> bool:
    """Give a store back its root metadata, which the workflow removes before it runs a job again.

    Returns:
        Whether this made it a whole store; if not, it has to be written anew.
    """
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


def read_representations(path: Path) -> Representations:
    """Read a store and check its digest.

    Raises:
        ValueError: the store is missing, incomplete or damaged; the message names it.
    """
    import zarr

    try:
        root = zarr.open_group(path, mode="r")
        depths = {name: int(group.attrs["depth"]) for name, group in root.groups()}  # type: ignore[arg-type]
        layers = {name: _array(root, f"{name}/activations") for name in sorted(depths, key=lambda name: depths[name])}
        read = Representations(str(root.attrs["ticket"]), _array(root, "probe_id"), _array(root, "label"), layers)
        expected = root.attrs["digest"], root.attrs["probe_digest"]
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path}: not a readable store of representations ({error}); delete it and run again"
        ) from error
    if (digest(dict(layers)), read.probe_digest) != expected:
        raise ValueError(f"{path}: its digest does not match, a chunk is damaged; delete it and run again")
    return read


def _array(group: zarr.Group, name: str) -> NDArray[Any]:
    return np.asarray(group[name][:])  # type: ignore[index]
