"""Two views of one folder, as two computers have them of a network file system: each remembers for seconds what it saw.

What the other makes, replaces or removes is seen late. The views are bindfs's with the kernel's caches of names,
attributes and absent names, which is what NFS does for up to a minute (acregmax, acdirmax).
"""

import shutil
import subprocess
import time
from pathlib import Path

LATE = 2.0  # seconds


class Views:
    """Mounted views of a folder, from `__init__` to `remove`.

    Attributes:
        first, second: the folder as two computers see it.
    """

    def __init__(self, folder: Path) -> None:
        source = folder / "server"
        self.first, self.second = folder / "node-1", folder / "node-2"
        source.mkdir(parents=True)
        late = ",".join(f"{what}_timeout={LATE}" for what in ("attr", "entry", "negative"))
        for view in (self.first, self.second):
            view.mkdir()
            subprocess.run(["bindfs", "-o", late, str(source), str(view)], check=True)

    @staticmethod
    def missing() -> str:
        """Why there can be none here, or nothing."""
        return "" if shutil.which("bindfs") and Path("/dev/fuse").exists() else "no bindfs, or no FUSE"

    def catch_up(self) -> None:
        """Wait until both see the same."""
        time.sleep(LATE + 0.1)

    def remove(self) -> None:
        for view in (self.first, self.second):
            subprocess.run(["umount", "-l", str(view)], check=True)
