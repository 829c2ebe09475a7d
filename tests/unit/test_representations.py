"""Facts about stored representations: they come back whole, open in xarray, and tell of damage."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray

from dilt.representations import Representations, read_representations, write_representations


def found(rows: int = 300) -> Representations:
    draws = np.random.default_rng(0)
    layers = {name: draws.normal(size=(rows, 4 + i)).astype(np.float32) for i, name in enumerate(["z.1", "a.0", "m"])}
    return Representations("core", np.arange(rows)[::-1].copy(), np.arange(rows) % 3, layers)


def written(folder: Path, name: str = "core.zarr") -> Path:
    write_representations(folder / name, found(), {"seed": 1, "round": 2})
    return folder / name


def contents(store: Path) -> dict[str, bytes]:
    return {str(file.relative_to(store)): file.read_bytes() for file in store.rglob("*") if file.is_file()}


def test_a_store_comes_back_as_it_was_written(tmp_path: Path) -> None:
    again = read_representations(written(tmp_path))
    assert again.ticket == "core"
    assert list(again.layers) == ["z.1", "a.0", "m"]  # depth order
    for name, layer in found().layers.items():
        assert again.layers[name].dtype == np.float32
        assert np.array_equal(again.layers[name], layer)
    assert again.probe_digest == found().probe_digest


def test_xarray_opens_a_store_with_named_dimensions(tmp_path: Path) -> None:
    tree = xarray.open_datatree(written(tmp_path), engine="zarr", consolidated=False)
    assert tree["a.0"]["activations"].dims == ("probe", "feature")
    assert tree["a.0"]["activations"].shape == (300, 5)
    assert tree["label"].dims == ("probe",)
    assert tree.attrs["round"] == 2


def test_writing_twice_writes_the_same_bytes_and_leaves_nothing_else(tmp_path: Path) -> None:
    first, second = written(tmp_path, "1.zarr"), written(tmp_path, "2.zarr")
    assert contents(first) == contents(second)
    before = contents(first)
    write_representations(first, replace(found(3), layers={"only": np.ones((3, 2), np.float32)}), {})
    assert list(read_representations(first).layers) == ["only"]
    written(tmp_path, "1.zarr")
    assert contents(first) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.zarr", "2.zarr"]


def test_probes_in_another_order_have_another_digest() -> None:
    other = replace(found(), probe_ids=found().probe_ids[::-1].copy())
    assert found().probe_digest != other.probe_digest
    assert found().probe_digest != replace(found(), labels=found().labels + 1).probe_digest


def chunks(store: Path) -> list[Path]:
    return sorted(file for file in store.rglob("*") if file.is_file() and "/c/" in str(file))


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
    with pytest.raises(ValueError, match=r"gone\.zarr: not a readable store"):
        read_representations(tmp_path / "gone.zarr")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    broken = found()
    broken.layers["a.0"][7, 2] = value
    with pytest.raises(ValueError, match=r"ticket 'core': activations of layer 'a\.0' are not finite"):
        write_representations(tmp_path / "core.zarr", broken, {})
    assert not (tmp_path / "core.zarr").exists()
