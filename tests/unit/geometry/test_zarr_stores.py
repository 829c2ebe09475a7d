"""Facts about stored representations: they come back whole, open in xarray, and tell of damage."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray

from dilt.geometry import zarr_stores
from dilt.geometry.cka import centred_products
from dilt.geometry.zarr_stores import (
    Layer,
    Place,
    Probes,
    Representations,
    StoreWriter,
    read_representations,
    require_same_probes,
)

NAMES = ["z.1", "a.0", "m"]


def probes(rows: int = 300) -> Probes:
    return Probes(np.arange(rows)[::-1].copy(), np.arange(rows) % 3, "pixels")


def activations(rows: int = 300) -> dict[str, np.ndarray]:
    draws = np.random.default_rng(0)
    return {name: draws.normal(size=(rows, 4 + i)).astype(np.float32) for i, name in enumerate(NAMES)}


def write(path: Path, layers: dict[str, np.ndarray], limit: int | None = None, step: int = 100) -> Path:
    rows = len(next(iter(layers.values())))
    writer = StoreWriter(path, "core", probes(rows), resume=False)
    for start in range(0, rows, step):
        put(writer, layers, start, start + step)
    writer.finish({"seed": 1, "round": 2}, limit)
    return path


def put(writer: StoreWriter, layers: dict[str, np.ndarray], start: int, stop: int) -> None:
    for depth, (name, layer) in enumerate(layers.items()):
        writer.write(name, Place(depth, "stage", "Block"), start, layer[start:stop], 100)


def written(folder: Path, name: str = "core.zarr") -> Path:
    return write(folder / name, activations())


def contents(store: Path) -> dict[str, bytes]:
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def test_a_store_comes_back_as_it_was_written(tmp_path: Path) -> None:
    again = read_representations(written(tmp_path))
    assert again.name == "core"
    assert again.record["round"] == 2
    assert list(again.layers) == NAMES  # depth order
    for depth, (name, layer) in enumerate(activations().items()):
        found = again.layers[name]
        assert found.place == Place(depth, "stage", "Block")
        assert found.activations.dtype == np.float32
        assert np.array_equal(found.activations, layer)
    assert again.probes.digest == probes().digest


def test_xarray_opens_a_store_with_named_dimensions(tmp_path: Path) -> None:
    tree = xarray.open_datatree(written(tmp_path), engine="zarr", consolidated=False)
    assert tree["a.0"]["activations"].dims == ("probe", "feature")
    assert tree["a.0"]["activations"].shape == (300, 5)
    assert tree["label"].dims == ("probe",)
    assert tree["a.0"].attrs == {"depth": 1, "stage": "stage", "module_type": "Block"}
    assert tree.attrs["round"] == 2
    assert tree.attrs["complete"]


def test_writing_twice_writes_the_same_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    first, second = written(tmp_path, "1.zarr"), written(tmp_path, "2.zarr")
    assert contents(first) == contents(second)
    before = contents(first)
    write(first, {"only": np.ones((3, 2), np.float32)})
    assert list(read_representations(first).layers) == ["only"]
    written(tmp_path, "1.zarr")
    assert contents(first) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.zarr", "2.zarr"]


def test_all_of_a_store_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    path = written(tmp_path / "new", "1.zarr")
    assert {place.stat().st_ino for place in [*path.rglob("*"), path, path.parent, tmp_path]} <= synced


def test_a_store_that_was_begun_is_gone_on_with_to_the_same_bytes(tmp_path: Path) -> None:
    whole, path = written(tmp_path, "whole.zarr"), tmp_path / "core.zarr"
    put(StoreWriter(path, "core", probes(), resume=False), activations(), 0, 100)
    assert not path.exists(), "no store before it is complete"
    writer = StoreWriter(path, "core", probes(), resume=True)
    assert writer.resumed
    for start in (100, 200):
        put(writer, activations(), start, start + 100)
    writer.finish({"seed": 1, "round": 2})
    assert contents(path) == contents(whole)


def test_what_cannot_be_gone_on_with_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "core.zarr"
    assert not StoreWriter(path, "core", probes(), resume=True).resumed, "nothing is there"
    put(StoreWriter(path, "core", probes(), resume=False), activations(), 0, 100)
    shutil.rmtree(path.with_name("core.zarr.partial") / "a.0" / "activations")
    assert not StoreWriter(path, "core", probes(), resume=True).resumed, "a layer has been reduced"


def test_a_store_that_a_cut_of_the_power_left_empty_files_in_is_begun_anew(tmp_path: Path) -> None:
    """Files that were not synced have their names, but no content."""
    whole, path = written(tmp_path, "whole.zarr"), tmp_path / "core.zarr"
    for empty in ("zarr.json", "a.0/zarr.json", "a.0/activations/zarr.json"):
        put(StoreWriter(path, "core", probes(), resume=False), activations(), 0, 100)
        (path.with_name("core.zarr.partial") / empty).write_bytes(b"")
        writer = StoreWriter(path, "core", probes(), resume=True)
        assert not writer.resumed
        for start in (0, 100, 200):
            put(writer, activations(), start, start + 100)
        writer.finish({"seed": 1, "round": 2})
        assert contents(path) == contents(whole)


def test_what_a_checkpoint_says_is_written_was_synced_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = StoreWriter(tmp_path / "core.zarr", "core", probes(), resume=False)
    put(writer, activations(), 0, 100)
    synced = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    writer.sync()
    partial = tmp_path / "core.zarr.partial"
    assert {place.stat().st_ino for place in [*partial.rglob("*"), partial]} <= set(synced)


def test_of_a_store_that_fails_nothing_is_left_and_of_one_that_is_stopped_all(tmp_path: Path) -> None:
    for error, left in ((ValueError, False), (SystemExit, True)):
        writer = StoreWriter(tmp_path / "core.zarr", "core", probes(), resume=False)
        put(writer, activations(), 0, 100)
        with pytest.raises(error), writer:
            raise error
        assert (tmp_path / "core.zarr.partial").exists() == left


def test_probes_that_were_left_out_are_noticed(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path / "core.zarr", "core", probes(), resume=False)
    put(writer, activations(), 0, 100)
    put(writer, activations(), 200, 300)
    with pytest.raises(AssertionError, match="probes were left out"):
        writer.finish({})
    assert not (tmp_path / "core.zarr").exists()


def test_of_layers_above_the_limit_the_inner_products_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zarr_stores, "CHUNK_COLUMNS", 4)
    path = write(tmp_path / "core.zarr", activations(), limit=300 * 5 * 4)
    found = read_representations(path).layers
    assert [layer.activations is None for layer in found.values()] == [False, False, True]
    assert not (path / "m/activations").exists()
    for name, layer in activations().items():
        assert found[name].gram() == pytest.approx(centred_products([layer]), abs=1e-9)
    tree = xarray.open_datatree(path, engine="zarr", consolidated=False)
    assert tree["m"]["products"].dims == ("probe", "other_probe")


def test_products_are_as_good_as_activations_on_any_probes() -> None:
    layer = Layer(Place(0, "s", "T"), activations(20)["m"])
    products = Layer(layer.place, None, layer.gram())
    chosen = np.array([3, 4, 9, 17])
    assert products.gram() == pytest.approx(layer.gram())
    assert products.gram(chosen) == pytest.approx(layer.gram(chosen))
    alike = layer.activations.copy()
    alike[chosen] = alike[3]  # constant on these probes, not on others
    assert not Layer(layer.place, alike).gram(chosen).any()
    assert not Layer(layer.place, None, centred_products([alike])).gram(chosen).any()


def test_a_layer_is_compacted_to_what_is_smaller() -> None:
    narrow, wide = (Layer(Place(0, "s", "T"), np.ones((10, width), np.float32)) for width in (20, 21))
    assert narrow.compact() is narrow
    assert wide.compact().activations is None


def seen(name: str, **other: object) -> Representations:
    return Representations(name, replace(probes(), **other), {}, {})


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"ids": np.arange(300), "labels": probes().labels[::-1].copy()}, "saw the same probes in another order"),
        ({"ids": np.arange(300) + 7}, "saw other probes"),
        ({"images": "other pixels"}, "saw other probes"),
        ({"labels": np.zeros(300, np.int64)}, "saw other probes"),
        ({"ids": np.arange(299), "labels": np.zeros(299, np.int64)}, "saw 300 and 299 probes"),
    ],
)
def test_other_probes_are_refused_by_name(other: dict[str, object], message: str) -> None:
    require_same_probes([seen("core"), seen("lth")])
    with pytest.raises(ValueError, match=f"tickets 'core' and 'union' {message}; run represent again"):
        require_same_probes([seen("core"), seen("lth"), seen("union", **other)])


def test_every_damaged_or_missing_file_is_told(tmp_path: Path) -> None:
    store = written(tmp_path)
    whole = contents(store)
    for name, content in whole.items():
        for damaged in (content[: len(content) // 2], None):
            file = store / name
            file.unlink() if damaged is None else file.write_bytes(damaged)
            with pytest.raises(ValueError, match=r"core\.zarr: "):
                read_representations(store)
            file.write_bytes(content)
    assert contents(store) == whole


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.zarr: no such folder; give a store of representations"):
        read_representations(tmp_path / "gone.zarr")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    broken = activations()
    broken["a.0"][7, 2] = value
    with pytest.raises(ValueError, match=r"ticket 'core': activations of layer 'a\.0' are not finite"):
        write(tmp_path / "core.zarr", broken)
    assert not (tmp_path / "core.zarr").exists()
