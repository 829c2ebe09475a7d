"""How fast this machine trains a network, measured on some steps of the training loop with random images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from dilt.settings.networks import Model
    from dilt.settings.training import Training

WARM_UP = 3  # steps that are not timed


class Speed(NamedTuple):
    """CPU and wall seconds for an image of a training, and how it was computed and why (`devices.choices`)."""

    cpu_s: float
    wall_s: float
    choices: list[str]


def seconds_per_image(
    model: Model, training: Training, image_shape: Sequence[int], num_classes: int, threads: int, steps: int = 20
) -> Speed:
    """How fast a network is trained here, evaluation and start-up aside.

    Args:
        image_shape: (channels, height, width).
        threads: CPU threads; a GPU is used where there is one.
        steps: that are timed.
    """
    from dilt.data.prepared import Images
    from dilt.networks import building
    from dilt.networks.devices import choices, use_devices
    from dilt.training.loop import Loop, Work

    (device,) = use_devices(threads, 1, training.deterministic)
    draws = np.random.default_rng(0)
    number = training.batch_size * (WARM_UP + steps)
    pixels = draws.integers(0, 256, (number, *image_shape), dtype=np.uint8)
    classes = tuple(f"class {index}" for index in range(num_classes))
    normal = (0.5,) * image_shape[0]
    data = Images(pixels, draws.integers(0, num_classes, number), classes, normal, normal)
    network = building.build(model, image_shape, classes, 0)
    one_epoch = training.model_copy(update={"epochs": 1, "warmup_epochs": 0, "schedule": "constant"})
    loop = Loop(Work(network, data, None, one_epoch, 0, "speed"), device)
    cpu = wall = 0.0
    for _ in loop.steps():
        if loop.step == WARM_UP:
            loop.loss_sum.item()  # waits for a GPU
            cpu, wall = time.process_time(), time.perf_counter()
    loop.loss_sum.item()
    timed = training.batch_size * steps
    took = (time.process_time() - cpu) / timed, (time.perf_counter() - wall) / timed
    return Speed(*took, choices(device, training, network))
