"""Small networks and trainings that the tests of models and training are stated on."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import torch
from builders import images
from torch import Tensor, nn

from dilt.data.prepared import Images
from dilt.foundations.storage import Tensors
from dilt.jobs.checkpoints import Checkpoint, Checkpoints, StopRequest
from dilt.networks import architectures, states
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.masks import Mask
from dilt.training.event_files import Curve
from dilt.training.loop import Work
from dilt.training.session import train

CPU = torch.device("cpu")
MLP = Model(name="mlp", arguments={"width": 8, "depth": 3})
RESNET = Model(name="resnet18", arguments={"channels": [4, 4, 4, 4]})
VIT = Model(
    name="vit_tiny_patch16_224",
    arguments={"img_size": 32, "patch_size": 8, "depth": 2, "embed_dim": 12, "num_heads": 3},
)
SGD = Training(optimizer="sgd", epochs=3, batch_size=8, learning_rate=0.1, weight_decay=0.01, warmup_epochs=1)
ADAMW = SGD.model_copy(update={"optimizer": "adamw", "learning_rate": 0.01})


class Noisy(nn.Module):
    """A convolution with batch norm and dropout: everything that has state or draws."""

    pretrained_cfg = {"classifier": "head"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(6, 3)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.drop(torch.relu(self.norm(self.conv(pixels))).mean(dim=(2, 3))))


def network() -> Noisy:
    torch.manual_seed(0)
    return Noisy()


def mask_of(model: nn.Module, share: float = 0.5) -> Mask:
    torch.manual_seed(1)
    return Mask(
        {name: (torch.rand(weight.shape) < share).numpy() for name, weight in architectures.prunable(model).items()}
    )


def checkpoints(folder: Path, seconds: float = 1e9, **identity: str) -> Checkpoints:
    return Checkpoints(folder, identity, seconds, StopRequest())


def train_in(
    folder: Path,
    model: nn.Module,
    mask: Mask | None,
    settings: Training = SGD,
    seed: int = 0,
    stop_at: int | None = None,
    seconds: float = 1e9,
    data: Images | None = None,
    validation: Images | None = None,
    devices: Sequence[torch.device] = (CPU,),
    start: int | str = 0,
    stop: int | str | None = None,
    curve: Curve | None = None,
) -> tuple[Tensors, list[dict[str, float]]]:
    """Weights and history of a training; with ``stop_at`` it is asked to stop after that step, from 1."""
    job = checkpoints(folder, seconds)
    checkpoint, steps = job.of("full"), count(1)

    def due() -> bool:
        if next(steps) == stop_at:
            job.stop.signal = 15
        return Checkpoint.due(checkpoint)

    checkpoint.due = due
    work = Work(model, data or images(), mask, settings, seed, "full round 1", start, stop)
    history = train(work, validation or images(4, seed=1), devices, checkpoint, curve)
    return states.state(model), history
