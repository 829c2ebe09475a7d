"""Facts about files: they come back as they were written, are equal when their contents are, and tell of damage."""

import contextlib
import csv
import errno
import os
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from builders import masks, random_weights
from hypothesis import given
from safetensors import SafetensorError
from safetensors.numpy import load_file

from dilt.foundations import stamps, storage
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask

RECORD = {"seed": 3, "run": "independent/full", "classes": ["a", "b"]}


@given(masks(1, 1))
def test_a_mask_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, one: list[Mask]) -> None:
    path = tmp_path_factory.mktemp("masks") / "mask.safetensors"
    write_mask(path, one[0])
    again = read_mask(path)
    assert again == one[0]
    assert (again.origin, again.names) == (one[0].origin, one[0].names)


def test_tensors_come_back_in_order_with_their_types_and_record(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    tensors = {"z": np.float32([[1, -2]]), "a": np.int64(7), "m": np.zeros((0, 3), dtype=np.float16)}
    storage.write_tensors(path, {name: np.asarray(array) for name, array in tensors.items()}, RECORD)
    again, record = storage.read_tensors(path)
    assert list(again) == ["z", "a", "m"]
    assert record == RECORD
    for name, array in tensors.items():
        assert (again[name].dtype, again[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(again[name], array)


def test_a_mask_takes_one_bit_per_weight_on_disk(tmp_path: Path) -> None:
    write_mask(tmp_path / "small", Mask.full({"layer": (8, 8)}))
    write_mask(tmp_path / "large", Mask.full({"layer": (800, 800)}))
    added = (tmp_path / "large").stat().st_size - (tmp_path / "small").stat().st_size
    assert added == pytest.approx((800 * 800 - 8 * 8) / 8, abs=64)


def test_equal_contents_are_equal_files(tmp_path: Path) -> None:
    mask = Mask({name: array > 0 for name, array in random_weights(0).items()}, "origin")
    for number in ("1", "2"):
        storage.write_tensors(tmp_path / f"tensors-{number}", random_weights(0), RECORD)
        write_mask(tmp_path / f"mask-{number}", mask)
    for kind in ("tensors", "mask"):
        assert (tmp_path / f"{kind}-1").read_bytes() == (tmp_path / f"{kind}-2").read_bytes()


def test_the_digest_tells_names_types_shapes_and_values_apart() -> None:
    base = {"a": np.zeros((2, 3), dtype=np.float32)}
    others = [
        {"b": base["a"]},
        {"a": base["a"].astype(np.int32)},
        {"a": base["a"].reshape(3, 2)},
        {"a": base["a"] + 1},
        base | {"b": base["a"]},
    ]
    assert storage.digest({"a": np.zeros((2, 3), dtype=np.float32)}) == storage.digest(base)
    assert len({storage.digest(tensors) for tensors in [base, *others]}) == 1 + len(others)


def written_mask(folder: Path) -> tuple[Path, bytes]:
    path = folder / "mask.safetensors"
    write_mask(path, Mask({"layer": np.arange(40).reshape(8, 5) % 3 == 0}, "full round 1"))
    return path, path.read_bytes()


def test_a_truncated_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path, whole = written_mask(tmp_path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"mask\.safetensors: "):
            read_mask(path)


@pytest.mark.parametrize("bit", [1, 6])
def test_a_flipped_bit_is_an_error_that_names_the_file(tmp_path: Path, bit: int) -> None:
    path, whole = written_mask(tmp_path)
    complaints, accepted = [], []
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            read_mask(path)
        except ValueError as error:
            complaints.append(str(error))
        else:
            accepted.append(position)
    assert all(complaint.startswith(f"{path}: ") for complaint in complaints)
    assert accepted == [], f"read without complaint: {[whole[max(0, p - 12) : p + 4] for p in accepted[:3]]}"


def test_a_missing_file_and_a_file_of_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.safetensors: no such file"):
        storage.read_tensors(tmp_path / "gone.safetensors")
    storage.write_tensors(tmp_path / "weights", random_weights(0))
    with pytest.raises(ValueError, match="weights: not a mask"):
        read_mask(tmp_path / "weights")
    (tmp_path / "record.json").write_text('{"half": ')
    with pytest.raises(ValueError, match=r"record\.json: not readable JSON"):
        storage.read_json(tmp_path / "record.json")


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    storage.write_rows(table, [{"a": 1}])
    before = table.read_bytes()
    with pytest.raises(ValueError, match="dict contains fields"):
        storage.write_rows(table, [{"a": 2}, {"b": 3}])
    with pytest.raises(ZeroDivisionError), storage.replacing(table) as partial:
        partial.write_text(f"half a table, {1 / 0}")
    assert table.read_bytes() == before
    assert storage.read_rows(table) == [{"a": "1"}]
    assert not list(tmp_path.glob("*partial*"))


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_table_whose_writer_is_killed_between_it_and_its_digest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    table = tmp_path / "table.json"
    storage.write_json(table, "before")
    replace, left = os.replace, iter(range(renames))

    def replacing(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        patched.setattr(os, "replace", replacing)
        storage.write_json(table, "after")
    assert storage.read_json(table) == ("after" if renames else "before")


def test_a_digest_is_taken_once_as_long_as_the_file_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, taken, take = tmp_path / "weights.safetensors", [], storage.digest
    storage.write_tensors(path, {"a": np.zeros(3)})
    monkeypatch.setattr(storage, "digest", lambda *arguments: taken.append(1) or take(*arguments))
    monkeypatch.setattr(stamps, "SETTLED", 3600 * 10**9)
    for _ in range(2):  # what was just written may change without another time
        storage.read_tensors(path)
    assert len(taken) == 2
    monkeypatch.setattr(stamps, "SETTLED", 0)
    for _ in range(3):
        storage.read_tensors(path)
    assert len(taken) == 3
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)
    for _ in range(2):
        with pytest.raises(ValueError, match="its digest does not match"):
            storage.read_tensors(path)
    storage.write_tensors(path, {"a": np.ones(3)})
    assert storage.read_tensors(path)[0]["a"].tolist() == [1, 1, 1]


def test_a_damaged_digest_is_told(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    for damaged in (b"", b"\xff\0"):
        storage.write_json(table, 1)
        (tmp_path / ".table.json.sha256").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"table\.json: its digest does not match"):
            storage.read_json(table)


def journal(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """What is synced to the disk and what is renamed, in order, from now on."""
    done: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        done.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def noted_replace(source: Path, target: Path) -> None:
        done.append(("rename to", Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return done


def test_content_then_name_then_new_folders_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = journal(monkeypatch)
    folder = tmp_path / "seed-0" / "round-1"
    with storage.replacing(folder / "weights") as partial:
        partial.write_bytes(b"0")
        assert done == [("sync", tmp_path / "seed-0"), ("sync", tmp_path)]
        done.clear()
    assert done == [("sync", partial), ("rename to", folder / "weights"), ("sync", folder)]


def test_of_a_folder_every_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial, path = tmp_path / "store.partial", tmp_path / "store"
    (partial / "layer").mkdir(parents=True)
    (partial / "layer" / "chunk").write_bytes(b"0")
    done = journal(monkeypatch)
    storage.put(partial, path)
    first = {("sync", partial / "layer" / "chunk"), ("sync", partial / "layer"), ("sync", partial)}
    assert set(done[:3]) == first
    assert done[3:] == [("rename to", path), ("sync", tmp_path)]


@pytest.mark.parametrize(("number", "stops"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_disk_that_fails_is_told_and_one_that_cannot_sync_folders_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, stops: bool
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=r"record\.json: cannot be written") if stops else nullcontext():
        storage.write_json(tmp_path / "record.json", {})
    assert (tmp_path / "record.json").exists() != stops


def test_a_full_disk_is_told_where_a_folder_has_no_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, **how: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match=r"seed-0: cannot be written \(No space left on device\); make room, then run"):
        storage.make_folder(tmp_path / "seed-0")


def test_a_first_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        storage.write_json(tmp_path / "record.json", {"set": {1}})
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_pickle_in_any_tensor_file(tmp_path: Path) -> None:
    storage.write_tensors(tmp_path / "weights", random_weights(0), RECORD)
    assert set(load_file(tmp_path / "weights")) == set(random_weights(0))
    with pytest.raises(SafetensorError, match="object"):
        storage.write_tensors(tmp_path / "objects", {"a": np.array([object()])})
    assert not (tmp_path / "objects").exists()


def test_a_table_is_plain_csv_and_has_rows(tmp_path: Path) -> None:
    rows = [{"ticket": "core, round 2", "density": 0.1}, {"ticket": "union", "density": 1 / 3}]
    storage.write_rows(tmp_path / "table.csv", rows)
    with open(tmp_path / "table.csv", newline="") as file:
        again = list(csv.DictReader(file))
    assert [row["ticket"] for row in again] == ["core, round 2", "union"]
    assert [float(row["density"]) for row in again] == [0.1, 1 / 3]
    with pytest.raises(ValueError, match=r"empty\.csv: a table without rows"):
        storage.write_rows(tmp_path / "empty.csv", [])


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert storage.canonical({"b": 1, "a": [2]}) == storage.canonical({"a": [2], "b": 1}) == '{"a":[2],"b":1}'
