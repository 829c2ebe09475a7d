"""Facts about learning rates: after warm-up they are those of torch's schedulers."""

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, MultiStepLR

from dilt.settings.training import Training
from dilt.training.schedules import learning_rate

STEPS, EPOCHS = 7, 6
COSINE = Training(optimizer="sgd", epochs=EPOCHS, batch_size=8, learning_rate=0.4)
STEP = COSINE.model_copy(update={"schedule": "step", "milestones": [2, 5], "decay": 0.2})


def of_torch(kind: str, optimizer: torch.optim.Optimizer) -> LRScheduler:
    if kind == "cosine":
        return CosineAnnealingLR(optimizer, EPOCHS * STEPS)
    return MultiStepLR(optimizer, [milestone * STEPS for milestone in STEP.milestones], STEP.decay)


@pytest.mark.parametrize("settings", [COSINE, STEP], ids=["cosine", "step"])
def test_rates_are_those_of_torch(settings: Training) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=settings.learning_rate)
    scheduler = of_torch(settings.schedule, optimizer)
    for step in range(EPOCHS * STEPS):
        assert learning_rate(settings, step, STEPS) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("warmup", [1, f"{STEPS}it"])
@pytest.mark.parametrize("schedule", ["cosine", "constant", "step"])
def test_warm_up_grows_linearly_to_the_peak(schedule: str, warmup: int | str) -> None:
    settings = STEP.model_copy(update={"schedule": schedule, "warmup_epochs": warmup})
    rates = [learning_rate(settings, step, STEPS) for step in range(STEPS)]
    assert rates == pytest.approx([0.4 * (step + 1) / STEPS for step in range(STEPS)])
    assert learning_rate(settings, STEPS, STEPS) == pytest.approx(0.4)
