"""Facts about this machine for the report: processor, memory, GPUs and operating system."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from dilt.jobs.gpus import installed_gpus

CPUINFO = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """Facts about the machine that this process runs on, by name; nothing that names its user or the host."""
    import psutil

    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "GPUs": str(len(installed_gpus()) or "none"),
        "operating system": platform.platform(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _processor() -> str:
    """The processor's name; where the system does not give it, its architecture."""
    told = re.search(r"^model name\s*:\s*(.+)$", CPUINFO.read_text(), re.MULTILINE) if CPUINFO.is_file() else None
    return told[1] if told else platform.processor() or platform.machine()
