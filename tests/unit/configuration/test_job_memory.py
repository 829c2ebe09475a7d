"""Facts about what networks take up and jobs are predicted to need."""

import re
from pathlib import Path

import pytest
from configurations import changed
from small_networks import MLP, RESNET, VIT

from dilt.configuration.job_memory import RECORDED, WORKER, of_job, predict
from dilt.configuration.reading import load, parse_config
from dilt.geometry import recording
from dilt.networks import architectures, building
from dilt.networks import footprint as footprints
from dilt.networks.footprint import footprint, measured
from dilt.settings.networks import Model
from tests.conftest import ROOT

SHAPE = (3, 32, 32)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("settings", [MLP, RESNET, VIT], ids=["mlp", "resnet", "vit"])
def test_a_footprint_counts_all_parameters_and_grows_with_the_image(settings: Model) -> None:
    found = footprint(settings, SHAPE, 10)
    model = building.build(settings, SHAPE, tuple("0123456789"), 0)
    assert found.parameters == 4 * sum(parameter.numel() for parameter in model.parameters())
    assert found.features == 4 * model.head_hidden_size
    assert found.layers == len(architectures.blocks(model))
    if settings is RESNET:
        assert footprint(settings, (3, 64, 64), 10).saved == pytest.approx(4 * found.saved, rel=0.05)


def test_the_perceptron_s_footprint_is_told_without_building_it() -> None:
    told, found = footprint(MLP, SHAPE, 10), measured(MLP, SHAPE, 10)
    assert (told.parameters, told.features, told.largest) == (found.parameters, found.features, found.largest)
    assert told.saved == pytest.approx(found.saved, rel=0.2)


def test_a_footprint_is_looked_up_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = footprint(RESNET, SHAPE, 10)
    (file,) = cache.glob("dilt/footprint/*.json")
    monkeypatch.setattr(footprints, "measured", None)
    assert footprint(RESNET, SHAPE, 10) == first
    file.write_text("{}")
    with pytest.raises(TypeError):  # a damaged file is not taken for an answer
        footprint(RESNET, SHAPE, 10)


def test_every_rule_that_has_jobs_is_predicted() -> None:
    rules = "".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    predicted = predict(load(ROOT / "config.yaml"), gpu=False)
    asked = set(re.findall(r'(?:cpu|gpu)_job\("(\w+)"', rules))
    assert asked == predicted.keys()


def test_jobs_need_more_for_larger_batches_networks_and_more_gpus() -> None:
    def train(**changes: object) -> int:
        return predict(parse_config(changed({"model/name": "mlp", **changes}), across=False), gpu=False)["train"]

    assert train() < train(**{"model/arguments": {"width": 2000, "depth": 4}})
    assert train(**{"training/batch_size": 1000}) < train(**{"training/batch_size": 100_000})
    assert 1.9 * train() < train(**{"jobs/gpus": 2})
    optimizers = [train(**{"training/optimizer": o, "model/arguments": {"width": 4000}}) for o in ("sgd", "adamw")]
    assert optimizers[0] < optimizers[1]


def test_each_thread_that_makes_a_ticket_is_counted_in_jobs_that_train_too() -> None:
    def combine(**jobs: object) -> int:
        changes = {"model/arguments": {"width": 4000}} | {f"jobs/{key}": value for key, value in jobs.items()}
        return predict(parse_config(changed(changes), across=False), gpu=False)["combine"]

    assert combine(group="together") < combine(group="together", threads=2)
    assert combine(group="together", gpus=4) == combine(group="together")
    assert combine(group="rounds", threads=2, gpus=2) == combine(group="together", threads=4)


def test_processes_that_change_images_for_a_gpu_are_counted_for_each_rank() -> None:
    def train(gpu: bool, **changes: object) -> int:
        return predict(parse_config(changed({"jobs/workers": 16, **changes}), across=False), gpu)["train"]

    policy = {"training/auto_augment": "trivial"}
    sixteen = train(True, **policy) - train(True)
    assert sixteen > 16 * WORKER
    two = train(True, **policy, **{"jobs/gpus": 2}) - train(True, **{"jobs/gpus": 2})
    assert two == pytest.approx(2 * sixteen, abs=2)
    assert train(False, **policy) == train(False), "a CPU changes them itself"


def test_probes_are_predicted_in_the_batches_that_they_are_recorded_in() -> None:
    assert RECORDED == recording.BATCH


def test_a_job_that_does_several_rules_work_in_turn_is_given_what_the_first_ones_leave() -> None:
    predicted = {"combine": 800, "train_ticket": 640}
    assert of_job(predicted, ["train_ticket"]) == 640
    assert of_job(predicted, ["combine", "train_ticket"]) == 1000
