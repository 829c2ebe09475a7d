"""Files of masks: safetensors with one bit per weight."""

from pathlib import Path

import numpy as np

from dilt.foundations.storage import read_tensors, write_tensors
from dilt.tickets.masks import Mask

FORMAT = "dilt mask 1"
WANTED = "a mask.safetensors of an experiment"


def write_mask(path: Path | str, mask: Mask) -> None:
    """A mask with one bit per weight, the shapes of its layers and its provenance.

    Raises:
        IsADirectoryError: ``path`` is a folder.
    """
    packed = {name: np.packbits(mask[name].ravel()) for name in mask.names}
    shapes = {name: list(shape) for name, shape in mask.shapes.items()}
    write_tensors(path, packed, {"format": FORMAT, "origin": mask.origin, "shapes": shapes})


def read_mask(path: Path | str) -> Mask:
    """The inverse of `write_mask`: a boolean array of the weight's shape for every prunable layer.

    Raises:
        ValueError: the file is damaged, or no mask, such as theta0.safetensors; the message names it.
        FileNotFoundError: there is no such file.
    """
    packed, record = read_tensors(path, WANTED)
    if not is_mask(record):
        raise ValueError(f"{path}: not a mask; give {WANTED}, as dilt.prune and dilt.combine write it")
    layers = {}
    for name, bits in packed.items():
        shape = tuple(record["shapes"][name])
        layers[name] = np.unpackbits(bits, count=int(np.prod(shape))).view(np.bool_).reshape(shape)
    return Mask.of_own(layers, record["origin"])


def is_mask(record: dict[str, object]) -> bool:
    """Whether a file is a mask, by the record that `read_tensors` gives."""
    return record.get("format") == FORMAT
