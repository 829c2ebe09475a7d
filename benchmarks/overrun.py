"""torch writes beyond its memory: the backward pass of a strided 1 x 1 convolution of few channels, channels last.

A reproducer for torch's (oneDNN's) maintainers, which needs torch and glibc alone:

    python overrun.py

runs every case in a process of its own under glibc's malloc checks, as this processor computes and as one with AVX2
alone does (``ONEDNN_MAX_CPU_ISA``), and prints the cases whose process aborts. Without the checks a training goes on
with damaged memory, and dies later or not at all. Seen with torch 2.15.0, 2 to 5 channels, stride 2; contiguous
tensors are clean. `dilt.networks.devices.overruns` keeps trainings from it.
"""

import itertools
import os
import subprocess
import sys

CASE = """
import sys, torch
layout = getattr(torch, sys.argv.pop())
channels_in, channels_out, kernel, stride, side = map(int, sys.argv[1:])
torch.set_num_threads(1)
torch.manual_seed(0)
convolution = torch.nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
convolution.to(memory_format=layout)
images = torch.randn(4, channels_in, side, side).contiguous(memory_format=layout).requires_grad_()
for _ in range(3):
    convolution(images).sum().backward()
"""
CHECKS = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"}
CHANNELS, KERNELS, STRIDES, SIDES = (2, 4, 8, 16), (1, 3), (1, 2), (8,)


def main() -> None:
    """Print what aborts."""
    import torch

    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    for instructions, layout in itertools.product(("DEFAULT", "AVX2"), ("channels_last", "contiguous_format")):
        aborted = []
        cases = list(itertools.product(CHANNELS, CHANNELS, KERNELS, STRIDES, SIDES))
        for case in cases:
            environment = os.environ | CHECKS | {"ONEDNN_MAX_CPU_ISA": instructions}
            command = [sys.executable, "-c", CASE, *map(str, case), layout]
            if subprocess.run(command, env=environment, capture_output=True, timeout=300).returncode < 0:
                aborted.append(case)
        print(f"ONEDNN_MAX_CPU_ISA={instructions} {layout}: {len(aborted)} of {len(cases)} abort", flush=True)
        for case in aborted:
            print("  {} to {} channels, kernel {}, stride {}, {} pixels a side".format(*case))


if __name__ == "__main__":
    main()
