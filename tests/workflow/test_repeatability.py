"""Same seed, same files."""

import shutil

import numpy as np

from dilt.foundations.storage import read_tensors


def test_the_same_seed_gives_the_same_files(clean, finished, tmp_path):
    again = clean.copy(tmp_path / "again")
    again.snakemake("--cores", "2")
    first, second = finished.results(), again.results()
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


def test_rounds_in_one_job_or_in_jobs_of_their_own_give_the_same(clean, finished, tmp_path):
    """Files are the same but for the digest of the stage's code, which weights carry."""
    one = clean.copy(tmp_path / "one")
    consensus = "results/digits/seed-0/cyclic/consensus/round-2/mask.safetensors"
    one.snakemake(consensus, "--cores", "1", "--config", 'jobs={"group": "rounds"}')
    assert not (one.folder / "results/digits/logs/train").exists()
    assert (one.folder / "results/digits/logs/train_rounds/seed-0.log").exists()
    made = {
        path: content for path, content in one.results().items() if path.endswith(("mask.safetensors", "metrics.csv"))
    }
    assert len(made) == 2 * (2 * 9 + 1), "of two rounds: masks and metrics of nine runs, and the consensus"
    assert made == {path: finished.results()[path] for path in made}
    for path in one.folder.glob("results/digits/seed-0/*/*/round-*/weights.safetensors"):
        tensors, _ = read_tensors(path)
        expected, _ = read_tensors(finished.folder / path.relative_to(one.folder))
        assert tensors.keys() == expected.keys()
        assert all(np.array_equal(tensors[name], expected[name]) for name in tensors)
    planned = one.planned("--config", 'jobs={"group": "rounds"}')
    assert not {"train", "train_rounds", "prune", "prune_to_consensus"} & planned.keys()


def test_siblings_apart_or_together_give_the_same_files(project, tmp_path):
    path = "results/digits/seed-0/cyclic/low/round-2/weights.safetensors"
    before = (project.folder / path).read_bytes()
    (project.folder / path).unlink()
    shutil.rmtree(project.folder / "results/digits/checkpoints")
    project.snakemake(path, "--config", 'jobs={"group": "apart"}', "--rerun-triggers", "mtime", "--cores", "1")
    assert (project.folder / path).read_bytes() == before
