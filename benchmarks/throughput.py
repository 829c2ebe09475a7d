"""Images/s of our training loop for networks of ImageNet size, and the share of the device's matrix peak.

    python benchmarks/throughput.py                                       # resnet50 and ViT-S, 224 pixels, on a GPU
    python benchmarks/throughput.py --batch 8 --side 64 --steps 2         # a try on a CPU
    python benchmarks/throughput.py --jobs 4 --models resnet18 --side 32 --batch 128 --steps 200   # several on one GPU

Images are random. The peak is what products of large bfloat16 matrices reach on the same device, measured beside;
operations are counted by torch (FlopCounterMode), a training step as three forward passes. With several jobs, images/s
are of all together, each a process of its own on the same device.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from dilt.data.prepared import Images
from dilt.jobs.gpus import JOBS_PER_GPU
from dilt.networks import building
from dilt.networks.architectures import prunable
from dilt.networks.devices import use_device
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.masks import Mask
from dilt.training.loop import Loop, Work

CLASSES = 1000


def images(number: int, side: int) -> Images:
    """Random images."""
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, (number, 3, side, side), dtype=np.uint8)
    names = tuple(map(str, range(CLASSES)))
    return Images(pixels, draws.integers(0, CLASSES, number), names, (0.5,) * 3, (0.25,) * 3)


def matrix_peak(device: torch.device) -> float:
    """Floating-point operations per second of products of bfloat16 matrices."""
    side, times = (8192, 50) if device.type == "cuda" else (1024, 3)
    factors = torch.rand(2, side, side, device=device, dtype=torch.bfloat16)
    factors[0] @ factors[1]
    start = now(device)
    for _ in range(times):
        factors[0] @ factors[1]
    return times * 2 * side**3 / (now(device) - start)


def now(device: torch.device) -> float:
    """Seconds, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def speed(name: str, settings: Training, side: int, steps: int, device: torch.device) -> tuple[float, float]:
    """Images/s under a mask, after as many steps to warm up, and operations that an image needs to be trained on."""
    data = images(settings.batch_size * min(steps, 8), side)
    arguments = {"img_size": side} if name.startswith("vit") else {}
    model = building.build(Model(name=name, arguments=arguments), data.image_shape, data.classes, 0)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, *data.image_shape))
    draws = np.random.default_rng(0)
    mask = Mask({key: draws.random(weight.shape) < 0.2 for key, weight in prunable(model).items()})
    loop = Loop(Work(model, data, mask, settings, 0, "benchmark"), device)
    training = loop.steps()
    for _ in range(steps):
        next(training)
    start = now(device)
    for _ in range(steps):
        next(training)
    return steps * settings.batch_size / (now(device) - start), 3.0 * counter.get_total_flops()


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["resnet50", "vit_small_patch16_224"])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--side", type=int, default=224, help="pixels")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--precision", default="bfloat16")
    arguments = parser.parse_args()
    if arguments.jobs > 1:
        several(arguments.jobs, sys.argv[1:])
        return
    settings = Training(
        epochs=10_000,
        batch_size=arguments.batch,
        optimizer="sgd",
        learning_rate=0.01,
        schedule="constant",
        precision=arguments.precision,
        deterministic=False,
    )
    device = use_device(torch.get_num_threads(), settings.deterministic)
    print(f"{device}; batch {arguments.batch}, {arguments.side} x {arguments.side} pixels, {arguments.precision}\n")
    print("| model | images/s | TFLOP/s | of matrix peak |\n| --- | ---: | ---: | ---: |")
    for name in arguments.models:
        found, operations = speed(name, settings, arguments.side, arguments.steps, device)
        share = found * operations / matrix_peak(device)
        print(f"| {name} | {found:,.1f} | {found * operations / 1e12:.2f} | {share:.0%} |", flush=True)


def several(jobs: int, options: list[str]) -> None:
    """So many processes at once; the sum of what they say, beside what one says alone."""
    command = [sys.executable, str(Path(__file__)), *options, "--jobs", "1"]
    for number in (1, jobs):
        environment = os.environ | {JOBS_PER_GPU: str(number)}
        running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(number)]
        said = [process.communicate()[0] for process in running]
        rates = [float(text.splitlines()[-1].split("|")[2].replace(",", "")) for text in said]
        print(f"{number} at a time: {sum(rates):,.1f} images/s")


if __name__ == "__main__":
    main()
