"""Facts about the library: its functions take paths as text too, and tell in one line what is wrong with a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import dilt
from dilt.answers import claim_table
from dilt.foundations import storage
from tests.stage.conftest import SEED

RESULTS, TICKET = "results/tiny", f"{SEED}/tickets/round-1/core"
MASK, THETA0 = f"{TICKET}/mask.safetensors", f"{SEED}/theta0.safetensors"
STORE, TRAJECTORY, CLAIMS = (
    f"{SEED}/representations/core.zarr",
    f"{SEED}/independent/low/round-1",
    "results/tiny/tables/claims.csv",
)


def network() -> nn.Module:
    return dilt.create_model(RESULTS, num_classes=3)


# What reads: a file or folder that it takes, and the call.
READING: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "create_model": (RESULTS, lambda path: dilt.create_model(path)),
    "export_network": (TRAJECTORY, lambda path: dilt.export_network(path, "exported-network")),
    "export_ticket": (TICKET, lambda path: dilt.export_ticket(path, "exported-ticket")),
    "load_exported": ("exported", lambda path: dilt.load_exported(path)),
    "load_ticket": (THETA0, lambda path: dilt.load_ticket(network(), path, MASK)),
    "load_ticket's mask": (MASK, lambda path: dilt.load_ticket(network(), THETA0, path)),
    "read_claims": (CLAIMS, lambda path: dilt.read_claims(path)),
    "read_mask": (MASK, lambda path: dilt.read_mask(path)),
    "read_representations": (STORE, lambda path: dilt.read_representations(path)),
    "read_tensors": (THETA0, lambda path: dilt.read_tensors(path)),
}
WRITING: dict[str, Callable[[Any], Any]] = {
    "write_mask": lambda path: dilt.write_mask(path, dilt.read_mask(MASK)),
    "export_ticket": lambda path: dilt.export_ticket(TICKET, path),
    "export_network": lambda path: dilt.export_network(TRAJECTORY, path),
}
OF_NO_FILE = {"Mask", "claim_table", "intersection", "jaccard", "keep_sparse", "make_plain", "union", "workflow_folder"}
EACH = pytest.mark.parametrize("name", READING)


@pytest.fixture(autouse=True)
def at_home(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(experiment)
    if not Path("exported").exists():
        dilt.export_ticket(TICKET, "exported")
        storage.write_rows(CLAIMS, [dict.fromkeys(claim_table.COLUMNS, 1)])


def test_every_function_is_known_here() -> None:
    assert {name.partition("'")[0] for name in (*READING, *WRITING)} | OF_NO_FILE == set(dilt.__all__)


@EACH
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_may_be_text(name: str, kind: type) -> None:
    path, call = READING[name]
    assert call(kind(path)) is not None


@pytest.mark.parametrize("name", WRITING)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_to_write_may_be_text(name: str, kind: type, tmp_path: Path) -> None:
    WRITING[name](kind(tmp_path / "new"))
    assert (tmp_path / "new").exists()


@EACH
@pytest.mark.parametrize("other", ["nothing", "a folder", "noise", "nothing in it", "a picture", "another table"])
def test_what_is_no_such_file_is_one_line_that_names_it(name: str, other: str, tmp_path: Path) -> None:
    place = tmp_path / "seed-0/tickets/round-1/wrong"  # that alone is no reason to refuse it
    place.parent.mkdir(parents=True)
    if other == "a folder":
        place.mkdir()
    elif other != "nothing":
        content = {
            "noise": bytes(range(256)),
            "nothing in it": b"",
            "a picture": b"\x89PNG\r\n",
            "another table": b"a\n1\n",
        }
        place.write_bytes(content[other])
    with pytest.raises((ValueError, OSError)) as told:
        READING[name][1](str(place))
    (line,) = str(told.value).splitlines()
    assert str(tmp_path) in line
    assert ";" in line, "and says what would be right"


@EACH
def test_a_file_of_another_kind_is_refused(name: str) -> None:
    right, call = READING[name]
    takes_any_tensors = name == "read_tensors"
    for other in {THETA0, MASK, CLAIMS, STORE, "exported"} - {right} - ({MASK} if takes_any_tensors else set()):
        with pytest.raises((ValueError, OSError)) as told:
            call(other)
        assert len(str(told.value).splitlines()) == 1
        assert other in str(told.value)
