"""Facts about late rewinding: trainings go on from an epoch of the schedule, with a fresh optimizer."""

from pathlib import Path

import numpy as np
import pytest
from builders import images
from small_networks import CPU, SGD, mask_of, network, train_in

from dilt.settings.training import Pruning
from dilt.training.loop import Loop, Work
from dilt.training.optimizers import learning_rate

# Without momentum nothing of an optimizer is left behind, so that two halves are the whole.
PLAIN = SGD.model_copy(update={"momentum": 0.0, "augmentation": "crop-flip", "epochs": 4})


@pytest.mark.parametrize("settings", [PLAIN, PLAIN.model_copy(update={"schedule": "step", "milestones": [2]})])
def test_the_first_epochs_and_then_the_others_are_the_whole_training(tmp_path: Path, settings) -> None:
    whole, history = train_in(tmp_path / "whole", network(), None, settings)
    model = network()
    _, before = train_in(tmp_path / "before", model, None, settings, stop=1)
    weights, after = train_in(tmp_path / "after", model, None, settings, start=1)
    assert [row["epoch"] for row in before] == [1]
    assert [row["epoch"] for row in after] == [2, 3, 4]
    assert before + after == history
    assert all(np.array_equal(whole[name], weights[name]) for name in whole)


def test_the_optimizer_is_fresh_and_rates_are_those_of_the_epoch() -> None:
    data = images()
    steps = len(data) // SGD.batch_size
    seen: list[float] = []
    work = Work(network(), data, None, SGD, 0, "full", start=2)
    loop = Loop(work, CPU)
    original = loop.optimizer.step
    loop.optimizer.step = lambda rate: (seen.append(rate), original(rate))[1]
    assert loop.step == 2 * steps
    assert all(not tensor.any() for tensor in loop.optimizer.state.values())
    for _ in loop.steps():
        pass
    assert seen == [learning_rate(SGD, step, steps) for step in range(2 * steps, 3 * steps)]
    assert loop.step == 3 * steps


def test_a_late_training_stopped_at_any_step_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    undisturbed, whole = train_in(tmp_path / "undisturbed", network(), mask_of(network()), start=1)
    for step in range(1, 2 * (36 // 8) + 1):
        folder = tmp_path / str(step)
        with pytest.raises(SystemExit):
            train_in(folder, network(), mask_of(network()), stop_at=step, start=1)
        weights, history = train_in(folder, network(), mask_of(network()), start=1)
        assert history == whole
        assert all(np.array_equal(undisturbed[name], weights[name]) for name in weights)


def test_a_loss_that_is_not_finite_is_told_with_its_epoch_of_the_schedule(tmp_path: Path) -> None:
    wild = SGD.model_copy(update={"learning_rate": 1e30, "warmup_epochs": 0, "schedule": "constant"})
    with pytest.raises(ValueError, match="not finite in epoch 3 of 3"):
        train_in(tmp_path, network(), None, wild, start=2)


@pytest.mark.parametrize(("schedule", "start"), [("continue", 3), ("restart", 0)])
def test_where_trainings_start(schedule: str, start: int) -> None:
    assert Pruning(rounds=1, rate=0.2, rewind_epoch=3, rewind_schedule=schedule).start_epoch == start
    assert Pruning(rounds=1, rate=0.2, rewind_schedule=schedule).start_epoch == 0
