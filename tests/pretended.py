"""Pretended GPUs: a folder for the PYTHONPATH that puts a library (NVML) of them below the real package pynvml."""

from collections.abc import Sequence
from pathlib import Path

GPUS = ("GPU-aaaaaaaa-0000", "GPU-bbbbbbbb-1111")
# The C functions that pynvml calls, as nvml.h has them: they give a code, and results through pointers.
NVML = """
import ctypes
import pynvml

class Library:
    def nvmlInitWithFlags(self, flags):
        return INITIALISED

    def nvmlShutdown(self):
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetCount_v2(self, count):
        ctypes.memmove(count, ctypes.byref(ctypes.c_uint(len(UUIDS))), 4)
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetHandleByIndex_v2(self, index, device):
        if UUIDS[index.value] is None:
            return pynvml.NVML_ERROR_GPU_IS_LOST
        ctypes.memmove(device, ctypes.byref(ctypes.c_void_p(index.value + 1)), ctypes.sizeof(ctypes.c_void_p))
        return pynvml.NVML_SUCCESS

    def nvmlDeviceGetUUID(self, device, text, length):
        text.value = UUIDS[ctypes.cast(device, ctypes.c_void_p).value - 1].encode()
        return pynvml.NVML_SUCCESS

pynvml.nvmlLib = Library()
"""


def pretend_gpus(folder: Path, uuids: Sequence[str | None] = GPUS, initialised: int = 0) -> Path:
    """The folder, now with a library that lists GPUs of these UUIDs; None is a GPU that is lost.

    Args:
        initialised: NVML's code for its initialisation; 0 is success.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(f"UUIDS, INITIALISED = {tuple(uuids)!r}, {initialised}\n{NVML}")
    return folder
