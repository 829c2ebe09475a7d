"""Safetensors files that others wrote: their names without wrappers' prefixes, their values finite float32.

Names and shapes are checked by `pretrained` and `exports.export_folder`; files of this project belong to `storage`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from dilt.foundations.storage import Tensors

# What distributed training, torch.compile, Lightning modules and averaged copies put before the names of a network.
WRAPPERS = (
    *("module", "_orig_mod", "model", "net", "network", "backbone", "encoder", "student"),
    *("ema", "ema_model", "model_ema", "state_dict", "state_dict_ema"),
)
FLOATING = ("F64", "F32", "F16", "BF16")
INTEGER = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")
ANEW = "give a file of weights that work"
SHARD = re.compile(r"-\d+-of-\d+\.safetensors$")


@dataclass(frozen=True)
class ForeignWeights:
    """The header of a file.

    Attributes:
        name: of the file, as errors name it.
        types: of every tensor by its full name, as safetensors has it: F32, BF16, I8.
        shapes: of every tensor by its full name.
        prefix: what stands before every name.
    """

    path: Path
    name: str
    types: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    prefix: str

    @property
    def names(self) -> dict[str, str]:
        """Full name of every tensor, by its name without the prefix."""
        return {full.removeprefix(self.prefix): full for full in self.types}

    def told(self) -> list[str]:
        """What is done to the file's tensors, as lines for a log."""
        said = [f"{self.name}: '{self.prefix}' stands before every name and is taken off"] if self.prefix else []
        others = sorted(set(self.types.values()) & set(FLOATING) - {"F32"})
        return [*said, *(f"{self.name}: tensors of type {kind} are converted to float32" for kind in others)]

    def read(self, floating: Iterable[str], integer: Iterable[str] = ()) -> Tensors:
        """Tensors by their names without the prefix.

        Args:
            floating: read as float32; all have to be finite.
            integer: counters and tables of positions, which some files have as floating point.

        Raises:
            ValueError: one is of another type, empty, not finite, or overflows float32.
        """
        names = self.names
        tensors: Tensors = {}
        for name in floating:
            tensors[name] = self._float32(names[name])
        for name in integer:
            tensors[name] = self._raw(names[name])
            if not np.isfinite(tensors[name]).all():
                raise ValueError(f"{self.name}: '{names[name]}' has values that are not finite; {ANEW}")
        return tensors

    def _float32(self, full: str) -> NDArray[np.float32]:
        kind = self.types[full]
        if kind not in FLOATING:
            raise ValueError(
                f"{self.name}: '{full}' is of type {kind}, which is no floating point of 16 bits or more; save the "
                "network with its weights as float32, neither quantised nor complex"
            )
        raw = self._raw(full)
        if not raw.size:
            raise ValueError(f"{self.name}: '{full}' is empty; {ANEW}")
        with np.errstate(over="ignore", invalid="ignore"):
            converted = raw.astype(np.float32)
        if lost := raw.size - int(np.isfinite(raw).sum()):
            raise ValueError(f"{self.name}: '{full}' has {lost} of {raw.size} values NaN or infinite; {ANEW}")
        if not np.isfinite(converted).all():
            raise ValueError(f"{self.name}: '{full}' has values up to {np.abs(raw).max():.3g}, too large for float32")
        return converted

    def _raw(self, full: str) -> NDArray[np.generic]:
        if self.types[full] == "BF16":  # which numpy has not
            with safe_open(self.path, framework="pt") as file:
                widened: NDArray[np.generic] = file.get_tensor(full).float().numpy()
            return widened
        with safe_open(self.path, framework="np") as file:
            found: NDArray[np.generic] = file.get_tensor(full)
        return found


def open_weights(path: Path | str, name: str, expected: Collection[str]) -> ForeignWeights:
    """The header of a file.

    Args:
        name: of the file, as errors are to name it.
        expected: names of the network's tensors, by which a prefix is recognised.

    Raises:
        ValueError: the file is not one of safetensors, or a prefix stands before some names only.
    """
    try:
        with safe_open(path, framework="np") as file:
            slices = {full: file.get_slice(full) for full in file.keys()}  # noqa: SIM118  # no mapping
            types = {full: str(part.get_dtype()) for full, part in slices.items()}
            shapes = {full: tuple(part.get_shape()) for full, part in slices.items()}
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{name} is not readable as safetensors ({reason}); save it anew") from error
    return ForeignWeights(Path(path), name, types, shapes, _prefix(types, name, set(expected)))


def require_weights(tensors: Tensors, names: Iterable[str], file: Path | str) -> None:
    """Make sure that arrays of a file are weights: floating point and, as float32, finite; raises ValueError."""
    for name in names:
        if tensors[name].dtype.kind != "f":
            raise ValueError(f"{file}: '{name}' is of type {tensors[name].dtype}, which is no floating point; {ANEW}")
        with np.errstate(over="ignore"):
            if not np.isfinite(tensors[name].astype(np.float32)).all():
                raise ValueError(f"{file}: '{name}' has values NaN, infinite or too large for float32; {ANEW}")


def _prefix(names: Collection[str], file: str, expected: set[str]) -> str:
    """What stands before every name and is none of the network's own, such as ``module._orig_mod.``."""
    prefix = ""
    while names and not any(full.removeprefix(prefix) in expected for full in names):
        firsts = {full.removeprefix(prefix).partition(".")[0] for full in names}
        wrapper = next((wrapper for wrapper in WRAPPERS if wrapper in firsts), None)
        if wrapper is None:
            return prefix
        prefix += f"{wrapper}."
        _require_on_all(prefix, names, file)
    for full in sorted(names):
        own = full.removeprefix(prefix)
        while own not in expected and own.partition(".")[0] in WRAPPERS:
            own = own.partition(".")[2]
        if own in expected and own != full.removeprefix(prefix):
            _require_on_all(full.removesuffix(own), names, file)
    return prefix


def _require_on_all(prefix: str, names: Collection[str], file: str) -> None:
    without = sorted(full for full in names if not full.startswith(prefix))
    if without:
        raise ValueError(
            f"{file}: '{prefix}' stands before {len(names) - len(without)} of {len(names)} names, but not before "
            f"'{without[0]}'; save the state_dict of the network alone, with one copy of its weights"
        )
