"""Facts about late rewinding: trainings go on from an epoch of the schedule, with a fresh optimizer."""

import re
from pathlib import Path

import numpy as np
import pytest
from builders import images
from small_networks import CPU, SGD, mask_of, network, train_in

from dilt.settings.training import Pruning
from dilt.training.loop import Loop, Work
from dilt.training.schedules import learning_rate

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
    assert loop.step == 2 * steps
    assert not loop.optimizer.state
    for _ in loop.steps():
        seen.append(loop.optimizer.param_groups[0]["lr"])
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


@pytest.mark.parametrize(
    ("schedule", "given", "start"),
    [("continue", 3, 3), ("restart", 3, 0), ("continue", "500it", "500it"), ("restart", "500it", 0)],
)
def test_where_trainings_start(schedule: str, given: int | str, start: int | str) -> None:
    assert Pruning(rounds=1, rate=0.2, rewind_epoch=given, rewind_schedule=schedule).start == start
    assert Pruning(rounds=1, rate=0.2, rewind_schedule=schedule).start == 0


@pytest.mark.parametrize("steps", [1, 3, 4, 6])
def test_the_first_steps_and_then_the_others_are_the_whole_training(tmp_path: Path, steps: int) -> None:
    """Four steps are an epoch, in whose middle some of these end."""
    whole, history = train_in(tmp_path / "whole", network(), None, PLAIN)
    model = network()
    _, before = train_in(tmp_path / "before", model, None, PLAIN, stop=f"{steps}it")
    weights, after = train_in(tmp_path / "after", model, None, PLAIN, start=f"{steps}it")
    assert [row["epoch"] for row in before] == list(range(1, -(-steps // 4) + 1))
    assert [row["epoch"] for row in after] == list(range(steps // 4 + 1, 5))
    assert all(np.array_equal(whole[name], weights[name]) for name in whole)
    assert after[1:] == history[-len(after) + 1 :]
    if steps % 4:  # the mean loss of an epoch is that of its two parts
        shares = np.array([steps % 4, 4 - steps % 4]) / 4
        losses = [before[-1]["train_loss"], after[0]["train_loss"]]
        assert shares @ losses == pytest.approx(history[steps // 4]["train_loss"])


def test_a_training_that_starts_and_stops_within_epochs_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    part = {"start": "3it", "stop": "10it"}
    undisturbed, whole = train_in(tmp_path / "undisturbed", network(), mask_of(network()), **part)
    assert [row["epoch"] for row in whole] == [1, 2, 3]
    for step in range(1, 8):
        with pytest.raises(SystemExit):
            train_in(tmp_path / str(step), network(), mask_of(network()), stop_at=step, **part)
        weights, history = train_in(tmp_path / str(step), network(), mask_of(network()), **part)
        assert history == whole
        assert all(np.array_equal(undisturbed[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("changed", "part", "line"),
    [
        (
            {},
            {"start": "12it"},
            "pruning.rewind_epoch: 12it is not below the 12 steps that full round 1 takes (3 epochs",
        ),
        ({}, {"stop": "13it"}, "pruning.rewind_epoch: 13it is not below the 12 steps"),
        ({"warmup_epochs": "12it"}, {}, "warmup_epochs: 12it is not below the 12 steps"),
    ],
)
def test_lengths_in_steps_have_to_fit_into_the_training(tmp_path: Path, changed, part, line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        train_in(tmp_path, network(), None, SGD.model_copy(update=changed), **part)
