"""Images per second of the training loop, side by side with a plain reference, and its share of what the device can do.

    python benchmarks/training.py                  # conv3 and resnet18 (CIFAR stem), batch 256, 32 x 32 pixels
    python benchmarks/training.py --models conv3 --rounds 3
    python benchmarks/training.py --models resnet18 --seconds 2 --limit 300     # on a GPU, used where there is one

Every variant is a process of its own with one thread; they work one at a time in turn, the order reversed every
round, and a ratio is the median of the rounds' ratios. A turn is as many steps as fit into --seconds, at least one.
Loops, loaders and compiled networks stay from turn to turn, and the first turn, which sets them up, is not counted.
Seconds are of the CPU, on a GPU of the wall. Images are random: speed does not depend on what they show.

- reference: what COLT's published code does per step (arXiv 2212.12770): crop, mirror and rotation of each image by PIL
  in a DataLoader, float32 as torch computes it by default, gradients of pruned weights set to zero by `torch.where`,
  one parameter at a time.
- dilt: our loop under the same mask in float32; dilt-bfloat16: the same with bfloat16 autocast, on a GPU compiled too;
  dilt-contiguous: in float32, with the layout in memory that is not channels last.
- dilt-dense: our loop in float32 without a mask.
- timm-dense: timm's train step in float32 (its optimizer factory, channels last) on tensors, unmasked, without
  augmentation; dilt-plain is our loop like that.
- products: of large matrices, in float32 and in bfloat16: what the device can do at all. On a CPU the faster of two:
  torch's product, which is MKL's in float32, and that of a wide 3 x 3 convolution, which is oneDNN's (on AMD's
  processors MKL does without AVX-512).

The second table tells how near the loops are to that: operations per second over those of the products in the same
round. Operations are counted in a forward and a backward pass, by shapes (FlopCounterMode): what computes them changes
nothing of it, so an algorithm with fewer multiplications, which cuDNN has for 3 x 3 convolutions, may be above 1. Then
follow the layout and the precision that ``precision: auto`` chooses here, with the reasons, and what share of a step
the mask costs by itself, which is less than two loops can be told apart by on a machine with other work.
"""

import argparse
import itertools
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from unittest.mock import patch

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dilt.data.prepared import Images
from dilt.networks import states
from dilt.networks.devices import choices, use_device
from dilt.settings.training import Training
from dilt.tickets.masks import Mask
from dilt.training.loop import Loop, Work

CLASSES, SIDE, BATCH, BATCHES, DENSITY = 5, 32, 256, 8, 0.2
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
MATRIX, WIDE = 8192 if GPU else 2304, 256  # side of the matrices that are multiplied; channels of a wide convolution
LOOPS = {  # with the precision in which they multiply
    "reference": "float32",
    "dilt": "float32",
    "dilt-bfloat16": "bfloat16",
    "dilt-contiguous": "float32",
    "dilt-dense": "float32",
    "timm-dense": "float32",
    "dilt-plain": "float32",
}
PRODUCTS = {"products-float32": torch.float32, "products-bfloat16": torch.bfloat16}
RATIOS = (
    ("dilt", "reference"),
    ("dilt-bfloat16", "reference"),
    ("dilt", "dilt-dense"),
    ("dilt", "dilt-contiguous"),
    ("dilt-plain", "timm-dense"),
)
OF_PRODUCTS = 2 * MATRIX**3  # operations of a step of them
Rates = dict[str, list[float]]  # of each variant in every round: images per second, or operations per second


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


def reference(model: nn.Module) -> Iterator[object]:
    """COLT's steps: PIL, float32, one gradient after the other."""
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    data = images(BATCHES * BATCH)
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

    workers = 4 if GPU else 0
    loader = DataLoader(
        Pictures(), BATCH, shuffle=True, num_workers=workers, pin_memory=GPU, persistent_workers=bool(workers)
    )
    masks = {name: torch.from_numpy(live.copy()).to(DEVICE) for name, live in mask_of(model).layers.items()}
    states.apply_mask(model, mask_of(model))
    model.to(DEVICE).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    zero = torch.zeros((), device=DEVICE)
    while True:
        for pixels, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pixels.to(DEVICE)), labels.to(DEVICE)).backward()
            for name, parameter in model.named_parameters():
                if name in masks and parameter.grad is not None:
                    parameter.grad = torch.where(masks[name], parameter.grad, zero)
            optimizer.step()
            yield


