"""Tar files looked through once, and their members read in place.

A tar file inside another is looked through too, as if it were a folder of its name. Sorting members into splits is left
to `tar_splits`.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.sources import decoding
from dilt.sources.names import is_hidden, natural

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Member:
    """A file in a tar file.

    Attributes:
        path: its name, behind the names of the tar files that it lies in.
        offset, size: where its contents are in the outer file, in bytes.
        is_link: whether it is a link, without contents of its own.
    """

    path: str
    offset: int
    size: int
    is_link: bool

    @property
    def folders(self) -> list[str]:
        """The folders above it."""
        return self.path.split("/")[:-1]


def members(root: Path) -> tuple[Member, ...]:
    """All files of a tar file but hidden ones, in natural order.

    Raises:
        ValueError: it is damaged.
    """
    return _members(root, root.stat().st_mtime_ns)


@cache
def _members(root: Path, changed: int) -> tuple[Member, ...]:
    """Kept until the file changes: several splits ask for it."""
    try:
        with open(root, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            found = list(_inside(tar, "", 0))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(f"root: '{root}' is damaged ({error}); make it again from the class folders") from error
    return tuple(sorted(found, key=lambda member: (natural(member.path), member.path)))


def _inside(tar: tarfile.TarFile, above: str, start: int) -> Iterator[Member]:
    for one in tar.getmembers():
        path = os.path.normpath(os.path.join(above, one.name))
        if one.isdir() or any(map(is_hidden, path.split("/"))):
            continue
        if one.isfile() and one.name.endswith(".tar"):
            inner = tar.extractfile(one)
            assert inner is not None
            with inner, tarfile.open(fileobj=inner, mode="r:") as within:
                yield from _inside(within, path.removesuffix(".tar"), start + one.offset_data)
        else:
            yield Member(path, start + one.offset_data, one.size, is_link=not one.isfile())


class Tar:
    """Images in a tar file; their places are offset, size and path, in one byte string.

    Args:
        root: the tar file.
        listing: digest of its members when it was prepared, which they must still have; None: taken now.
    """

    def __init__(self, root: str, listing: str | None = None) -> None:
        self._root = root
        self._listing = listing or _listing(root)
        self._is_checked = listing is None

    @staticmethod
    def location(member: Member) -> bytes:
        """The place of a member."""
        return f"{member.offset} {member.size} ".encode() + os.fsencode(member.path)

    def read(self, location: bytes) -> Image:
        """The RGB image of a member."""
        origin = self.origin(location)
        if not self._is_checked:
            if _listing(self._root) != self._listing:
                raise ValueError(
                    f"root: '{self._root}' has other images than when it was prepared; prepare it again with "
                    "snakemake -R prepare"
                )
            self._is_checked = True
        offset, size, _ = location.split(b" ", 2)
        try:
            with open(self._root, "rb") as file:
                file.seek(int(offset))
                contents = file.read(int(size))
        except OSError as error:
            raise ValueError(f"root: {origin} cannot be read ({error.strerror}); restore or replace it") from error
        return decoding.read(io.BytesIO(contents), origin)

    def origin(self, location: bytes) -> str:
        """The tar file and the path in it, in quotes."""
        return f"'{self._root}/{self.name(location)}'"

    def name(self, location: bytes) -> str:
        """The path in the tar file."""
        return os.fsdecode(location.split(b" ", 2)[2])

    def record(self) -> dict[str, Any]:
        """The tar file, and the digest of its members."""
        return {"tar": self._root, "listing": self._listing}


def _listing(root: str) -> str:
    """Digest of names, places and sizes of all members."""
    text = "\n".join(f"{member.path} {member.offset} {member.size}" for member in members(Path(root)))
    return hashlib.sha256(os.fsencode(text)).hexdigest()
