"""Same seed, same files."""

import shutil


def test_the_same_seed_gives_the_same_files(clean, finished, tmp_path):
    again = clean.copy(tmp_path / "again")
    again.snakemake("--cores", "2")
    first, second = finished.results(), again.results()
    assert first.keys() == second.keys()
    assert [path for path in first if first[path] != second[path]] == []


def test_siblings_apart_or_together_give_the_same_files(project, tmp_path):
    path = "results/digits/seed-0/cyclic/low/round-2/weights.safetensors"
    before = (project.folder / path).read_bytes()
    (project.folder / path).unlink()
    shutil.rmtree(project.folder / "results/digits/checkpoints")
    project.snakemake(path, "--config", 'jobs={"group": "apart"}', "--rerun-triggers", "mtime", "--cores", "1")
    assert (project.folder / path).read_bytes() == before
