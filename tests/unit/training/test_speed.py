"""How fast this machine trains is measured with any settings of a training, whatever they say of its length."""

import pytest

from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.training.speed import seconds_per_image

LENGTHS = {
    "warm-up of more epochs than are timed": {"epochs": 30, "warmup_epochs": 3},
    "warm-up in steps": {"epochs": 30, "warmup_epochs": "500it"},
    "steps": {"epochs": 30, "schedule": "step", "milestones": [10, 20], "warmup_epochs": 1},
}


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_any_schedule_is_timed(length):
    model = Model(name="mlp", arguments={"width": 8, "depth": 2})
    cpu, wall, _ = seconds_per_image(model, Training(batch_size=4, **length), (1, 8, 8), 3, threads=1, steps=2)
    assert cpu > 0
    assert wall > 0