def settings_of(variant: str) -> Training:
    """Of our loops."""
    return Training(
        epochs=1_000_000,
        batch_size=BATCH,
        optimizer="sgd",
        learning_rate=0.01,
        weight_decay=5e-4,
        schedule="constant",
        augmentation="none" if variant == "dilt-plain" else "crop-flip",
        precision="bfloat16" if variant == "dilt-bfloat16" else "float32",
        deterministic=variant != "dilt-bfloat16",
    )


def ours(model: nn.Module, variant: str) -> Iterator[object]:
    """The steps of our loop."""
    settings = settings_of(variant)
    device = use_device(1, settings.deterministic)
    mask = None if variant in ("dilt-dense", "dilt-plain") else mask_of(model)
    if variant == "dilt-contiguous":
        patch("dilt.training.loop.memory_format", lambda *given: torch.contiguous_format).start()
    return Loop(Work(model, images(BATCHES * BATCH), mask, settings, 0, "benchmark"), device).steps()


def timm_dense(model: nn.Module) -> Iterator[object]:
    """timm's train steps on tensors that are there already."""
    from timm.optim import create_optimizer_v2

    data = images(BATCHES * BATCH)
    model.to(DEVICE, memory_format=torch.channels_last).train()
    optimizer = create_optimizer_v2(model, "sgd", lr=0.01, weight_decay=5e-4, momentum=0.9)
    loss_function = nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(data.pixels).to(DEVICE), torch.from_numpy(data.labels).to(DEVICE)
    mean, std = (torch.tensor(values, device=DEVICE).view(1, 3, 1, 1) * 255 for values in (data.mean, data.std))
    while True:
        for chosen in torch.randperm(len(data), device=DEVICE).split(BATCH):
            batch = pixels[chosen].float().sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)
            loss_function(model(batch), labels[chosen]).backward()
            optimizer.step()
            optimizer.zero_grad()
            yield


def products(kind: torch.dtype) -> Iterator[object]:
    """For a step the products of large matrices that need `OF_PRODUCTS` operations, by what is fastest."""
    factors = torch.rand(2, MATRIX, MATRIX, device=DEVICE).to(kind)
    ways: list[Callable[[], object]] = [lambda: torch.mm(factors[0], factors[1])]
    if not GPU:
        weights = torch.rand(WIDE, WIDE, 3, 3).to(kind).contiguous(memory_format=torch.channels_last)
        number = OF_PRODUCTS // (2 * 9 * WIDE**2 * 16**2)
        pixels = torch.rand(number, WIDE, 16, 16).to(kind).contiguous(memory_format=torch.channels_last)
        ways.append(lambda: nn.functional.conv2d(pixels, weights, padding=1))
    with torch.no_grad():
        times = []
        for way in (*ways, *ways):  # first to warm up
            start = seconds()
            way()
            times.append(seconds() - start)
        fastest = ways[int(np.argmin(times[len(ways) :]))]
        while True:
            yield fastest()


def work(name: str, variant: str) -> None:
    """A variant's process: for every line that comes in, so many seconds of steps; says how many it did in how many."""
    torch.set_num_threads(1)
    if variant in PRODUCTS:
        steps = products(PRODUCTS[variant])
    elif variant == "reference":
        steps = reference(network(name))
    else:
        steps = timm_dense(network(name)) if variant == "timm-dense" else ours(network(name), variant)
    for line in sys.stdin:
        start, done, more = seconds(), 0, 1
        # Ever more steps at a time, as looking at the clock of a GPU waits for it.
        while (took := seconds() - start) < float(line) or not done:
            for _ in itertools.islice(steps, more):
                done += 1
            more = done
        print(f"took {took} {done}", flush=True)


def seconds() -> float:
    """Of the CPU; where a GPU computes, of the wall, once it is done."""
    if not GPU:
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def operations(name: str) -> float:
    """Floating-point operations to train a network on an image, of products and convolutions alone."""
    model, number = network(name), 2
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(number, 3, SIDE, SIDE)).sum().backward()
    return counter.get_total_flops() / number


