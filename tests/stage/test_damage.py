"""Damaged files of every kind: the job that reads one names it, in one line, and nothing else is harmed."""

from pathlib import Path

import pipeline
import pytest
from pipeline import FEW
from test_errors import error_of

READERS = {
    "theta0.safetensors": ("train", lambda results: pipeline.train(results, 1)),
    "dense.safetensors": ("combine", pipeline.combine),
    "independent/full/round-1/weights.safetensors": (
        "prune",
        lambda results: pipeline.prune(results, 1, "independent"),
    ),
    "independent/low/round-1/mask.safetensors": ("combine", pipeline.combine),
    "saliencies/snip.safetensors": ("combine", pipeline.combine),
    "tickets/round-1/core/mask.safetensors": ("train_ticket", lambda results: pipeline.train_ticket(results, FEW)),
    "tickets/round-1/core/weights.safetensors": ("represent", lambda results: pipeline.represent(results, FEW)),
    "data/source/dataset.json": ("train", lambda results: pipeline.train(results, 1)),
    "data/source/train-images.npy": ("train", lambda results: pipeline.train(results, 1)),
    "data/source/validation-labels.npy": ("train", lambda results: pipeline.train(results, 1)),
    "data/held-out/train-images.npy": ("transfer", lambda results: pipeline.transfer(results, FEW)),
    "data/source/test-labels.npy": ("evaluate", pipeline.evaluate_tickets),
    "transfer/core/linear.safetensors": ("evaluate", lambda results: pipeline.evaluate_transfer(results, FEW)),
    "representations/core.zarr/zarr.json": ("compare", lambda results: pipeline.compare(results, FEW)),
    "representations/core.zarr/blocks.0/zarr.json": ("compare", lambda results: pipeline.compare(results, FEW)),
    "representations/core.zarr/blocks.0/activations/c/0/0": (
        "compare",
        lambda results: pipeline.compare(results, FEW),
    ),
    "geometry/distances.csv": ("cluster", pipeline.cluster),
    "assembly/fitted.safetensors": ("evaluate_assemblies", pipeline.evaluate_assemblies),
}


def damaged(content: bytes, damage: str) -> bytes:
    """The content cut off, or with one bit flipped at a place between 0 and 1."""
    if damage == "empty":
        return b""
    if damage == "truncated":
        return content[: len(content) // 2]
    place = min(int(float(damage) * len(content)), len(content) - 1)
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


@pytest.mark.parametrize("damage", ["empty", "truncated", "0", "0.03", "0.3", "0.5", "0.99"])
@pytest.mark.parametrize("file", READERS)
def test_a_damaged_file_is_named(results: Path, capsys: pytest.CaptureFixture[str], file: str, damage: str) -> None:
    stage, job = READERS[file]
    (results / file).write_bytes(damaged((results / file).read_bytes(), damage))
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    said = error_of(stage, job(results), capsys)
    named = Path(file.partition(".zarr")[0] + ".zarr" if ".zarr" in file else file).name
    assert named in said
    assert "run again" in said
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("damage", ["empty", "truncated", "0", "0.3", "0.99"])
def test_a_damaged_checkpoint_is_set_aside_and_the_work_done_anew(results: Path, finished: Path, damage: str) -> None:
    weights = results / "independent/full/round-1/weights.safetensors"
    kept = results / "checkpoints/train-1/independent.full.safetensors"
    pipeline.run("train", pipeline.train(results, 1))
    kept.write_bytes(damaged(kept.read_bytes(), damage))  # and so the weights, which are the same file
    weights.unlink()
    said = pipeline.run("train", pipeline.train(results, 1))
    assert f"set aside as {kept.with_suffix('.damaged')}, starting over" in said
    assert weights.read_bytes() == (finished / weights.relative_to(results)).read_bytes()
