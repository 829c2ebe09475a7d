"""Facts about event files: a network's curve is its history, each epoch once, whatever became of its training."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from small_networks import ADAMW, CPU, SGD, mask_of, network, train_in
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from dilt.foundations.result_paths import Networks
from dilt.training.event_files import SWITCH, Curve, folder_of
from dilt.training.history import History
from dilt.training.schedules import learning_rate

METRICS = {"train_loss", "validation_loss", "validation_accuracy"}
NOTED = {"learning_rate", "images_per_second"}
STEPS_PER_EPOCH = 36 // 8
STEPS = 3 * STEPS_PER_EPOCH


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "1")


def curve_in(folder: Path) -> Curve:
    return Curve(folder / "seed-0/theta0.safetensors", {"seed": 0, "ticket": "core", "density": 0.25})


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard makes of a run: the steps and values of each tag."""
    run = EventAccumulator(str(folder)).Reload()
    return {tag: [(point.step, point.value) for point in run.Scalars(tag)] for tag in run.Tags()["scalars"]}


def assert_is(curve: Curve, history: History) -> None:
    found = read(curve.folder)
    assert found.keys() >= METRICS
    for name in METRICS:
        assert found[name] == [(row["epoch"], float(np.float32(row[name]))) for row in history], name


def rows(epochs: int, loss: float = 1.0) -> History:
    return [
        {"epoch": epoch, "train_loss": loss / epoch, "validation_loss": 2 * loss / epoch, "validation_accuracy": 0.5}
        for epoch in range(1, epochs + 1)
    ]


def add(curve: Curve, history: History, speed: float) -> None:
    for row in history:
        curve.add(row, learning_rate=0.1, images_per_second=speed)


def speeds(curve: Curve) -> list[tuple[int, float]]:
    return read(curve.folder)["images_per_second"]