def measured(name: str, loops: Sequence[str], turn: float, rounds: int, limit: float) -> Rates:
    """Rates of loops and products in every round, after one round to warm up.

    Args:
        turn: seconds.
        limit: seconds after which no round begins; a variant that takes longer than what is left of it is given up.
    """
    end = time.monotonic() + limit
    command = [sys.executable, __file__, "--work", name]
    variants = [*PRODUCTS, *loops]
    workers = {
        variant: subprocess.Popen(
            [*command, "--variant", variant], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for variant in variants
    }
    found: Rates = {variant: [] for variant in variants}
    for number in range(rounds + 1):
        if number > 1 and time.monotonic() > end:
            break
        for variant in variants if number % 2 else reversed(variants):
            if variant not in found:
                continue
            said = answer(workers[variant], 0.0 if number == 0 else turn, end - time.monotonic())
            if said is None:
                print(f"{name}: {variant} was not done in {limit:.0f} s, and is left out", file=sys.stderr, flush=True)
                del found[variant]
            elif number:
                found[variant].append(said[1] / said[0] * (OF_PRODUCTS if variant in PRODUCTS else BATCH))
    for worker in workers.values():
        worker.kill()
    return found


def answer(worker: "subprocess.Popen[str]", turn: float, patience: float) -> tuple[float, int] | None:
    """Seconds and steps of a turn; None, and the worker is ended, if it is not done in time."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(turn, file=worker.stdin, flush=True)
    if not select.select([worker.stdout], [], [], max(patience, turn * 10))[0]:
        worker.kill()
        return None
    _, took, steps = worker.stdout.readline().split()
    return float(took), int(steps)


def table(name: str, found: Rates) -> Iterator[str]:
    """Rows of Markdown: pairs of loops."""
    for first, second in RATIOS:
        if first in found and second in found:
            speeds = " | ".join(f"{statistics.median(found[one]):,.1f}" for one in (first, second))
            yield f"| {name} | {first} | {second} | {speeds} | {spread(found[first], found[second])} |"


def shares(name: str, found: Rates) -> Iterator[str]:
    """Rows of Markdown: each loop's share of what products of matrices reach in its precision."""
    needed = operations(name)
    for loop, precision in LOOPS.items():
        peaks = found.get(f"products-{precision}")
        if loop in found and peaks:
            reached = [rate * needed for rate in found[loop]]
            rates = " | ".join(f"{statistics.median(values) / 1e9:,.0f}" for values in (reached, peaks))
            yield f"| {name} | {loop} | {precision} | {needed / 1e9:.2f} | {rates} | {spread(reached, peaks)} |"


def spread(first: Sequence[float], second: Sequence[float]) -> str:
    """Median and range of the rounds' ratios, as cells."""
    ratios = sorted(one / other for one, other in zip(first, second, strict=False))
    return f"{statistics.median(ratios):.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f}"


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
    return f"masks {1000 * mask:.2f} ms of a step's {1000 * step:.0f} ms, {mask / step:.2%}"


def main() -> None:
    """Print Markdown tables, and what was chosen and why."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", default=["conv3", "resnet18"])
    parser.add_argument("--loops", nargs="+", choices=list(LOOPS), default=list(LOOPS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of every turn")
    parser.add_argument("--limit", type=float, default=1800, help="seconds of a model, after which no round begins")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--variant", choices=[*PRODUCTS, *LOOPS], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, arguments.variant)
        return
    auto = Training(epochs=1, batch_size=BATCH, optimizer="sgd", learning_rate=0.01, precision="auto")
    for name in arguments.models:
        found = measured(name, arguments.loops, arguments.seconds, arguments.rounds, arguments.limit)
        print("| model | loop | against | images/s | images/s | ratio, median | range |")
        print("| --- | --- | --- | ---: | ---: | ---: | --- |")
        print("\n".join(table(name, found)), end="\n\n")
        print("| model | loop | precision | GFLOP an image | GFLOP/s | of products | share, median | range |")
        print("| --- | --- | --- | ---: | ---: | ---: | ---: | --- |")
        print("\n".join(shares(name, found)), end="\n\n")
        torch.set_num_threads(1)
        print(f"{name}: {'; '.join(choices(DEVICE, auto, network(name)))}; {mask_share(name)}\n", flush=True)


if __name__ == "__main__":
    main()
