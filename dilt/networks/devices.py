"""Where and how torch computes: device, threads, determinism, precision, layout in memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dilt.jobs.gpus import claim_gpus
from dilt.settings.training import Training

# glibc's mallopt: parameters (malloc.h) and values that keep memory instead of giving it back after every step.
ALLOCATOR = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1), "M_TOP_PAD": (-2, 64 * 2**20)}
CPU_DESCRIPTION = Path("/proc/cpuinfo")
FEWEST_CHANNELS = 16  # of a strided 1 x 1 convolution that is computed channels last on a CPU


def use_devices(threads: int, number: int = 1, deterministic: bool = True) -> list[torch.device]:
    """The devices of this job, one for each of its ranks: GPUs of its own where there are some, else CPU threads.

    Args:
        threads: CPU threads of the job, which its ranks share.
        number: ranks, each of which trains on its share of every batch; 0 (no GPU asked for) means 1.
        deterministic: whether a GPU must give the same bits each time, which forbids some fast kernels.
    """
    number = max(1, number)
    if torch.version.cuda:
        claim_gpus(number)
    set_up(max(1, threads // number), deterministic)
    if not torch.cuda.is_available():
        return [torch.device("cpu")] * number
    return [torch.device("cuda", rank) for rank in range(number)]


def use_device(threads: int, deterministic: bool = True) -> torch.device:
    """The device of a job that has one; see `use_devices`."""
    return use_devices(threads, deterministic=deterministic)[0]


def set_up(threads: int, deterministic: bool) -> None:
    """Set number of threads and determinism of torch's kernels in this process.

    On the CPU the kernels used are deterministic for a given number of threads; asking torch to make sure of it would
    import its compiler, five seconds per job.
    """
    if not torch.cuda.is_available():
        use_cpu(threads)
        return
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = not deterministic
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for the same sums each time
        torch.use_deterministic_algorithms(True, warn_only=True)
        # A safety net of torch's that costs a write of every tensor.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def use_cpu(threads: int) -> None:
    """Set number of threads in this process, which has no use for a GPU, and let its allocator keep its memory.

    The kernel then need not zero fresh pages for the activations of every step.
    """
    torch.set_num_threads(threads)
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter, value in ALLOCATOR.values():
            library.mallopt(parameter, value)


def memory_format(model: nn.Module, device: torch.device) -> torch.memory_format:
    """How tensors of images lie in memory: channels last for networks that convolve, since that is fastest.

    Contiguous on a CPU if the backward pass of a convolution would write beyond its memory with channels last
    (`overruns`): contiguous tensors are computed by other kernels.
    """
    return layout(model, device)[0]


def layout(model: nn.Module, device: torch.device) -> tuple[torch.memory_format, str]:
    """`memory_format`, and why."""
    if not any(parameter.ndim == 4 for parameter in model.parameters()):
        return torch.contiguous_format, "contiguous, as the network has no convolutions"
    if device.type == "cpu" and (name := overruns(model)) is not None:
        return torch.contiguous_format, (
            f"contiguous, as with channels last the backward pass of {name}, a strided 1 x 1 convolution of fewer than "
            f"{FEWEST_CHANNELS} channels, may write beyond its memory"
        )
    return torch.channels_last, "channels last, in which convolutions are fastest"


def overruns(model: nn.Module) -> str | None:
    """The first convolution of a network whose backward pass, channels last, may write beyond its memory; None: none.

    oneDNN (torch 2.11 to 2.15) gathers what a strided 1 x 1 convolution reads in whole vectors of channels: with fewer
    channels it writes beyond the end of its buffer. `benchmarks/overrun.py` shows it, for 2 to 5 channels with AVX2; 8
    were seen with AVX-512. Here a convolution counts if it has fewer than `FEWEST_CHANNELS` inputs or outputs: as many
    as the widest vector has.
    """
    for name, module in model.named_modules():
        kernel, stride = getattr(module, "kernel_size", None), getattr(module, "stride", None)
        if kernel is None or stride is None or not hasattr(module, "in_channels"):
            continue
        fewest = min(_largest(module.in_channels), _largest(module.out_channels)) // _largest(module.groups)
        if _largest(kernel) == 1 and _largest(stride) > 1 and fewest < FEWEST_CHANNELS:
            return str(name)
    return None


def _largest(sizes: Any) -> int:
    return int(max(sizes) if isinstance(sizes, tuple | list) else sizes)


def seed_device(device: torch.device, seed: int) -> None:
    """Seed what the device draws from (dropout). Cheaper than `torch.manual_seed`, which seeds absent GPUs too."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """The context for forward passes in a precision of the configuration (training.precision).

    On a GPU it decides on TensorFloat-32 too, for backward passes as well: torch's default is that convolutions use it
    and products of matrices do not, which is neither float32 nor fast.
    """
    precision = resolve(precision, device)
    if device.type == "cuda":
        for kernels in (torch.backends.cudnn.conv, torch.backends.cuda.matmul):  # type: ignore[attr-defined]
            kernels.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    if precision == "bfloat16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def resolve(precision: str, device: torch.device) -> str:
    """What ``auto`` stands for: bfloat16 where it is faster than float32, else float32; other precisions themselves."""
    return resolved(precision, device)[0]


def resolved(precision: str, device: torch.device) -> tuple[str, str]:
    """`resolve`, and why."""
    if precision != "auto":
        return precision, f"{precision}, as training.precision says"
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "bfloat16, which this GPU multiplies faster than float32"
        return "float32", "float32, as this GPU has no bfloat16 of its own"
    instructions = _fast_bfloat16(CPU_DESCRIPTION)
    if instructions is None:
        return "float32", "float32, as this processor multiplies bfloat16 no faster (no AMX, nor AMD's avx512_bf16)"
    return "bfloat16", f"bfloat16, which this processor multiplies faster than float32 ({instructions})"


@cache
def _fast_bfloat16(description: Path) -> str | None:
    """The instructions with which the processor multiplies bfloat16 faster than float32: matrix units, AMD's vectors.

    Intel's vector instructions for it have no more throughput than those for float32: training was slower with them.
    """
    text = description.read_text() if description.exists() else ""
    flags = set(re.findall(r"\w+", text))
    if "amx_bf16" in flags:
        return "amx_bf16"
    return "AMD's avx512_bf16" if {"avx512_bf16", "AuthenticAMD"} <= flags else None


def compiles(settings: Training, device: torch.device) -> bool:
    """Whether a training's network is compiled; ``auto``: on a GPU that need not give the same bits each time.

    On CPUs compiled networks were slower than torch's own kernels, and two processes need not compile them alike.
    """
    if settings.compile == "auto":
        return device.type == "cuda" and not settings.deterministic
    return settings.compile == "always"


def choices(device: torch.device, settings: Training, model: nn.Module) -> list[str]:
    """How a training is computed, and why: layout, precision and, where it is so, that it is compiled."""
    found = [layout(model, device)[1], resolved(settings.precision, device)[1]]
    if compiles(settings, device):
        why = (
            "this GPU need not give the same bits each time"
            if settings.compile == "auto"
            else "training.compile says so"
        )
        found.append(f"compiled, as {why}")
    return found


def numerics(devices: Sequence[torch.device], settings: Training, model: nn.Module) -> str:
    """What decides the last bits of a training besides settings and data, to be recorded with its result."""
    device = devices[0]
    if device.type == "cuda":
        found = [torch.cuda.get_device_name(device), "deterministic" if settings.deterministic else "not deterministic"]
    else:
        found = [f"cpu with {torch.get_num_threads()} thread(s)"]
        if (name := overruns(model)) is not None:
            found.append(f"contiguous for the strided 1 x 1 convolution {name}")
    found.append(resolve(settings.precision, device))
    if compiles(settings, device):
        found.append("compiled")
    if len(devices) > 1:
        found.append(f"{len(devices)} ranks")
    return ", ".join(found)
