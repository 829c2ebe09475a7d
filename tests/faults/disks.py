"""A disk whose power can be cut: a file system of its own in an image, mounted by root.

The cut is the kernel's own (the ioctl by which xfstests tests journals): what the file system has not yet written is
lost, its journal included. Nothing is written back by time (``commit``), so that whatever was not synced is lost.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GOING_DOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN, _IOR('X', 125, __u32)
_WITHOUT_LOG = struct.pack("I", 2)
# Kind: how to make it, and how to mount it. The second renames files before their content is on the disk.
KINDS = {
    "ext4": (("mkfs.ext4", "-q", "-F", "-m", "0"), "commit=600"),
    "ext4, write-back": (("mkfs.ext4", "-q", "-F", "-m", "0"), "commit=600,data=writeback,noauto_da_alloc"),
    "xfs": (("mkfs.xfs", "-q", "-f"), "defaults"),
}


class Disk:
    """A mounted image in a folder.

    Args:
        folder: where image and mount point lie.
        kind: one of `KINDS`.
        megabytes: its size.
    """

    def __init__(self, folder: Path, kind: str, megabytes: int = 512) -> None:
        self.kind = kind
        self.image, self.root = folder / "disk.img", folder / "disk"
        self.root.mkdir(parents=True)
        with open(self.image, "wb") as image:
            image.truncate(megabytes * 2**20)
        make, self._options = KINDS[kind]
        subprocess.run([*make, str(self.image)], check=True)
        self.mount()

    @staticmethod
    def missing(kind: str = "ext4") -> str:
        """Why there can be none here, or nothing."""
        if os.geteuid() != 0:
            return "only root can mount"
        if not Path("/dev/loop-control").exists():
            return "no loop devices"
        return "" if shutil.which(KINDS[kind][0][0]) else f"no {KINDS[kind][0][0]}"

    def mount(self) -> None:
        subprocess.run(["mount", "-o", f"loop,{self._options}", str(self.image), str(self.root)], check=True)

    def unmount(self) -> None:
        for last in (*([False] * 50), True):
            done = subprocess.run(["umount", str(self.root)], check=last, capture_output=True)
            if not done.returncode:
                return
            time.sleep(0.1)  # a process that was killed is not quite gone

    def cut(self, also_written: float = 0.0) -> None:
        """Cut the power, and start again.

        Args:
            also_written: share of the files that the system happens to have written before.
        """
        if also_written:
            files = [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]
            for path in random.sample(files, int(also_written * len(files))):
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _GOING_DOWN, _WITHOUT_LOG)
        finally:
            os.close(descriptor)
        self.unmount()
        self.mount()

    @contextmanager
    def full_but_for(self, kilobytes: int) -> Iterator[None]:
        """Within the block there is no more room than that."""
        os.sync()
        filler = self.root / "filler"
        room = os.statvfs(self.root)
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_frsize - kilobytes * 1024, 1))
        try:
            yield
        finally:
            filler.unlink()
            os.sync()

    def remove(self) -> None:
        self.unmount()
        self.image.unlink()
