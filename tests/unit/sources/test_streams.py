"""Streamed images are the decoded ones, whoever decodes them: the choice changes no number."""

import math
import multiprocessing
import shutil
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from builders import images, pixels_of, prepared
from PIL import Image
from small_networks import CPU, checkpoints

from dilt.data.batches import Feed, in_order
from dilt.data.prepared import Images, read_split
from dilt.data.workers import WORKERS, Workers
from dilt.foundations import memory
from dilt.foundations.storage import digest
from dilt.networks import architectures, building, states
from dilt.settings.data import DataSet
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.sources import decoding
from dilt.sources.pixels import EVALUATION_BATCH, Mapped, evaluation_batch
from dilt.sources.streams import Streamed
from dilt.tickets.masks import Mask
from dilt.tickets.pruning import prune
from dilt.training.loop import Work
from dilt.training.session import train
from tests import archives

RESNET = Model(name="resnet18", arguments={"channels": [4, 4, 4, 4]}, stem="cifar")
TRAINING = Training(optimizer="sgd", epochs=2, batch_size=6, learning_rate=0.05, augmentation="crop-flip")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Noise images in class folders."""
    noise = np.random.default_rng(0)
    for split, number in (("train", 10), ("test", 3)):
        for name in archives.WNIDS:
            for index in range(number):
                file = tmp_path / "root" / split / name / f"{index}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(noise.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(file)
    return tmp_path / "root"


def section(root: Path, storage: str, **more: Any) -> DataSet:
    return DataSet(name="folder", root=str(root), image_size=16, storage=storage, **more)


def trained(folder: Path, splits: dict[str, Images], ranks: int = 1) -> tuple[str, Mask]:
    """The digest of a training's weights and history, and the mask that they are pruned to."""
    model = building.build(RESNET, (3, 16, 16), archives.WNIDS, seed=0)
    job = checkpoints(folder)
    work = Work(model, splits["train"], None, TRAINING, 0, "full")
    history = train(work, splits["validation"], [CPU] * ranks, job.of("full"))
    weights = states.state(model)
    dense = Mask.full({name: tuple(weight.shape) for name, weight in architectures.prunable(model).items()})
    return digest(weights, str(history)), prune(weights, dense, 0.5, "global")


@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_a_training_gives_the_same_masks_from_decoded_and_from_streamed_images(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, resize: str
) -> None:
    decoded = prepared(tmp_path / "decoded", section(folder, "decoded", test_split="test", resize=resize))
    streamed = prepared(tmp_path / "streamed", section(folder, "streamed", test_split="test", resize=resize))
    assert isinstance(streamed["train"].pixels, Streamed)
    assert isinstance(decoded["train"].pixels, Mapped)
    weights, mask = trained(tmp_path / "in-memory", decoded)
    for processes in ("0", "2"):
        monkeypatch.setenv(WORKERS, processes)
        assert trained(tmp_path / processes, streamed) == (weights, mask)


def test_two_ranks_stream_too(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, "1")
    decoded, streamed = (prepared(tmp_path / way, section(folder, way)) for way in ("decoded", "streamed"))
    expected = trained(tmp_path / "in-memory", decoded, ranks=2)
    assert trained(tmp_path / "from-files", streamed, ranks=2) == expected


def test_pixels_in_a_file_are_not_copied_to_another_process(tmp_path: Path, folder: Path) -> None:
    train = prepared(tmp_path / "made", section(folder, "decoded"))["train"]
    chosen = train.restrict(archives.WNIDS[:3])
    here, there = multiprocessing.Pipe()
    with ThreadPoolExecutor(1) as sender:
        sender.submit(lambda: [here.send(chosen), here.send(chosen)])
        sent, received = there.recv_bytes(), there.recv()
    assert len(sent) < math.prod(train.pixels.shape)
    assert np.array_equal(pixels_of(received), pixels_of(chosen))


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_streamed_splits_are_the_decoded_ones(tmp_path: Path, folder: Path, kind: str) -> None:
    if kind == "tar":
        folder = packed(folder / "train")
    decoded, streamed = (prepared(tmp_path / way, section(folder, way)) for way in ("decoded", "streamed"))
    for split, part in streamed.items():
        assert np.array_equal(pixels_of(part), pixels_of(decoded[split]))
        assert np.array_equal(part.labels, decoded[split].labels)
        assert (part.mean, part.std) == (decoded[split].mean, decoded[split].std)
        assert part.image_shape == (3, 16, 16)


def packed(split: Path) -> Path:
    with tarfile.open(split.with_suffix(".tar"), "w") as tar:
        tar.add(split, "")
    return split.with_suffix(".tar")


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_workers_give_the_batches_asked_for_in_their_order(tmp_path: Path, folder: Path, kind: str) -> None:
    root = folder if kind == "folder" else packed(folder / "train")
    pixels = prepared(tmp_path / "made", section(root, "streamed"))["train"].pixels
    everything, workers = pixels[np.arange(len(pixels))], Workers(pixels, 2)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(pixels))
        asked = np.split(order[:20], 10)
        for batch, indices in zip(workers.batches(asked), asked, strict=True):
            assert np.array_equal(batch.numpy(), everything[indices])
        assert np.array_equal(next(workers.batches(asked[::-1])).numpy(), everything[asked[-1]])


