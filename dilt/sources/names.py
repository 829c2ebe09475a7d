"""Names of files: which are images, which are hidden, and their natural order."""

import os
import re

# What torchvision's ImageFolder takes for an image, and what else Pillow reads without loss into 8 bits.
EXTENSIONS = (
    *(".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    *(".gif", ".jfif", ".jpe", ".pbm", ".pnm", ".tga"),
)
ASIDE = ("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "System Volume Information")  # made by systems, no classes


def has_image_name(name: str) -> bool:
    """Whether a file's name is that of an image."""
    return name.lower().endswith(EXTENSIONS) and not is_hidden(os.path.basename(name))


def is_hidden(name: str) -> bool:
    """Whether a file or folder was put there by a system or an editor, and is neither class nor image."""
    return (name.startswith(".") and name not in (".", "..")) or name in ASIDE


def natural(name: str) -> list[tuple[bool, int, str]]:
    """The sort key by which ``character2`` comes before ``character10``."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name.lower())]
