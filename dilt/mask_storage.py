"""Files of masks: safetensors with one bit per weight."""

from pathlib import Path

import numpy as np

from dilt.masks import Mask
from dilt.storage import read_tensors, write_tensors


def write_mask(path: Path, mask: Mask) -> None:
    """A mask with one bit per weight and its provenance."""
    packed = {name: np.packbits(mask[name].ravel()) for name in mask.names}
    shapes = {name: list(shape) for name, shape in mask.shapes.items()}
    write_tensors(path, packed, {"format": "dilt mask 1", "origin": mask.origin, "shapes": shapes})


def read_mask(path: Path) -> Mask:
    """The inverse of `write_mask`; raises what `read_tensors` raises."""
    packed, record = read_tensors(path)
    if record.get("format") != "dilt mask 1":
        raise ValueError(f"{path}: not a mask; masks are written by dilt.prune and dilt.combine")
    layers = {}
    for name, bits in packed.items():
        shape = tuple(record["shapes"][name])
        layers[name] = np.unpackbits(bits, count=int(np.prod(shape))).astype(np.bool_).reshape(shape)
    return Mask(layers, record["origin"])
