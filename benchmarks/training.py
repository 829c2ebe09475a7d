"""Images per second of the training loop, side by side with a plain reference, as ratios.

    python benchmarks/training.py                  # conv3 and resnet18 (CIFAR stem), batch 256, 32 x 32 pixels
    python benchmarks/training.py --models conv3 --rounds 3
    python benchmarks/training.py --models resnet18 --steps 50    # on a GPU, which is used where there is one

Every variant is a process of its own with one thread; they work one at a time in turn, the order reversed every round,
and a ratio is the median of the rounds' ratios. Seconds are of the CPU, on a GPU of the wall. Images are random: speed
does not depend on what they show.

- reference: what COLT's published code does per step (arXiv 2212.12770): crop, mirror and rotation of each image by PIL
  in a DataLoader, float32, gradients of pruned weights set to zero by `torch.where`, one parameter at a time.
- dilt: our loop under the same mask in float32; dilt-bfloat16: the same with bfloat16 autocast, on a GPU compiled too.
- dilt-dense: our loop in float32 without a mask.
- timm-dense: timm's train step in float32 (its optimizer factory, channels last) on tensors, unmasked, without
  augmentation; dilt-plain is our loop like that.

The last lines tell how near the loops are to what the device can do at all: floating-point operations per second of
float32 matrix products, and those that an image needs (3 times the forward pass's); and what share of a step the mask
costs by itself, which is less than two loops can be told apart by on a machine with other work.
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dilt.data.prepared import Images
from dilt.jobs.checkpoints import Checkpoints, StopRequest
from dilt.networks import states
from dilt.networks.devices import use_device
from dilt.settings.training import Training
from dilt.tickets.masks import Mask
from dilt.training.loop import Loop, Work
from dilt.training.session import train

CLASSES, SIDE, BATCH, DENSITY = 5, 32, 256, 0.2
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
VARIANTS = ("reference", "dilt", "dilt-bfloat16", "dilt-dense", "timm-dense", "dilt-plain")
RATIOS = (
    ("dilt", "reference"),
    ("dilt-bfloat16", "reference"),
    ("dilt", "dilt-dense"),
    ("dilt-plain", "timm-dense"),
)


def network(name: str) -> nn.Module:
    """A network for 32 x 32 pixels, the same weights each time."""
    torch.manual_seed(0)
    if name == "conv3":
        sizes = (3, 64, 128, 256)
        blocks: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            blocks += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(256 * 16, CLASSES))
    import timm

    model = timm.create_model(name, num_classes=CLASSES)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


def mask_of(model: nn.Module) -> Mask:
    """A random mask of the convolutions."""
    generator = np.random.default_rng(0)
    convolutions = {f"{n}.weight": m.weight for n, m in model.named_modules() if isinstance(m, nn.Conv2d)}
    return Mask({name: generator.random(weight.shape) < DENSITY for name, weight in convolutions.items()})


def images(number: int) -> Images:
    """Random images."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (number, 3, SIDE, SIDE), dtype=np.uint8)
    labels = generator.integers(0, CLASSES, number)
    return Images(pixels, labels, tuple(map(str, range(CLASSES))), (0.5,) * 3, (0.25,) * 3)


def reference(model: nn.Module, steps: int) -> Callable[[], None]:
    """COLT's step: PIL, float32, one gradient after the other."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    data = images(steps * BATCH)
    chain = transforms.Compose(
        [
            transforms.RandomCrop(SIDE, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(15),
            transforms.ToTensor(),
            transforms.Normalize(data.mean, data.std),
        ]
    )

    class Pictures(Dataset[tuple[torch.Tensor, int]]):
        def __len__(self) -> int:
            return len(data)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return chain(Image.fromarray(data.pixels[index].transpose(1, 2, 0))), int(data.labels[index])

    loader = DataLoader(Pictures(), BATCH, shuffle=True, num_workers=4 if GPU else 0, pin_memory=GPU)
    masks = {name: torch.from_numpy(live.copy()).to(DEVICE) for name, live in mask_of(model).layers.items()}
    states.apply_mask(model, mask_of(model))
    model.to(DEVICE)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    zero = torch.zeros((), device=DEVICE)

    def epoch() -> None:
        model.train()
        for pixels, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pixels.to(DEVICE)), labels.to(DEVICE)).backward()
            for name, parameter in model.named_parameters():
                if name in masks and parameter.grad is not None:
                    parameter.grad = torch.where(masks[name], parameter.grad, zero)
            optimizer.step()

    return epoch


def ours(model: nn.Module, steps: int, variant: str) -> Callable[[], None]:
    """Our loop, one epoch of so many steps."""
    device = use_device(1, deterministic=variant != "dilt-bfloat16")
    data, validation = images(steps * BATCH), images(2)
    mask = None if variant in ("dilt-dense", "dilt-plain") else mask_of(model)
    settings = Training(
        epochs=1,
        batch_size=BATCH,
        optimizer="sgd",
        learning_rate=0.01,
        weight_decay=5e-4,
        augmentation="none" if variant == "dilt-plain" else "crop-flip",
        precision="bfloat16" if variant == "dilt-bfloat16" else "float32",
        deterministic=variant != "dilt-bfloat16",
    )

    def epoch() -> None:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Checkpoints(Path(folder), {}, 1e9, StopRequest()).of("benchmark")
            train(Work(model, data, mask, settings, 0, "benchmark"), validation, [device], checkpoint)

    return epoch


def timm_dense(model: nn.Module, steps: int) -> Callable[[], None]:
    """timm's train step on tensors that are there already."""
    from timm.optim import create_optimizer_v2

    data = images(steps * BATCH)
    model.to(DEVICE, memory_format=torch.channels_last)
    optimizer = create_optimizer_v2(model, "sgd", lr=0.01, weight_decay=5e-4, momentum=0.9)
    loss_function = nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(data.pixels).to(DEVICE), torch.from_numpy(data.labels).to(DEVICE)
    mean, std = (torch.tensor(values, device=DEVICE).view(1, 3, 1, 1) * 255 for values in (data.mean, data.std))

    def epoch() -> None:
        model.train()
        for chosen in torch.randperm(len(data), device=DEVICE).split(BATCH):
            batch = pixels[chosen].float().sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)
            loss_function(model(batch), labels[chosen]).backward()
            optimizer.step()
            optimizer.zero_grad()

    return epoch


