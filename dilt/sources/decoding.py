"""Decodes one image from an open file to 8-bit RGB of the size that networks see.

All who decode images do it here. An image that is damaged, or that would lose something, is an error.
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image


DEEP = re.compile(r";(12|16|32|64)[BLNFS]")  # how Pillow names channels of more than 8 bits in a file


@dataclass(frozen=True)
class Form:
    """What size images get, and how.

    Attributes:
        side: in pixels; None leaves them as they are.
        resize: squash makes any image square; crop cuts the middle square out of it first.
        crop_share: of that square's side, as a share of the image's shorter side.
    """

    side: int | None
    resize: Literal["squash", "crop"]
    crop_share: float = 1.0

    def array(self, image: Image) -> NDArray[np.uint8]:
        """An RGB image as (3, height, width)."""
        from PIL import ImageOps
        from PIL.Image import Resampling

        if self.side is not None and (image.size != (self.side, self.side) or self.crop_share < 1):
            size = self.side, self.side
            if self.resize == "crop":
                image = ImageOps.fit(image, size, Resampling.BICUBIC, bleed=(1 - self.crop_share) / 2)
            else:
                image = image.resize(size, Resampling.BICUBIC)
        return np.asarray(image, dtype=np.uint8).transpose(2, 0, 1)


def read(stream: IO[bytes], origin: str) -> Image:
    """The RGB image in an open file, which is closed afterwards.

    Raises:
        ValueError: the file is damaged or no image, or has more than RGB holds; the message names it as ``origin``.
    """
    import PIL.Image

    try:
        with stream, PIL.Image.open(stream) as image:
            _require_shallow(image, origin)
            _require_single(image, origin)
            image.load()
    except UnfitError:
        raise
    except PIL.UnidentifiedImageError as error:
        raise ValueError(f"root: {origin} is not a readable image; replace or remove it") from error
    except (OSError, SyntaxError, ValueError, tarfile.TarError, PIL.Image.DecompressionBombError) as error:
        raise ValueError(f"root: {origin} cannot be read ({error}); replace or remove it") from error
    return rgb(image, origin)


def _require_shallow(image: Image, origin: str) -> None:
    """Make sure that channels have 8 bits: Pillow silently cuts three deeper ones to 8; the file's layout shows it."""
    for tile in getattr(image, "tile", ()):
        layout = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        deep = any(isinstance(one, str) and DEEP.search(one) for one in layout)
        if deep or (str(tile[0]).startswith("ppm") and any(isinstance(one, int) and one > 255 for one in layout)):
            raise UnfitError(f"root: {origin} has more than 8 bits per channel (mode {layout[0]}); store it with 8")


def _require_single(image: Image, origin: str) -> None:
    """Make sure that it is one image, no animation or stack of pages; what cameras add to a JPEG (MPO) is allowed."""
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        frames = image.n_frames  # type: ignore[attr-defined]
        raise UnfitError(f"root: {origin} has {frames} images in it; store each in a file of its own")


class UnfitError(ValueError):
    """An image that can be read, but not as 8-bit RGB."""


def rgb(image: Image, origin: str) -> Image:
    """Three channels of eight bits, the right way up; greyscale, palettes and CMYK are made RGB.

    Transparency and deeper channels are errors.

    Raises:
        ValueError: converting the image would lose something.
    """
    from PIL import ImageOps

    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise ValueError(f"root: {origin} has more than 8 bits per channel (mode {image.mode}); store it with 8")
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise ValueError(
            f"root: {origin} is transparent, a fourth channel (mode {image.mode}); store it as RGB on a background"
        )
    return ImageOps.exif_transpose(image).convert("RGB")  # turned as the camera noted
