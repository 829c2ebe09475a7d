"""Facts about exported networks that are no tickets: assemblies and trajectories, as their stages scored them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pipeline
import pytest
import torch

import dilt
from dilt.assemblies.names import row_key
from dilt.data.prepared import read_partitions, read_split
from dilt.exports import export_folder
from dilt.foundations import storage
from dilt.networks import outputs
from tests.stage.conftest import SEED


def accuracy(exported: Path, experiment: Path, partition: str) -> float:
    data = experiment / "results/tiny/data/source/dataset.json"
    test = read_split(data, "test").restrict(read_partitions(data)[partition])
    found = outputs.logits(dilt.load_exported(exported), test, torch.device("cpu"), "float32")
    return outputs.score(found, test.labels).accuracy


def rows(experiment: Path) -> Iterator[Mapping[str, str]]:
    """One row of each assembly and readout of the first partition."""
    seen = set()
    for row in storage.read_rows(experiment / SEED / "assembly/round-1.csv"):
        kind = (row["assembly"], row["readout"])
        if row["partition"] == "low" and kind not in seen:
            seen.add(kind)
            yield row


def test_every_assembly_is_exported_as_it_was_scored(experiment: Path, tmp_path: Path) -> None:
    exported = list(rows(experiment))
    assert {row["readout"] for row in exported} == {"head", "linear", "retrained"}
    for place, row in enumerate(exported):
        to = tmp_path / str(place)
        card = dilt.export_network(experiment / SEED / "assembly/round-1", to, row_key(row))
        assert card.classes == ("0", "1")
        assert card.scores[0]["accuracy"] == float(row["accuracy"]) == accuracy(to, experiment, "low"), row_key(row)
        tensors, _, mask = export_folder.read_export(to)
        assert mask.count == int(row["live"])
        assert all(not tensors[name][~mask[name]].any() for name in mask.names)


@pytest.mark.parametrize(("run", "round_"), [("independent/high", 2), ("independent/full", 1), ("cyclic/low", 2)])
def test_a_trajectory_s_network_is_exported_with_the_mask_that_it_was_trained_under(
    experiment: Path, tmp_path: Path, run: str, round_: int
) -> None:
    folder = experiment / SEED / run / f"round-{round_}"
    card = dilt.export_network(str(folder), str(tmp_path / "out"))
    tensors, _, mask = export_folder.read_export(tmp_path / "out")
    trained, _ = storage.read_tensors(folder / "weights.safetensors")
    assert all(np.array_equal(tensors[name], array) for name, array in trained.items())
    assert mask == dilt.read_mask(pipeline.mask_path(experiment / SEED, run, round_ - 1))
    assert len(card.classes) == len(trained["head.bias"])
    if run == "independent/high":
        assert card.scores[0]["accuracy"] == accuracy(tmp_path / "out", experiment, "high")


@pytest.mark.parametrize(
    ("place", "row", "told"),
    [
        ("assembly/round-1", "low/core+special-low/mean/head", "choose one such as low/core+specialist-low/mean/head"),
        ("assembly/round-1", None, "has many networks; give --row"),
        ("independent/middle/round-1", None, "no such file; run the experiment to its end first"),
        ("independent/low", None, "not the folder of a ticket, trajectory or assembly"),
    ],
)
def test_what_is_not_there_is_told(experiment: Path, tmp_path: Path, place: str, row: str | None, told: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=told.replace("+", r"\+")):
        dilt.export_network(experiment / SEED / place, tmp_path / "out", row)
    assert not (tmp_path / "out").exists()
