"""How much memory there is for this job: the machine's, or less where a container or a cluster's job has a limit."""

from __future__ import annotations

from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def memory_bytes() -> int:
    """The machine's memory, or the lowest limit of the control groups (version 2) that this process is in."""
    import psutil

    return min([int(psutil.virtual_memory().total), *_limits()])


def _limits() -> list[int]:
    """Memory limits of the process's control group and those around it."""
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return []
    inner = next((CGROUPS / line[3:].lstrip("/") for line in lines if line.startswith("0::")), CGROUPS)
    files = [group / "memory.max" for group in (inner, *inner.parents) if group.is_relative_to(CGROUPS)]
    found = [file.read_text().strip() for file in files if file.is_file()]
    return [int(limit) for limit in found if limit.isdigit()]
