"""One reader and one writer per format: weights (safetensors), tables (CSV), records (JSON).

Files appear whole or not at all: they are written beside their place and then renamed. What was said to be written is
on the disk, its name too. Tensors carry a digest, tables and records have one in a hidden file beside them (as
``sha256sum --check`` reads it), and every reader checks it; that of tensors once a process, as long as the file does
not change. Masks are read and written by `tickets.mask_files`,
representations (Zarr) by `geometry.zarr_stores`.
"""

import csv
import errno
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations.stamps import Stamp, stamp

Tensors = dict[str, NDArray[Any]]
Row = Mapping[str, Any]
TENSORS = "a file of an experiment, such as theta0.safetensors"
_CHECKED: set[tuple[Path, Stamp | None]] = set()  # files of tensors whose digests were right


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """A path beside ``path`` to write to; renamed to ``path`` when the block ends without an error.

    Raises:
        IsADirectoryError: there is a folder of that name.
        OSError: the file cannot be written; the message names it.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder; name a file to write")
    partial = path.with_name(f".{path.name}.partial")  # one name: what a killed job leaves is overwritten
    with naming(path):
        make_folder(path.parent)
        try:
            yield partial
            put(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are not there; their names are on the disk then."""
    made = [one for one in (folder, *folder.parents) if not one.is_dir()]
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            _sync(one.parent)


def put(partial: Path, path: Path) -> None:
    """Rename a file, or a folder with all that is in it, to its place; content and name are on the disk then."""
    sync_all(partial)
    os.replace(partial, path)
    _sync(path.parent)


def sync_all(path: Path) -> None:
    """Have a file, or a folder with all that is in it, written to the disk."""
    for written in (*path.rglob("*"), path):
        _sync(written)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that syncs no folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Within the block, errors that name no file, and those of a full disk, say that ``path`` needs room."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = error.strerror or error
        raise OSError(f"{path}: cannot be written ({reason}); make room, then run again") from error


def require_file(path: Path, wanted: str) -> None:
    """Make sure that there is a file.

    Args:
        wanted: what it should be, in words.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is a folder.
    """
    if path.is_dir():
        raise ValueError(f"{path}: a folder; give {wanted}")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; give {wanted}")


def write_tensors(path: Path | str, tensors: Mapping[str, NDArray[Any]], record: Row | None = None) -> None:
    """Named arrays of any shape and a JSON-able record of what they are, as safetensors with a digest.

    Raises:
        IsADirectoryError: ``path`` is a folder.
    """
    from safetensors.numpy import save

    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    # One key: safetensors writes several keys in any order, but equal results must be equal files.
    content = {"record": dict(record or {}), "order": list(arrays)}
    metadata = {"dilt": json.dumps(content | {"digest": digest(arrays, canonical(content))})}
    with replacing(path) as partial:
        partial.write_bytes(save(arrays, metadata=metadata))


def read_tensors(path: Path | str, wanted: str = TENSORS) -> tuple[Tensors, dict[str, Any]]:
    """The arrays, in their shapes and in the order in which they were given, and the record of `write_tensors`.

    For a mask these are its packed bits; `tickets.mask_files.read_mask` gives the mask.

    Args:
        wanted: what the file should be, in the words of errors.

    Raises:
        ValueError: the file is damaged, or not of this project; the message names it.
        FileNotFoundError: there is no such file.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    require_file(path, wanted)
    now = stamp(path)
    try:
        with safe_open(path, framework="np") as file:
            found = file.metadata() or {}
            if "dilt" not in found:
                raise ValueError(f"{path}: not written by dilt; give {wanted}")
            metadata = json.loads(found["dilt"])
            tensors = {name: file.get_tensor(name) for name in metadata["order"]}
            expected = metadata.pop("digest")
            record = metadata["record"]
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path}: not a readable tensor file ({reason}); delete it and run again, or give {wanted}"
        ) from error
    if (path, now) in _CHECKED:
        return tensors, record
    if digest(tensors, canonical(metadata)) != expected:
        raise ValueError(f"{path}: its digest does not match, the file is damaged; delete it and run again")
    if now is not None:
        _CHECKED.add((path, now))
    return tensors, record


def digest(tensors: Mapping[str, NDArray[Any]], record: str = "") -> str:
    """SHA-256 over names, types, shapes and bytes."""
    sha = hashlib.sha256(record.encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        sha.update(f"{name} {array.dtype} {array.shape}".encode())
        sha.update(array.data)
    return sha.hexdigest()


def file_digest(path: Path | str) -> str:
    """SHA-256 of a whole file, as ``sha256sum`` prints it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_rows(path: Path | str, rows: Sequence[Row]) -> None:
    """A tidy table as CSV, one mapping per row; the first row gives the columns.

    Raises:
        ValueError: there are no rows, or a row has a column that the first lacks.
        IsADirectoryError: ``path`` is a folder.
    """
    if not rows:
        raise ValueError(f"{path}: a table without rows")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _write_checked(Path(path), text.getvalue())


def write_json(path: Path | str, value: Any) -> None:
    """A record as indented JSON with sorted keys.

    Raises:
        IsADirectoryError: ``path`` is a folder.
    """
    _write_checked(Path(path), json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_rows(path: Path | str) -> list[dict[str, str]]:
    """The rows of a table, all values as text; raises as `read_text`, and ValueError for a table without rows."""
    rows = list(csv.DictReader(io.StringIO(read_text(path, "a table (CSV)"))))
    if not rows:
        raise ValueError(f"{path}: a table without rows; delete it and run again")
    return rows


def read_json(path: Path | str) -> Any:
    """A record; raises as `read_text`, and ValueError if it is no JSON."""
    try:
        return json.loads(read_text(path, "a record (JSON)"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable JSON ({error}); delete it and run again") from error


def read_text(path: Path | str, wanted: str = "a table or record") -> str:
    """A table or record as text, its digest checked where there is one beside it.

    Args:
        wanted: what the file should be, in the words of errors.

    Raises:
        FileNotFoundError: there is no such file; the message names it.
        ValueError: the file is damaged, or a folder; the message names it.
    """
    path = Path(path)
    require_file(path, wanted)
    content, beside = path.read_bytes(), _digest_file(path)
    if beside.exists() and beside.read_text(errors="replace").split()[:1] != [hashlib.sha256(content).hexdigest()]:
        raise ValueError(f"{path}: its digest does not match, the file is damaged; delete it and run again")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not readable as text ({error}); delete it and run again") from error


def _write_checked(path: Path, text: str) -> None:
    """A text with its digest beside it; whoever is killed in between leaves it without one, not with the one before."""
    digest_file = _digest_file(path)
    with replacing(digest_file) as digest_partial, replacing(path) as partial:
        partial.write_bytes(text.encode())
        digest_partial.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  {path.name}\n")
        digest_file.unlink(missing_ok=True)


def _digest_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def canonical(value: Any) -> str:
    """JSON in the one form that is compared and hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
