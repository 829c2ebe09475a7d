"""Facts about checkpoints: they are taken up by the job that they belong to, and by no other."""

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dilt.checkpoints import STOP_SIGNALS, Checkpoints


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def job(folder: Path, **changes: object) -> Checkpoints:
    given = {"options": "{}", "seed": 0, "code": "abc", "threads": 1}
    arguments = argparse.Namespace(checkpoints=folder / "saved", **(given | changes))
    return Checkpoints.from_arguments(arguments, folder / "dataset.json")


def test_the_same_job_goes_on_and_one_of_other_settings_data_or_code_does_not(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("old images")
    job(tmp_path).of("full", mask="m").save({"model.weight": np.ones(3)}, {"step": 7})

    saved = job(tmp_path).of("full", mask="m").load()
    assert saved is not None
    assert saved[1]["step"] == 7
    assert job(tmp_path).of("full", mask="another").load() is None
    for change in ({"options": "{1}"}, {"seed": 1}, {"code": "abd"}, {"threads": 2}):
        assert job(tmp_path, **change).of("full", mask="m").load() is None, change

    (tmp_path / "dataset.json").write_text("new images")
    assert job(tmp_path).of("full", mask="m").load() is None
