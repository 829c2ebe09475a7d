"""Facts about stages that run one after another in a process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dilt.foundations.storage import file_digest, read_json, write_tensors
from dilt.jobs import usage
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask


@pytest.fixture
def weights(tmp_path: Path) -> Mask:
    """Weights `w` of a network and its mask `dense`, in the test's folder."""
    values = {"layer.weight": np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)}
    write_tensors(tmp_path / "w", values, {"run": "independent/low", "round": 1})
    mask = Mask.full({"layer.weight": (8, 8)})
    write_mask(tmp_path / "dense", mask)
    return mask


def in_turn(folder: Path, *stages: list[str]) -> subprocess.CompletedProcess[str]:
    """Run stages in a folder, with logs named by their turns."""
    words = []
    for turn, stage in enumerate(stages, start=1):
        words += [*(["--then"] if turn > 1 else []), *stage, "--log", f"logs/{turn}.log"]
    command = [sys.executable, "-m", "dilt.in_turn", "--digests", "digests.json", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def prune(weights: str, mask: str, pruned: str) -> list[str]:
    options = '{"rate": 0.5, "scope": "global", "pattern": null}'
    return ["prune:pruned", "--weights", weights, "--masks", mask, "--pruned", pruned, "--options", options]


def test_each_logs_as_by_itself_and_reads_what_the_one_before_wrote(tmp_path: Path, weights: Mask) -> None:
    ran = in_turn(tmp_path, prune("w", "dense", "first"), prune("w", "first", "second"))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert read_mask(tmp_path / "second").count == weights.count // 4
    for turn, pruned in enumerate(("first", "second"), start=1):
        log = (tmp_path / f"logs/{turn}.log").read_text()
        assert log.count("$ python -m dilt.prune --weights w") == 1
        assert f"--pruned {pruned} " in log
        assert [row["ended"] for row in usage.read(tmp_path / f"logs/{turn}.usage.csv")] == ["finished"]
    assert read_json(tmp_path / "digests.json") == {name: file_digest(tmp_path / name) for name in ("first", "second")}


def test_one_that_fails_is_the_last(tmp_path: Path, weights: Mask) -> None:
    ran = in_turn(tmp_path, prune("w", "gone", "first"), prune("w", "dense", "second"))
    assert ran.returncode == 1
    assert "gone: no such file" in (tmp_path / "logs/1.log").read_text()
    assert not (tmp_path / "second").exists()
    assert not (tmp_path / "digests.json").exists()


def test_an_error_between_two_stages_is_one_of_the_job(tmp_path: Path, weights: Mask) -> None:
    ran = in_turn(tmp_path, prune("w", "dense", "first"), ["nonsense:"])
    assert ran.returncode == 1
    assert "No module named 'dilt.nonsense'" in (tmp_path / "logs/2.log").read_text()
    assert [row["ended"] for row in usage.read(tmp_path / "logs/1.usage.csv")] == ["failed"]
    assert not (tmp_path / "digests.json").exists()
