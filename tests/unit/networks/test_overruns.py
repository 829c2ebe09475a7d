"""Facts about the layout of tensors on a CPU: no backward pass of a convolution writes beyond its memory."""

import os
import subprocess
import sys

import pytest
import torch
from small_networks import CPU, RESNET
from torch import nn

from dilt.networks import building
from dilt.networks.devices import memory_format, numerics, overruns
from dilt.settings.networks import Model
from dilt.settings.training import Training

GPU = torch.device("cuda")
SGD = Training(optimizer="sgd", epochs=1, batch_size=2, learning_rate=0.1)
CHECKS = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"}
# Backward passes in the layout that the loop would choose for a network with that convolution, one after another: the
# last one that is printed is the one that dies.
BACKWARD_PASSES = """
import sys, torch
from dilt.networks.devices import memory_format
torch.set_num_threads(1)
for channels_in in range(1, 33):
    for channels_out, kernel, stride in [(o, k, s) for o in (channels_in, 2, 32) for k in (1, 3) for s in (1, 2)]:
        convolution = torch.nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False)
        layout = getattr(torch, sys.argv[1]) if sys.argv[1:] else memory_format(convolution, torch.device("cpu"))
        print(channels_in, channels_out, kernel, stride, layout, flush=True)
        convolution.to(memory_format=layout)
        for side in (8, 9):
            images = torch.randn(4, channels_in, side, side).contiguous(memory_format=layout).requires_grad_()
            for _ in range(2):
                convolution(images).sum().backward()
print("all")
"""


@pytest.mark.parametrize("instructions", ["DEFAULT", "AVX2"], ids=["this processor", "one with AVX2 alone"])
def test_no_backward_pass_of_a_convolution_writes_beyond_its_memory(instructions: str) -> None:
    environment = os.environ | CHECKS | {"ONEDNN_MAX_CPU_ISA": instructions}
    command = [sys.executable, "-c", BACKWARD_PASSES]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    if "cannot be preloaded" in ran.stderr:
        pytest.skip("glibc's malloc checks (libc_malloc_debug) are absent")
    last = ran.stdout.splitlines()[-1]
    assert (last, ran.returncode) == ("all", 0), f"{last}: {ran.stderr[-500:]}"


@pytest.mark.parametrize(
    ("convolution", "safe"),
    [
        (nn.Conv2d(4, 32, 1, 2), False),
        (nn.Conv2d(32, 4, 1, stride=(1, 2)), False),
        (nn.ConvTranspose2d(64, 8, 1, 2), False),
        (nn.Conv2d(64, 64, 1, 2, groups=16), False),
        (nn.Conv2d(16, 32, 1, 2), True),
        (nn.Conv2d(4, 4, 1), True),
        (nn.Conv2d(4, 4, 3, 2), True),
    ],
)
def test_networks_with_a_strided_1_x_1_convolution_of_few_channels_are_contiguous_on_a_cpu(
    convolution: nn.Module, safe: bool
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 64, 3), convolution)
    assert (overruns(network) is None) == safe
    assert memory_format(network, CPU) == (torch.channels_last if safe else torch.contiguous_format)
    assert memory_format(network, GPU) == torch.channels_last


def test_it_is_recorded_with_what_was_trained() -> None:
    narrow, wide = (building.skeleton(one, (3, 8, 8), 2) for one in (RESNET, Model(name="resnet18")))
    assert "contiguous for the strided 1 x 1 convolution layer2.0.downsample.0" in numerics([CPU], SGD, narrow)
    assert "contiguous" not in numerics([CPU], SGD, wide)