def test_workers_live_as_long_as_the_feed(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKERS, "2")
    feed = Feed(prepared(tmp_path / "made", section(folder, "streamed"))["train"], CPU)
    seen = []
    for _ in range(2):
        batches = feed.batches([np.arange(4), np.arange(4)])
        next(batches)
        seen.append({child.pid for child in active_children()})
        list(batches)
    assert len(seen[0]) == 2
    assert seen[0] == seen[1]
    del feed, batches
    assert not {child.pid for child in active_children()} & seen[0]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_file_that_breaks_in_the_middle_of_a_training_is_named(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    monkeypatch.setenv(WORKERS, processes)
    splits = prepared(tmp_path / "made", section(folder, "streamed", test_split="test"))
    for file in (folder / "train" / archives.WNIDS[1]).iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"^root: '.*/n01770393/\d\.png' is not a readable image; [^\n]*$"):
        trained(tmp_path / "training", splits)
    shutil.rmtree(folder / "train" / archives.WNIDS[1])
    with pytest.raises(ValueError, match=r"^root: '.*/n01770393/\d\.png' cannot be read \(No such file[^\n]*$"):
        trained(tmp_path / "training", splits)


def test_a_worker_that_is_killed_is_told_in_one_line(tmp_path: Path, folder: Path) -> None:
    pixels = prepared(tmp_path / "made", section(folder, "streamed"))["train"].pixels
    batches = Workers(pixels, 1).batches([np.arange(4)] * 50)
    next(batches)
    for child in active_children():
        child.kill()
    with pytest.raises(ValueError, match=r"^a process that decodes images ended \([^\n]*\); lower jobs\.workers"):
        list(batches)


def test_choosing_streamed_images_decodes_none(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(tmp_path / "made", section(folder, "streamed"))

    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(decoding, "read", decode)
    train = read_split(tmp_path / "made/dataset.json", "train")
    chosen = train.restrict(archives.WNIDS[1:3]).take(np.arange(3))
    assert (len(chosen), chosen.image_shape) == (3, (3, 16, 16))
    with pytest.raises(AssertionError, match="decoded"):
        pixels_of(chosen)


@pytest.mark.parametrize(("share", "streamed"), [("0.9", False), ("0.000001", True)])
def test_what_takes_more_than_its_share_of_the_memory_is_streamed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, share: str, streamed: bool
) -> None:
    monkeypatch.setattr(memory, "memory_bytes", lambda: 10**9)
    monkeypatch.setenv("DILT_MEMORY_SHARE", share)
    assert isinstance(prepared(tmp_path / "auto", section(folder, "auto"))["train"].pixels, Streamed) == streamed
    assert isinstance(prepared(tmp_path / "told", section(folder, "streamed"))["train"].pixels, Streamed)
    assert not isinstance(prepared(tmp_path / "digits", DataSet(name="digits"))["train"].pixels, Streamed)


def test_memory_is_what_the_tightest_control_group_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    total = psutil.virtual_memory().total
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "membership")
    assert memory.memory_bytes() == total
    (tmp_path / "membership").write_text("0::/slurm/job_1/step_0\n")
    (tmp_path / "slurm/job_1/step_0").mkdir(parents=True)
    (tmp_path / "slurm/job_1/step_0/memory.max").write_text("max\n")
    assert memory.memory_bytes() == total
    (tmp_path / "slurm/job_1/memory.max").write_text("5000000\n")
    (tmp_path / "memory.max").write_text("7000000\n")
    assert memory.memory_bytes() == 5_000_000


def test_a_tar_file_that_has_changed_is_told(tmp_path: Path, folder: Path) -> None:
    tar = packed(folder / "train")
    prepared(tmp_path / "made", section(tar, "streamed"))
    (folder / "train" / archives.WNIDS[0] / "9.png").unlink()
    packed(folder / "train")
    with pytest.raises(ValueError, match=r"train\.tar' has other images than when it was prepared"):
        pixels_of(read_split(tmp_path / "made/dataset.json", "train"))


def batch_sizes(side: int) -> Iterator[int]:
    return (len(batch) for batch in in_order(images(per_class=400, side=side), CPU))


def test_large_images_are_evaluated_in_smaller_batches() -> None:
    assert list(batch_sizes(4)) == [EVALUATION_BATCH, 1200 - EVALUATION_BATCH]
    assert max(batch_sizes(48)) == EVALUATION_BATCH // 4
    assert evaluation_batch((3, 128, 128), on_gpu=True) == EVALUATION_BATCH // 4
    assert evaluation_batch((3, 5000, 5000), on_gpu=False) == 1
