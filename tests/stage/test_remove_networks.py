"""Facts about the stage that removes networks: their bytes are free, and unfinished work stays."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dilt.foundations.storage import read_json, write_json, write_tensors

NETWORKS = ["seed-0/tickets/round-1/core/weights.safetensors", "seed-0/independent/low/round-1/weights.safetensors"]


def remove(results: Path, *more: str) -> str:
    command = [sys.executable, "-m", "dilt.remove_networks", "--results", str(results), "--seed", "0"]
    command += ["--networks", *NETWORKS, "--removed", str(results / "seed-0/removed_networks.json"), *more]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[-1]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two networks, one linked and one copied from finished work, beside unfinished work and another seed's."""
    for number, (network, bring) in enumerate(zip(NETWORKS, (os.link, shutil.copy), strict=True)):
        checkpoint = tmp_path / f"checkpoints/rule/seed-0/round-1/{number}.safetensors"
        write_tensors(checkpoint, {"w": np.full(1000, number, np.float32)}, {"finished": True})
        (tmp_path / network).parent.mkdir(parents=True)
        bring(checkpoint, tmp_path / network)
        other = tmp_path / f"checkpoints/rule/seed-1/round-1/{number}.safetensors"
        write_tensors(other, {"w": np.full(1000, number, np.float32)}, {"finished": True})
    write_tensors(tmp_path / "checkpoints/rule/seed-0/begun.safetensors", {"w": np.zeros(1000, np.float32)}, {})
    (tmp_path / "checkpoints/rule/seed-0/broken.safetensors").write_bytes(b"broken")
    return tmp_path


def test_networks_go_with_finished_work_that_is_the_same(results: Path) -> None:
    assert remove(results) == "removed 2 networks, 0.0 MB"
    left = {path.relative_to(results).as_posix() for path in results.rglob("*.safetensors")}
    assert left == {
        f"checkpoints/rule/{place}.safetensors"
        for place in ("seed-0/begun", "seed-0/broken", "seed-1/round-1/0", "seed-1/round-1/1")
    }
    assert read_json(results / "seed-0/removed_networks.json") == {"networks": sorted(NETWORKS)}


def test_it_may_run_again_and_a_damaged_network_goes_too(results: Path) -> None:
    (results / NETWORKS[0]).unlink()
    (results / NETWORKS[0]).write_bytes(b"damaged")
    assert remove(results) == "removed 2 networks, 0.0 MB"
    record = (results / "seed-0/removed_networks.json").read_bytes()
    assert remove(results) == "removed 0 networks, 0.0 MB"
    assert (results / "seed-0/removed_networks.json").read_bytes() == record


def test_files_of_digests_that_stand_for_them_go_too(results: Path) -> None:
    write_json(results / "seed-0/digests/make_tickets.json", {})
    remove(results, "--digests", "seed-0/digests/make_tickets.json", "seed-0/digests/use_tickets.json")
    assert not (results / "seed-0/digests/make_tickets.json").exists()