def work(name: str, variant: str, steps: int) -> None:
    """A variant's process: an epoch for every line that comes in; says its seconds."""
    torch.set_num_threads(1)
    model = network(name)
    if variant == "reference":
        epoch = reference(model, steps)
    elif variant == "timm-dense":
        epoch = timm_dense(model, steps)
    else:
        epoch = ours(model, steps, variant)
    for _ in sys.stdin:
        start = seconds()
        epoch()
        print(f"seconds {seconds() - start}", flush=True)


def seconds() -> float:
    """Of the CPU; where a GPU computes, of the wall, once it is done."""
    if not GPU:
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def operations(name: str) -> str:
    """What the device can do, and how many operations an image needs."""
    side, times = (8192, 20) if GPU else (2048, 5)
    factors = torch.rand(2, side, side, device=DEVICE)
    factors[0] @ factors[1]
    start = seconds()
    for _ in range(times):
        factors[0] @ factors[1]
    peak = times * 2 * side**3 / (seconds() - start)
    with FlopCounterMode(display=False) as counter:
        network(name)(torch.zeros(1, 3, SIDE, SIDE))
    needed = 3 * counter.get_total_flops()
    return (
        f"{name}: {needed / 1e9:.2f} GFLOP an image to train; products of float32 matrices: {peak / 1e9:.0f} GFLOP/s, "
        f"which would be {peak / needed:.0f} images/s"
    )


def measured(name: str, steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of every variant and round, after one round to warm up."""
    command = [sys.executable, __file__, "--work", name, "--steps", str(steps)]
    workers = {
        variant: subprocess.Popen(
            [*command, "--variant", variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for variant in VARIANTS
    }
    found: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for number in range(rounds + 1):
        for variant in VARIANTS if number % 2 else reversed(VARIANTS):
            worker = workers[variant]
            assert worker.stdin is not None
            assert worker.stdout is not None
            print(file=worker.stdin, flush=True)
            said = next(line for line in worker.stdout if line.startswith("seconds"))
            if number:
                found[variant].append(float(said.split()[1]))
    for worker in workers.values():
        worker.kill()
    return found


def table(name: str, found: dict[str, list[float]], steps: int) -> Iterator[str]:
    """Rows of Markdown."""
    speed = {variant: steps * BATCH / statistics.median(values) for variant, values in found.items()}
    for first, second in RATIOS:
        ratios = sorted(b / a for a, b in zip(found[first], found[second], strict=True))
        spread = f"{statistics.median(ratios):.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f}"
        yield f"| {name} | {first} | {second} | {speed[first]:.1f} | {speed[second]:.1f} | {spread} |"


def mask_share(name: str) -> str:
    """What keeping pruned weights at zero costs of a step."""
    model, data = network(name), images(BATCH)
    settings = Training(epochs=1000, batch_size=BATCH, optimizer="sgd", learning_rate=0.01)
    loop = Loop(Work(model, data, mask_of(model), settings, 0, "benchmark"), use_device(1))
    steps = loop.steps()
    next(steps)
    start = seconds()
    next(steps)
    step = seconds() - start
    start = seconds()
    for _ in range(100):
        loop.pruned.keep_at_zero()
    mask = (seconds() - start) / 100
    return f"{name}: masks {1000 * mask:.2f} ms of a step's {1000 * step:.0f} ms, {mask / step:.2%}"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["conv3", "resnet18"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="steps of every turn")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, arguments.variant, arguments.steps)
        return
    print("| model | loop | against | images/s | images/s | ratio, median | range |")
    print("| --- | --- | --- | ---: | ---: | ---: | --- |")
    for name in arguments.models:
        for row in table(name, measured(name, arguments.steps, arguments.rounds), arguments.steps):
            print(row, flush=True)
    torch.set_num_threads(1)
    for name in arguments.models:
        print(f"\n{operations(name)}\n{mask_share(name)}")


if __name__ == "__main__":
    main()
