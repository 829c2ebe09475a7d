"""Ways to make a good folder of images a bad one, for the table of bad data sets."""

import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cat", "dog")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


# 2 x 2 pixels of three times 16 bits, which Pillow can read but not write.
DEEP_PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress((b"\0" + bytes(12)) * 2))
    + _chunk(b"IEND", b"")
)


def picture(seed: int = 0, side: int = 6, channels: int = 3, kind: type[np.generic] = np.uint8) -> Image.Image:
    shape = (side, side, channels) if channels > 1 else (side, side)
    return Image.fromarray(np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape).astype(kind))


def remove(*paths: str) -> Callable[[Path], None]:
    return lambda root: [shutil.rmtree(root / path) for path in paths] and None


def put(path: str, image: Image.Image) -> Callable[[Path], None]:
    return lambda root: image.save(root / path)


def write(path: str, content: bytes = b"") -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(content)

    return damage


def cut(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).write_bytes((root / path).read_bytes()[:-40]) and None


def link(path: str, end: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        outside = root.parent / "elsewhere"
        outside.mkdir()
        for index in range(8):
            picture(index).save(outside / f"{index}.png")
        (root / path).unlink() if (root / path).is_file() else None
        (root / path).symlink_to(end)

    return damage


def only(split: str, name: str, number: int) -> Callable[[Path], None]:
    """Leave so many images of a class."""
    return lambda root: [file.unlink() for file in sorted((root / split / name).iterdir())[number:]] and None


def leave_folders(*names: str) -> Callable[[Path], None]:
    return remove(*(f"train/{name}" for name in CLASSES if name not in names))


def as_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Put a file beside the folder."""
    return lambda root: (root.parent / name).write_bytes(content) and None


def as_tar(*members: str, cut: int | None = None) -> Callable[[Path], None]:
    """Pack members of the folder into birds.tar, and cut that off somewhere."""

    def damage(root: Path) -> None:
        file = root.parent / "birds.tar"
        with tarfile.open(file, "w") as tar:
            for member in members:
                tar.add(root / member, member)
        file.write_bytes(file.read_bytes()[:cut])

    return damage


def linked_in_a_tar(root: Path) -> None:
    link("train/ant/0.png", "../bee/0.png")(root)
    as_tar("train")(root)


def loose_in_a_tar(root: Path) -> None:
    shutil.copy(root / "train/ant/0.png", root / "lost.png")
    as_tar("train", "lost.png")(root)


def deeper(root: Path) -> None:
    """Classes in two folders."""
    for split in ("train", "test"):
        for kind, names in {"insects": CLASSES[:2], "mammals": CLASSES[2:]}.items():
            (root / split / kind).mkdir()
            for name in names:
                (root / split / name).rename(root / split / kind / name)


def deeper_in_a_tar(root: Path) -> None:
    deeper(root)
    (root / "train/mammals/cat").rename(root / "train/mammals/ant")
    as_tar("train")(root)


def table(text: str) -> Callable[[Path], None]:
    return as_file("groups.csv", text.encode())


def empty(*names: str) -> Callable[[Path], None]:
    return lambda root: [file.unlink() for name in names for file in (root / "train" / name).iterdir()] and None


def nothing(root: Path) -> None:
    pass
