"""Facts about checkpoints: they are taken up by the job that they belong to, and by no other."""

import argparse
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from dilt.foundations.signals import STOP_SIGNALS
from dilt.jobs.checkpoints import Checkpoints


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
    for change in ({"options": "{1}"}, {"seed": 1}, {"round": 2}, {"code": "abd"}, {"threads": 2}):
        assert job(tmp_path, **change).of("full", mask="m").load() is None, change

    (tmp_path / "dataset.json").write_text("new images")
    assert job(tmp_path).of("full", mask="m").load() is None


def test_signals_are_requests_only_while_there_is_something_to_save(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("images")
    before = [signal.getsignal(number) for number in STOP_SIGNALS]

    def work_and_be_stopped() -> None:
        with job(tmp_path).of("core") as checkpoint:
            assert not checkpoint.due()
            os.kill(os.getpid(), signal.SIGUSR1)
            assert checkpoint.due()
            checkpoint.finish({}, {"accuracy": 0.5})

    with pytest.raises(SystemExit) as stopped:
        work_and_be_stopped()
    assert stopped.value.code == 143
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    finished = job(tmp_path).of("core").finished()
    assert finished is not None
    assert finished["accuracy"] == 0.5
