"""Facts about what `evaluate` writes, and that test images are nobody else's."""

import json
from pathlib import Path

import numpy as np
import pipeline
import pytest
import small_run
import torch
from PIL import Image
from scipy.special import softmax
from small_run import PARTITIONS, table
from test_errors import error_of

from dilt.data.prepared import read_split
from dilt.foundations.storage import read_tensors
from dilt.networks import building, states
from dilt.networks.features import features
from dilt.networks.linear_heads import fit_linear_head
from dilt.networks.outputs import logits
from dilt.settings.networks import Model


def test_which_images_are_right_is_told_for_every_row_in_the_order_of_its_images(finished: Path) -> None:
    """The networks' own answers, and of each row as many as its accuracy says."""
    right: dict[str, np.ndarray] = {}
    for folder, columns in {
        "tickets/round-1/core/scores": ("corruption", "classes"),
        "transfer/core": ("protocol",),
    }.items():
        found, record = read_tensors(finished / f"{folder}.correct.safetensors")
        rows = {"/".join(row[column] for column in columns): row for row in table(finished / f"{folder}.csv")}
        assert list(found) == list(rows)
        for name, array in found.items():
            assert array.dtype == np.uint8
            assert array.shape == (int(rows[name]["images"]),)
            assert array.mean() == float(rows[name]["accuracy"])
        assert "torch" in record["versions"]
        right |= found
    test = read_split(finished / "data/source/dataset.json", "test")
    for name, members in PARTITIONS.items():
        own = np.isin(np.array(test.classes)[test.labels], members)
        assert np.array_equal(right[f"none/{name}"], right["none/all"][own])
    for file, name, dataset in (
        ("tickets/round-1/core/weights", "none/all", "source"),
        ("transfer/core/finetune", "finetune", "held-out"),
    ):
        test = read_split(finished / f"data/{dataset}/dataset.json", "test")
        tensors, record = read_tensors(finished / f"{file}.safetensors")
        model = building.build(Model.model_validate(small_run.MODEL), test.image_shape, record["classes"], 0, tensors)
        states.load_state(model, tensors)
        outputs = logits(model, test, torch.device("cpu"), "float32")
        assert np.array_equal(right[name], outputs.argmax(axis=1) == test.labels)


def test_logits_are_kept_in_the_order_of_the_test_images_and_scores_follow_from_them(finished: Path) -> None:
    protocols = pipeline.TRANSFER["protocols"]
    for folder, dataset, columns, rows_of in (
        ("tickets/round-1/core/scores", "source", ("corruption", "classes"), {"logits": "none/all"}),
        ("transfer/core", "held-out", ("protocol",), dict(zip(protocols, protocols, strict=True))),
    ):
        kept, record = read_tensors(finished / f"{folder}.logits.safetensors")
        right, _ = read_tensors(finished / f"{folder}.correct.safetensors")
        rows = {"/".join(row[column] for column in columns): row for row in table(finished / f"{folder}.csv")}
        test = read_split(finished / f"data/{dataset}/dataset.json", "test")
        assert np.array_equal(kept.pop("labels"), test.labels)
        assert set(kept) == set(rows_of)
        assert record["classes"] == list(test.classes)
        for name, outputs in kept.items():
            assert outputs.shape == (len(test), len(test.classes))
            assert np.array_equal(outputs.argmax(axis=1) == test.labels, right[rows_of[name]])
            chances = softmax(outputs.astype(np.float64), axis=1)
            surprise = -np.log(chances[np.arange(len(test)), test.labels])
            assert float(rows[rows_of[name]]["nll"]) == pytest.approx(surprise.mean(), rel=1e-5)


def test_where_no_logits_are_asked_for_none_are_kept_and_scores_are_the_same(finished: Path, tmp_path: Path) -> None:
    whole = pipeline.evaluate_tickets(finished, ["core"])
    few = {name: value for name, value in whole.items() if name != "logits"}
    few |= {"scores": [tmp_path / "scores.csv"], "correct": [tmp_path / "scores.correct.safetensors"]}
    pipeline.run("evaluate", few)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
        "scores.correct.safetensors",
        "scores.csv",
    ]
    assert table(tmp_path / "scores.csv") == table(finished / "tickets/round-1/core/scores.csv")


def test_a_linear_head_scores_what_it_scored_before_it_became_a_head(finished: Path) -> None:
    splits = {s: read_split(finished / "data/held-out/dataset.json", s) for s in ("train", "validation", "test")}
    trained, _ = read_tensors(finished / "tickets/round-1/core/weights.safetensors")
    settings, test = Model.model_validate(small_run.MODEL), splits["test"]
    model = building.build(settings, test.image_shape, test.classes, 0, trained)
    seen = {name: features(model, data, torch.device("cpu"), "float32") for name, data in splits.items()}
    fitted = [part for name in ("train", "validation") for part in (seen[name], splits[name].labels)]
    head = fit_linear_head(*fitted, pipeline.TRANSFER["penalties"], torch.device("cpu"))
    row = next(row for row in table(finished / "transfer/core.csv") if row["protocol"] == "linear")
    assert float(row["accuracy"]) == head.accuracy(seen["test"], test.labels)
    assert float(row["penalty"]) == head.penalty
    tensors, record = read_tensors(finished / "transfer/core/linear.safetensors")
    assert record["penalty"] == head.penalty
    assert all(np.array_equal(tensors[name], trained[name]) for name in trained if not name.startswith("head"))


def test_images_of_a_streamed_test_split_are_opened_by_evaluate_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once data are prepared, every other stage runs where the files of test images are gone."""
    monkeypatch.setenv("DILT_WORKERS", "0")
    root, results, noise = tmp_path / "images", tmp_path / "seed-0", np.random.default_rng(0)
    for split, number in (("train", 12), ("test", 4)):
        for name in ("0", "1", "2", "3"):
            (root / split / name).mkdir(parents=True)
            for index in range(number):
                pixels = noise.integers(0, 255, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{index}.png")
    data = {"name": "folder", "root": str(root), "test_split": "test", "storage": "streamed"}
    partitions = {"partitions": {"by": "classes", "classes": PARTITIONS}}
    for dataset, more in {"source": partitions, "held-out": {}}.items():
        arguments = {"dataset": results / f"data/{dataset}/dataset.json", "options": json.dumps({"data": data} | more)}
        pipeline.run("prepare", arguments)
    (root / "test").rename(tmp_path / "elsewhere")

    dense = {"masks": [results / "dense.safetensors"]}
    few = pipeline.options("represent", representations={"probes": 8})
    pipeline.run("initialise", pipeline.initialise(results))
    pipeline.run("train", pipeline.train(results, 1, ["independent/full"]))
    pipeline.run("train_ticket", pipeline.train_ticket(results, ["dense"]) | dense)
    pipeline.run("represent", pipeline.represent(results, ["dense"]) | {"options": few})
    pipeline.run("transfer", pipeline.transfer(results, ["dense"]) | dense)
    jobs = [pipeline.evaluate_tickets(results, ["dense"]), pipeline.evaluate_transfer(results, ["dense"])]
    for job in jobs:
        assert f"{root}/test/0/0.png' cannot be read" in error_of("evaluate", job, capsys)
    (tmp_path / "elsewhere").rename(root / "test")
    for job, rows in zip(jobs, ([16, 8, 8, 16, 16], [16, 16, 16]), strict=True):
        pipeline.run("evaluate", job)
        assert [int(row["images"]) for path in small_run.outputs("evaluate", job)[:1] for row in table(path)] == rows
