"""Same seed, same files, whatever the jobs that trajectories are trained in.

Whole runs are compared where they are made in several ways: in few jobs (`test_few_jobs`), killed (`test_kills`), on a
cluster (`test_slurm`).
"""

import shutil

import numpy as np

from dilt.foundations.storage import read_tensors

TRAJECTORIES = ("full", "low", "high", "low-sibling", "high-sibling", "split-1", "split-2")


def test_rounds_in_one_job_or_in_jobs_of_their_own_give_the_same(clean, tmp_path):
    """Trajectories, and LTH on its way to a core; the same but for the digest of the stage's code in the weights."""
    found, seed = {}, "results/digits/seed-0"
    asked = [f"{seed}/cyclic/consensus/round-3/mask.safetensors", f"{seed}/same-rounds-2/full/round-2/mask.safetensors"]
    for group in ("rounds", "together"):
        project = clean.copy(tmp_path / group)
        project.edit("tiny.yaml", "rounds: 2, rate", "rounds: 3, rate")
        project.edit("tiny.yaml", "C1: 1", "C1: 2")
        project.edit("tiny.yaml", "group: together", f"group: {group}")
        files = [*asked, *(f"{seed}/independent/{run}/round-3/mask.safetensors" for run in TRAJECTORIES)]
        project.snakemake(*files, "--cores", "2")
        assert (project.folder / "results/digits/logs/train_rounds").exists() == (group == "rounds")
        assert (project.folder / "results/digits/logs/train").exists() == (group == "together")
        found[group] = {
            path.relative_to(project.folder / seed).as_posix(): read_tensors(path)[0] if path.name[0] == "w" else path
            for path in (project.folder / seed).glob("*/*/round-*/*")
            if path.name in ("weights.safetensors", "mask.safetensors", "metrics.csv")
        }
        assert (
            not {"train", "train_rounds", "train_rounds_to_core", "prune", "prune_to_core"} & project.planned().keys()
        )
    assert found["rounds"].keys() == found["together"].keys()
    assert len(found["rounds"]) == 3 * (3 * 9 + 1) + 4, "of runs, of the consensus, and of LTH on its way"
    for path, one in found["rounds"].items():
        other = found["together"][path]
        if path.endswith("weights.safetensors"):
            assert one.keys() == other.keys()
            assert all(np.array_equal(one[name], other[name]) for name in one), path
        else:
            assert one.read_bytes() == other.read_bytes(), path


def test_siblings_apart_or_together_give_the_same_files(project, tmp_path):
    path = "results/digits/seed-0/cyclic/low/round-2/weights.safetensors"
    before = (project.folder / path).read_bytes()
    (project.folder / path).unlink()
    shutil.rmtree(project.folder / "results/digits/checkpoints")
    project.snakemake(path, "--config", 'jobs={"group": "apart"}', "--rerun-triggers", "mtime", "--cores", "1")
    assert (project.folder / path).read_bytes() == before