def test_a_curve_is_the_history_with_learning_rate_and_speed(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    _, history = train_in(tmp_path, network(), None, ADAMW, curve=curve)
    found = read(curve.folder)
    assert found.keys() == METRICS | NOTED
    assert_is(curve, history)
    for epoch, rate in found["learning_rate"]:
        assert rate == np.float32(learning_rate(ADAMW, STEPS_PER_EPOCH * epoch - 1, STEPS_PER_EPOCH))
    assert all(speed > 0 for _, speed in found["images_per_second"])


def test_what_a_network_is_stands_with_its_curve(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    curve.begin([])
    plugin = EventAccumulator(str(curve.folder)).Reload().summary_metadata["_hparams_/session_start_info"].plugin_data
    told = HParamsPluginData.FromString(plugin.content).session_start_info
    assert (told.hparams["ticket"].string_value, told.hparams["density"].number_value) == ("core", 0.25)
    assert told.group_name == str(curve.folder)


def test_watching_changes_nothing_in_a_training(tmp_path: Path) -> None:
    plain, history = train_in(tmp_path / "plain", network(), mask_of(network()), ADAMW)
    watched, same = train_in(tmp_path / "watched", network(), mask_of(network()), ADAMW, curve=curve_in(tmp_path))
    assert history == same
    assert all(np.array_equal(array, watched[name]) for name, array in plain.items())


@pytest.mark.parametrize("step", [2, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 1, STEPS - 1, STEPS])
def test_a_training_that_was_stopped_and_goes_on_has_each_epoch_once(tmp_path: Path, step: int) -> None:
    with pytest.raises(SystemExit):
        train_in(tmp_path, network(), None, stop_at=step, curve=curve_in(tmp_path))
    before = read(curve_in(tmp_path).folder).get("images_per_second", [])
    assert len(before) == step // STEPS_PER_EPOCH
    _, history = train_in(tmp_path, network(), None, curve=curve_in(tmp_path))
    assert_is(curve_in(tmp_path), history)
    assert speeds(curve_in(tmp_path))[: len(before)] == before
    assert len(speeds(curve_in(tmp_path))) == len(history)


def test_epochs_after_the_last_checkpoint_of_a_killed_training_are_gone(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    curve.begin([])
    add(curve, rows(3), speed=100)
    (file,) = curve.folder.iterdir()
    with file.open("ab") as half:
        half.write(file.read_bytes()[:20])
    resumed = curve_in(tmp_path)
    resumed.begin(rows(1))
    assert_is(resumed, rows(1))
    add(resumed, rows(3)[1:], speed=90)
    assert_is(resumed, rows(3))
    assert speeds(resumed) == [(1, 100), (2, 90), (3, 90)]


def test_a_reader_that_has_the_old_run_sees_the_new_one_alone(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    curve.begin([])
    add(curve, rows(3), speed=100)
    reader = EventAccumulator(str(curve.folder)).Reload()
    assert [point.step for point in reader.Scalars("train_loss")] == [1, 2, 3]
    curve.begin([])
    add(curve, rows(2, loss=7), speed=100)
    assert [(point.step, point.value) for point in reader.Reload().Scalars("train_loss")] == [(1, 7.0), (2, 3.5)]


def test_a_network_trained_anew_takes_nothing_over(tmp_path: Path) -> None:
    for loss, speed in ((1.0, 100), (2.0, 80)):
        curve = curve_in(tmp_path)
        curve.begin([])
        add(curve, rows(2, loss), speed)
    assert_is(curve, rows(2, loss=2.0))
    assert speeds(curve) == [(1, 80), (2, 80)]
    curve.begin(rows(2, loss=1.0))  # finished before, with other settings
    assert_is(curve, rows(2, loss=1.0))
    assert "images_per_second" not in read(curve.folder)
    assert sum(file.stat().st_size > 0 for file in curve.folder.iterdir()) == 1
    assert len(list(curve.folder.iterdir())) <= 2


def test_a_network_that_is_written_again_keeps_its_curve(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    curve.begin([])
    add(curve, rows(2), speed=100)
    before = read(curve.folder)
    curve.begin(rows(2))
    assert read(curve.folder) == before


def test_switched_off_nothing_is_written_and_a_new_network_removes_the_curve_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_in(tmp_path / "first", network(), None, curve=curve_in(tmp_path))
    before = read(curve_in(tmp_path).folder)
    monkeypatch.delenv(SWITCH)
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # not even loaded
    curve = curve_in(tmp_path)
    curve.begin(rows(1))
    curve.add(rows(2)[1])
    monkeypatch.undo()
    assert read(curve.folder) == before
    monkeypatch.delenv(SWITCH, raising=False)
    train_in(tmp_path / "second", network(), None, curve=curve)
    assert list(curve.folder.iterdir()) == []


def test_without_tensorboard_a_line_says_so_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.setitem(sys.modules, module, None)
    _, history = train_in(tmp_path, network(), None, curve=curve_in(tmp_path))
    assert len(history) == 3
    assert "no event file can be written" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_stops_no_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / Networks.EVENTS).write_text("a file in the way")
    plain, history = train_in(tmp_path / "plain", network(), None)
    watched, same = train_in(tmp_path / "watched", network(), None, curve=curve_in(tmp_path))
    assert history == same
    assert all(np.array_equal(array, watched[name]) for name, array in plain.items())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "event file" in line]
    assert str(tmp_path / Networks.EVENTS / "seed-0/theta0") in line


def test_a_disk_that_is_full_in_the_middle_stops_no_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = curve_in(tmp_path)
    curve.begin([])
    (file,) = curve.folder.iterdir()
    add(curve, rows(1), speed=100)
    kept = file.rename(file.with_name("kept"))
    file.symlink_to("/dev/full")
    add(curve, rows(3)[1:], speed=100)
    told = capsys.readouterr().out
    assert told.count("no event file can be written") == 1
    assert os.strerror(28) in told
    file.unlink()
    kept.rename(file)
    assert_is(curve, rows(1))
    resumed = curve_in(tmp_path)
    resumed.begin(rows(3))
    assert_is(resumed, rows(3))


def test_of_several_ranks_the_first_alone_writes(tmp_path: Path) -> None:
    curve = curve_in(tmp_path)
    _, history = train_in(tmp_path, network(), None, SGD, devices=(CPU, CPU), curve=curve)
    assert_is(curve, history)
    assert len(list(curve.folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("place", "run"),
    [
        (Networks.RUN_WEIGHTS, "seed-3/cyclic/low/round-2"),
        (Networks.TICKET_WEIGHTS, "seed-3/tickets/round-2/core"),
        (Networks.TO_CORE_WEIGHTS, "seed-3/same-rounds-4/full/round-2"),
        (Networks.RETRAINED_WEIGHTS, "seed-3/assembly/round-2/low/union"),
        (Networks.REWOUND_WEIGHTS, "seed-3/instability/rewind-5/low/round-2"),
        (Networks.REWOUND_THETA0, "seed-3/instability/rewind-5/theta0"),
        (Networks.THETA0, "seed-3/theta0"),
        (Networks.REINITIALISED, "seed-3/reinitialised-1"),
        (Networks.TRANSFERRED, "seed-3/transfer/round-2/seed-9/core/retrain"),
    ],
)
def test_a_run_is_named_as_the_result_is(place: Networks, run: str) -> None:
    values = {"seed": 3, "coupling": "cyclic", "trajectory": "low", "round": 2, "ticket": "core", "partition": "low"}
    values |= {"core_round": 4, "assembly": "union", "rewind": 5, "draw": 1, "target": "seed-9", "protocol": "retrain"}
    if place == Networks.TO_CORE_WEIGHTS:
        values["trajectory"] = "full"
    weights = Path("results/digits", place.format(**values))
    assert folder_of(weights) == Path("results/digits/tensorboard", run)


def test_a_file_elsewhere_has_its_curve_beside_it() -> None:
    assert folder_of(Path("mine/core.safetensors")) == Path("mine/tensorboard/core")
