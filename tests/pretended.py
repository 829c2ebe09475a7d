"""Pretended GPUs: an `nvidia-smi` that lists them, to be put on the PATH."""

from pathlib import Path

GPUS = ("GPU-aaaaaaaa-0000", "GPU-bbbbbbbb-1111")


def pretend_gpus(folder: Path, uuids: tuple[str, ...] = GPUS) -> Path:
    """The folder, now with an `nvidia-smi` that lists GPUs of these UUIDs."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = "".join(f'echo "{index}, {uuid}"\n' for index, uuid in enumerate(uuids))
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{listing}")
    (folder / "nvidia-smi").chmod(0o755)
    return folder
