"""Where and how torch computes: device, threads, determinism, precision."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform

import torch
from torch import nn

from dilt.gpus import claim_gpu

# glibc's mallopt: parameters (malloc.h) and values that keep memory instead of giving it back after every step.
ALLOCATOR = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1), "M_TOP_PAD": (-2, 64 * 2**20)}


def use_device(threads: int) -> torch.device:
    """The device of this job: a GPU of its own where there is one, else ``threads`` CPU threads.

    Either device gives the same numbers each time. On the CPU the kernels used are deterministic for a number of
    threads; asking torch to make sure of it would import its compiler, five seconds per job.
    """
    torch.set_num_threads(threads)
    if torch.version.cuda:
        claim_gpu()
    if not torch.cuda.is_available():
        _keep_memory()
        return torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for the same sums each time
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda")


def _keep_memory() -> None:
    """Let the allocator keep what it has: the kernel need not zero fresh pages for the activations of every step."""
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter, value in ALLOCATOR.values():
            library.mallopt(parameter, value)


def memory_format(model: nn.Module) -> torch.memory_format:
    """How tensors of images lie in memory: channels last for what convolves, which its kernels are fastest on."""
    convolves = any(parameter.ndim == 4 for parameter in model.parameters())
    return torch.channels_last if convolves else torch.contiguous_format


def seed_device(device: torch.device, seed: int) -> None:
    """Seed what the device draws from (dropout). Cheaper than `torch.manual_seed`, which seeds absent GPUs too."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """The context for forward passes: bfloat16 autocast, or none."""
    if precision == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()
