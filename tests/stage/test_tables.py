"""Facts about the tables of a small run: their columns, and what their rows count."""

import json
from pathlib import Path

import numpy as np
import pipeline
import pytest
from small_run import PARTITIONS, table

from dilt.assemblies.names import row_key
from dilt.foundations.storage import read_tensors
from dilt.tickets.mask_files import read_mask

EPOCH = ["epoch", "train_loss", "validation_loss", "validation_accuracy"]


@pytest.mark.parametrize(
    ("file", "columns", "rows"),
    [
        ("independent/full/round-1/metrics.csv", ["seed", "coupling", "trajectory", "round", *EPOCH], 2),
        ("tickets/round-1/core/metrics.csv", ["seed", "round", "ticket", *EPOCH], 2),
        (
            "tickets/round-1/core/scores.csv",
            [
                *("seed", "round", "ticket", "corruption", "classes", "images", "accuracy", "chance", "nll", "ece"),
                *("improved", "versions"),
            ],
            3 + len(pipeline.CORRUPTIONS),
        ),
        (
            "tickets/densities.csv",
            [
                *("seed", "round", "ticket", "layer", "weights", "live", "density"),
                *("effective", "effective_density", "dead_outputs"),
            ],
            5 * len(pipeline.MADE),
        ),
        (
            "tickets/overlaps.csv",
            [
                *("seed", "round", "kind", "trajectories", "layer", "weights", "shared", "joined"),
                *("jaccard", "shared_by_chance", "jaccard_by_chance"),
            ],
            15 * len(pipeline.ROUNDS),
        ),
        (
            "geometry/distances.csv",
            [
                *("seed", "round", "ticket_a", "depth_a", "layer_a", "ticket_b", "depth_b", "layer_b"),
                *("gw_loss", "gw_distance", "identity_loss", "iterations", "linear_cka", "start", "converged"),
                *("lower_bound", "rdm_distance", "debiased_cka", "gw_distance_low", "gw_distance_high"),
            ],
            66,
        ),
        (
            "geometry/subset_distances.csv",
            [
                *("seed", "round", "subset", "ticket_a", "depth_a", "layer_a", "ticket_b", "depth_b", "layer_b"),
                *("gw_loss", "gw_distance"),
            ],
            66,
        ),
        ("geometry/layers.csv", ["seed", "round", "ticket", "depth", "layer", "stage", "module_type"], 12),
        (
            "geometry/clusters.csv",
            ["seed", "round", "ticket", "depth", "layer", "cluster", "silhouette", "stability"],
            12,
        ),
        (
            "geometry/stability.csv",
            [
                *("seed", "round", "ticket_a", "depth_a", "layer_a", "ticket_b", "depth_b", "layer_b"),
                "together",
            ],
            66,
        ),
        (
            "geometry/chains.csv",
            [
                *("seed", "round", "ticket", "layers", "runs", "runs_p", "modules", "modules_by_eigengap"),
                *("silhouette", "module_verdict", "explained_by", "smooth_drift_p", "smooth_drift_gain"),
                *("untrained_twin_p", "untrained_twin_gain", "untrained_twin_ari"),
                *("random_tickets_p", "random_tickets_gain", "random_tickets_ari"),
            ],
            3,
        ),
        ("geometry/eigenvalues.csv", ["seed", "round", "index", "eigenvalue"], 12),
        (
            "instability/lines.csv",
            [
                *("seed", "rewind", "rewind_epoch", "round", "kind", "first", "second"),
                *("alpha", "error", "loss", "error_first", "error_second", "versions"),
            ],
            2 * 3 * 5,
        ),
        (
            "instability/barriers.csv",
            [
                *("seed", "rewind", "rewind_epoch", "round", "kind", "first", "second", "images"),
                *("error_barrier_points", "average_points", "loss_barrier", "versions"),
            ],
            2 * 3,
        ),
        (
            "assembly.csv",
            [
                *("seed", "round", "partition", "core_from", "assembly", "readout", "live", "images", "accuracy"),
                "versions",
            ],
            2 * (6 * 2 + 3 * 3 + 2 * 3 + 6 * 3 + 5),
        ),
        (
            "transfer/core.csv",
            [
                *("seed", "round", "ticket", "target", "protocol", "images", "accuracy", "chance", "nll", "ece"),
                *("penalty", "improved", "versions"),
            ],
            3,
        ),
    ],
)
def test_tables_have_their_columns(finished: Path, file: str, columns: list[str], rows: int) -> None:
    found = table(finished / file)
    assert list(found[0]) == columns
    assert len(found) == rows
    assert all(float(row["accuracy"]) <= 1 for row in found if "accuracy" in row)


def test_scores_are_read_from_the_test_images_once(finished: Path) -> None:
    counts = json.loads((finished / "data/source/dataset.json").read_text())["images_per_class"]["test"]
    rows = table(finished / "tickets/round-1/core/scores.csv")
    assert {(row["corruption"], row["classes"]): int(row["images"]) for row in rows} == {
        **{(name, "all"): sum(counts.values()) for name in ("none", *pipeline.CORRUPTIONS)},
        **{("none", name): sum(counts[c] for c in members) for name, members in PARTITIONS.items()},
    }


def test_chance_is_the_share_of_the_commonest_class_and_an_epoch_s_progress_is_told(finished: Path) -> None:
    counts = json.loads((finished / "data/source/dataset.json").read_text())["images_per_class"]["test"]
    members = {"all": list(counts), **PARTITIONS}
    for row in table(finished / "tickets/round-1/core/scores.csv"):
        shares = [counts[name] for name in members[row["classes"]]]
        assert float(row["chance"]) == max(shares) / sum(shares)
        first, last = table(finished / "tickets/round-1/core/metrics.csv")
        better = float(last["train_loss"]) < float(first["train_loss"])
        better |= float(last["validation_accuracy"]) > float(first["validation_accuracy"])
        assert row["improved"] == str(better)
    counts = json.loads((finished / "data/held-out/dataset.json").read_text())["images_per_class"]["test"]
    rows = table(finished / "transfer/core.csv")
    assert {float(row["chance"]) for row in rows} == {max(counts.values()) / sum(counts.values())}
    assert {row["protocol"] for row in rows if not row["improved"]} == {"linear"}


def test_assemblies_that_are_compared_have_equally_many_weights(finished: Path) -> None:
    rows = table(finished / "assembly.csv")
    live = {(row["partition"], row["core_from"], row["assembly"]): int(row["live"]) for row in rows}
    for name in PARTITIONS:
        whole = read_mask(finished / "independent" / name / "round-1/mask.safetensors").count
        own, joined = f"core+specialist-{name}", f"core+random@core+specialist-{name}"
        assert live[name, name, "intact"] == whole
        assert {live[name, source, own] for source in ("mean", name, "theta0")} == {whole}
        assert {live[name, source, joined] for source in ("mean", "theta0")} == {whole}
        assert live[name, name, "intact-specialist"] == live[name, "mean", "core"]
        assert live[name, name, "intact-random"] == live[name, name, "intact-smallest"] == live[name, "mean", "core"]
        assert live[name, name, "intact-part-specialist"] == live[name, name, "intact-part-null-specialist"]


def test_every_row_of_assemblies_is_the_mean_of_its_images(finished: Path) -> None:
    rows = table(finished / "assembly.csv")
    correct, _ = read_tensors(finished / "assembly.correct.safetensors")
    assert list(correct) == [row_key(row) for row in rows]
    for row, right in zip(rows, correct.values(), strict=True):
        assert (right.dtype, right.shape) == (np.uint8, (int(row["images"]),))
        assert right.mean() == float(row["accuracy"])
