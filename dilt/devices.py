"""Where and how torch computes: device, threads, determinism, precision."""

from __future__ import annotations

import contextlib
import os

import torch

from dilt.gpus import claim_gpu


def use_device(threads: int) -> torch.device:
    """The device of this job: a GPU of its own where there is one, else ``threads`` CPU threads.

    Either device gives the same numbers each time. On the CPU the kernels used are deterministic for a number of
    threads; asking torch to make sure of it would import its compiler, five seconds per job.
    """
    torch.set_num_threads(threads)
    if torch.version.cuda:
        claim_gpu()
    if not torch.cuda.is_available():
        return torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for the same sums each time
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda")


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
