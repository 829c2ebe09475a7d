"""Facts about training: pruned weights stay zero, and a stopped run goes on as if it had never stopped."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import ADAMW, SGD, checkpoints, mask_of, network, train_in

from dilt.foundations.storage import Tensors
from dilt.networks import states
from dilt.settings.training import Training

STEPS = 3 * (36 // 8)
RUGGED = ADAMW.model_copy(update={"augmentation": "crop-flip"})
BOTH = pytest.mark.parametrize("settings", [SGD, ADAMW], ids=["sgd", "adamw"])


def assert_equal(first: Tensors, second: Tensors) -> None:
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


@BOTH
def test_pruned_weights_stay_exactly_zero_and_live_ones_move(tmp_path: Path, settings: Training) -> None:
    model = network()
    mask, before = mask_of(model), states.state(model)
    after, history = train_in(tmp_path, model, mask, settings)
    assert not after["conv.weight"][~mask["conv.weight"]].any()
    assert np.all(after["conv.weight"][mask["conv.weight"]] != before["conv.weight"][mask["conv.weight"]])
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[-1]["train_loss"] < history[0]["train_loss"]


@BOTH
def test_training_under_a_mask_is_training_with_masked_gradients(tmp_path: Path, settings: Training) -> None:
    masked, _ = train_in(tmp_path / "masked", network(), mask_of(network()), settings)
    model = network()
    states.apply_mask(model, mask_of(model))
    kept = torch.from_numpy(mask_of(model)["conv.weight"].copy())
    model.conv.weight.register_hook(lambda gradient: gradient * kept)
    with_gradients, _ = train_in(tmp_path / "gradients", model, None, settings)
    assert_equal(masked, with_gradients)


def test_training_twice_gives_the_same_and_another_seed_another_result(tmp_path: Path) -> None:
    runs = [train_in(tmp_path / str(i), network(), None, RUGGED, seed) for i, seed in enumerate([0, 0, 1])]
    assert_equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1] != runs[2][1]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Tensors, list[dict[str, float]]]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    both = {"adamw": RUGGED, "sgd": RUGGED.model_copy(update={"optimizer": "sgd"})}
    return {name: train_in(folder / name, network(), mask_of(network()), s) for name, s in both.items()}


@pytest.mark.parametrize("step", range(1, STEPS + 1))
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_run_stopped_at_any_step_goes_on_to_the_same_bits(
    tmp_path: Path, undisturbed: dict[str, tuple[Tensors, list[dict[str, float]]]], optimizer: str, step: int
) -> None:
    settings = RUGGED.model_copy(update={"optimizer": optimizer})
    with pytest.raises(SystemExit) as stopped:
        train_in(tmp_path, network(), mask_of(network()), settings, stop_at=step)
    assert stopped.value.code == 143
    weights, history = train_in(tmp_path, network(), mask_of(network()), settings)
    assert_equal(weights, undisturbed[optimizer][0])
    assert history == undisturbed[optimizer][1]


def test_a_run_stopped_again_and_again_still_ends_at_the_same_bits(
    tmp_path: Path, undisturbed: dict[str, tuple[Tensors, list[dict[str, float]]]]
) -> None:
    stops = 0
    while True:
        try:
            weights, history = train_in(tmp_path, network(), mask_of(network()), RUGGED, stop_at=1)
            break
        except SystemExit:
            stops += 1
    assert stops == STEPS
    assert_equal(weights, undisturbed["adamw"][0])
    assert history == undisturbed["adamw"][1]


def test_saving_after_every_step_changes_nothing(
    tmp_path: Path, undisturbed: dict[str, tuple[Tensors, list[dict[str, float]]]]
) -> None:
    weights, _ = train_in(tmp_path, network(), mask_of(network()), RUGGED, seconds=0)
    assert_equal(weights, undisturbed["adamw"][0])


def test_a_checkpoint_of_other_code_settings_or_inputs_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {"weight": np.ones(2)}
    checkpoints(tmp_path, code="1").of("full", mask="a").save(state, {"step": 5})
    assert checkpoints(tmp_path, code="1").of("full", mask="a").load()[1]["step"] == 5
    assert checkpoints(tmp_path, code="1").of("other", mask="a").load() is None
    assert capsys.readouterr().out == ""
    assert checkpoints(tmp_path, code="2").of("full", mask="a").load() is None
    assert checkpoints(tmp_path, code="1").of("full", mask="b").load() is None
    assert capsys.readouterr().out.count("made by other code, settings or inputs; not used") == 2


def test_a_damaged_checkpoint_is_set_aside_and_training_starts_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed, _ = train_in(tmp_path / "undisturbed", network(), None)
    with pytest.raises(SystemExit):
        train_in(tmp_path / "job", network(), None, stop_at=5)
    file = tmp_path / "job" / "full.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    weights, _ = train_in(tmp_path / "job", network(), None)
    assert_equal(weights, undisturbed)
    assert "set aside" in capsys.readouterr().out
    assert (tmp_path / "job" / "full.damaged").exists()


def test_a_loss_that_is_not_finite_names_the_epoch_and_the_last_good_checkpoint(tmp_path: Path) -> None:
    wild = SGD.model_copy(update={"learning_rate": 1e30, "warmup_epochs": 0})
    with pytest.raises(ValueError, match=r"full round 1: the loss is not finite in epoch 1 of 3 \(none was saved\)"):
        train_in(tmp_path, network(), None, wild)
    with pytest.raises(ValueError, match=r"of step 1: .*full\.safetensors\); lower the learning rate \(1e\+30\)"):
        train_in(tmp_path, network(), None, wild, seconds=0)
    tensors, record = checkpoints(tmp_path).of("full").load()
    assert record["step"] == 1
    assert all(np.isfinite(array).all() for array in tensors.values())
