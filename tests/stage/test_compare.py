"""Facts about `compare` and what it compares: references, seeds, subsets of probes, parts, interruptions, refusals."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pipeline
import pytest
import small_run
import zarr
from pipeline import FEW
from small_run import PARTITIONS, REFERENCES

from dilt.foundations.storage import read_json
from dilt.geometry import pairwise
from dilt.geometry.zarr_stores import Place, Probes, StoreWriter, read_representations
from dilt.jobs.checkpoints import Checkpoint

LAYERS = 4


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def compare(results: Path, tickets: list[str], folder: str = "again", **changes: object) -> Path:
    """Compare some stores; the folder of the tables."""
    made = results / folder
    arguments = pipeline.compare(results, tickets)
    arguments |= {"options": json.dumps({"distances": changes.pop("distances", {})})}
    arguments |= {name: made / Path(str(arguments[name])).name for name in small_run.WRITES["compare"]}
    pipeline.run("compare", arguments | pipeline.saving(results, folder) | changes)
    return made


def store(results: Path, name: str, layers: dict[str, np.ndarray], probes: Probes) -> None:
    writer = StoreWriter(results / "representations" / f"{name}.zarr", name, probes, resume=False)
    for depth, (layer, rows) in enumerate(layers.items()):
        writer.write(layer, Place(depth, "blocks", "Block"), 0, rows.astype(np.float32), 256)
    writer.finish({"seed": 0, "round": 1})


def test_references_are_rows_and_columns_of_the_same_table(results: Path) -> None:
    made = compare(results, [*FEW, *REFERENCES])
    layers = table(made / "layers.csv")
    assert [row["ticket"] for row in layers] == [name for name in [*FEW, *REFERENCES] for _ in range(LAYERS)]
    assert {(row["stage"], row["module_type"]) for row in layers} == {("blocks", "Sequential")}
    rows = table(made / "distances.csv")
    assert len(rows) == len(layers) * (len(layers) - 1) // 2
    assert {row["ticket_b"] for row in rows} == {*FEW, *REFERENCES}


def test_an_untrained_network_is_theta0_and_a_trained_one_its_partition_s(results: Path) -> None:
    stores = {name: read_representations(results / "representations" / f"{name}.zarr") for name in REFERENCES}
    assert len({found.probes.digest for found in stores.values()}) == 1
    assert {found.record["round"] for found in stores.values()} == {0, 1}
    assert stores["untrained"].record["perturbed_norms"] == []
    layers = {name: found.layers["blocks.3"].activations for name, found in stores.items()}
    for partition in PARTITIONS:
        assert not np.allclose(layers["untrained"], layers[f"trained-{partition}"])


def test_subsets_of_probes_give_an_interval_and_one_gives_none(results: Path) -> None:
    one = compare(results, FEW, "one")
    assert {row["gw_distance_low"] for row in table(one / "distances.csv")} == {""}
    for whole, only in zip(table(one / "distances.csv"), table(one / "subset_distances.csv"), strict=True):
        assert only["subset"] == "0"
        assert all(whole[key] == only[key] for key in ("layer_a", "layer_b", "gw_loss", "gw_distance"))

    three = compare(results, FEW, "three", distances={"probe_subsets": 3})
    assert read_json(three / "distances.json")["probes_per_subset"] == 8
    subsets = table(three / "subset_distances.csv")
    assert [row["subset"] for row in subsets] == ["0", "1", "2"] * 66
    for index, row in enumerate(table(three / "distances.csv")):
        values = [float(subset["gw_distance"]) for subset in subsets[3 * index : 3 * index + 3]]
        assert float(row["gw_distance"]) == pytest.approx(np.mean(values))
        assert float(row["gw_distance_low"]) <= np.mean(values) <= float(row["gw_distance_high"])
        reach = 4.302653 * np.std(values, ddof=1) / np.sqrt(3)  # Student's t, two degrees of freedom
        assert float(row["gw_distance_high"]) == pytest.approx(np.mean(values) + reach)


def test_the_summary_says_how_it_was_measured(results: Path) -> None:
    summary = read_json(compare(results, FEW, distances={"solver": "thorough", "cost": "cosine"}) / "distances.json")
    assert (summary["solver"], summary["cost"], summary["scaling"]) == ("thorough", "cosine", "mean")
    assert summary["probes"] == summary["probes_per_subset"] == 24
    assert summary["triangle_violations"] == 0
    assert summary["triangle_violations_before_repair"] >= 0
    assert summary["pairs"] == 66


def test_processes_and_parts_change_no_byte(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairwise, "TILE", 0)
    whole = compare(results, FEW, "whole")
    files = sorted(path.name for path in whole.iterdir() if path.suffix)
    two = compare(results, FEW, "two", threads=2)
    assert all((two / file).read_bytes() == (whole / file).read_bytes() for file in files)

    for part in (1, 2):
        arguments = pipeline.compare(results, FEW) | {"options": json.dumps({"distances": {}}), "part": [part, 2]}
        arguments = {name: value for name, value in arguments.items() if name not in ("distances", "layers")}
        del arguments["subset-distances"]
        pipeline.run("compare", arguments | pipeline.saving(results, "parts") | {"summary": results / f"{part}.json"})
    assert sum(read_json(results / f"{part}.json")["pairs"] for part in (1, 2)) == 66
    with monkeypatch.context() as patched:
        patched.setattr(pairwise.gromov_wasserstein, "gromov_wasserstein", None)  # nothing is left to measure
        joined = compare(results, FEW, "joined", checkpoints=results / "checkpoints/parts")
    assert all((joined / file).read_bytes() == (whole / file).read_bytes() for file in files)


def test_a_killed_job_goes_on_to_the_same_bytes(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    finish, left = Checkpoint.finish, iter(range(5))

    def dying(checkpoint: Checkpoint, *state: object) -> object:
        if next(left, None) is None:
            raise Killed
        return finish(checkpoint, *state)

    monkeypatch.setattr(pairwise, "TILE", 0)
    whole = compare(results, FEW, "whole")
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "finish", dying)
        with pytest.raises(Killed):
            compare(results, FEW, "killed")
    assert not list(results.glob("killed/*.csv"))
    killed = compare(results, FEW, "killed")
    for file in ("distances.csv", "subset_distances.csv", "layers.csv", "distances.json"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()


def test_seeds_and_networks_are_compared_under_names_of_their_own(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    core = results / "representations/core.zarr"
    shutil.copytree(core, results / "elsewhere/core.zarr")
    stores = [core / "zarr.json", results / "elsewhere/core.zarr/zarr.json"]
    made = compare(results, ["core"], stores=stores, names=["0/core", "1/core"])
    found = {(r["layer_a"], r["layer_b"]): float(r["gw_distance"]) for r in table(made / "distances.csv")}
    assert found["blocks.1", "blocks.1"] == 0
    for names, message in (
        ({}, "two stores are of 'core'; tell them apart with --names, one for each store"),
        ({"names": ["0/core"]}, "--names: 1 names for 2 stores; give one for each"),
    ):
        with pytest.raises(SystemExit):
            compare(results, ["core"], stores=stores, **names)
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shuffled", "rows", "message"),
    [
        (True, 24, "tickets 'core' and 'other' saw the same probes in another order; run represent again for both"),
        (False, 20, "tickets 'core' and 'other' saw 24 and 20 probes; run represent again for both"),
    ],
)
def test_other_probes_are_refused_by_name(
    results: Path, capsys: pytest.CaptureFixture[str], shuffled: bool, rows: int, message: str
) -> None:
    probes = read_representations(results / "representations/core.zarr").probes
    order = np.arange(24)[::-1] if shuffled else np.arange(rows)
    other = Probes(probes.ids[order], probes.labels[order], probes.images)
    store(results, "other", {"block": np.random.default_rng(0).normal(size=(rows, 3))}, other)
    with pytest.raises(SystemExit):
        compare(results, ["core", "other"])
    assert message in capsys.readouterr().err


def test_a_constant_layer_has_distances_and_no_similarity(results: Path) -> None:
    probes = read_representations(results / "representations/core.zarr").probes
    layers = {"dead": np.full((24, 3), 0.1), "too": np.zeros((24, 2)), "live": np.eye(24)}
    store(results, "odd", layers, probes)
    rows = {(r["layer_a"], r["layer_b"]): r for r in table(compare(results, ["odd"]) / "distances.csv")}
    assert float(rows["dead", "too"]["gw_distance"]) == 0
    # Against a simplex of edge 1, the loss is the share of pairs of distinct probes.
    assert float(rows["dead", "live"]["gw_loss"]) == pytest.approx(23 / 24)
    assert float(rows["dead", "live"]["linear_cka"]) == float(rows["dead", "live"]["debiased_cka"]) == 0


def test_an_incomplete_store_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = zarr.open_group(results / "representations/core.zarr", mode="a")
    root.attrs["complete"] = False
    with pytest.raises(SystemExit):
        compare(results, FEW)
    assert "core.zarr: its digest does not match" in capsys.readouterr().err


def test_tables_are_left_out_only_of_a_part(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = pipeline.compare(results, FEW)
    del arguments["layers"]
    with pytest.raises(SystemExit):
        pipeline.run("compare", arguments)
    assert "--layers: only a --part goes without; give a file to write" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        pipeline.run("compare", pipeline.compare(results, FEW) | {"part": [3, 2]})
    assert "--part 3 2: there is no such part; count from 1 to 2" in capsys.readouterr().err
