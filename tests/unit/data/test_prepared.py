"""Facts about data sets: splits are disjoint, exhaustive and fixed; choosing copies nothing; damage is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import images, pixels_of, prepared
from PIL import Image

from dilt.data import preparation
from dilt.data.preparation import prepare
from dilt.data.prepared import SPLITS, Images, balanced_indices, read_partitions, read_split
from dilt.foundations.storage import read_json
from dilt.settings.data import DataSet, ListedPartitions
from dilt.sources import loading
from dilt.sources.decoding import Form

PARTITIONS = ListedPartitions(by="classes", classes={"low": ["0", "1"], "high": ["2", "3"]})


def multiset(data: Images) -> list[bytes]:
    return sorted(bytes([label]) + pixels.tobytes() for label, pixels in zip(data.labels, pixels_of(data), strict=True))


def test_splits_are_disjoint_exhaustive_and_stratified() -> None:
    everything, _ = loading._load_digits()
    pixels, labels = everything["all"]
    splits, _ = prepare(DataSet(name="digits", test_share=0.3, validation_share=0.2), None)
    whole = replace(splits["train"], pixels=pixels, labels=labels)
    assert sorted(image for part in splits.values() for image in multiset(part)) == multiset(whole)
    for label, count in enumerate(np.bincount(labels)):
        num_test = round(0.3 * count)
        found = {split: int((part.labels == label).sum()) for split, part in splits.items()}
        assert (found["test"], found["validation"]) == (num_test, round(0.2 * (count - num_test)))


def test_what_is_held_out_of_a_class_does_not_depend_on_the_other_classes() -> None:
    few, _ = prepare(DataSet(name="digits", classes=["3", "1"]), None)
    many, _ = prepare(DataSet(name="digits"), None)
    other_seed, _ = prepare(DataSet(name="digits", split_seed=1), None)
    for split in SPLITS:
        assert multiset(few[split]) == multiset(many[split].restrict(["3", "1"]))
        assert multiset(many[split]) != multiset(other_seed[split])


def test_mean_and_deviation_are_those_of_the_training_images(tmp_path: Path) -> None:
    splits = prepared(tmp_path, DataSet(name="digits"))
    train = pixels_of(splits["train"]) / 255
    for part in splits.values():
        assert part.mean == pytest.approx((train.mean(),), rel=1e-12)
        assert part.std == pytest.approx((train.std(),), rel=1e-12)


def test_of_many_images_a_fixed_sample_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "MEASURED", 300)
    monkeypatch.setattr(preparation, "CHUNK_BYTES", 64 * 100)
    train, again = (prepared(tmp_path / name, DataSet(name="digits"))["train"] for name in ("one", "two"))
    wanted = preparation._Levels(len(train), 1).wanted
    assert len(set(wanted)) == 300 < len(train)
    assert train.mean == again.mean == pytest.approx(((train.pixels[wanted] / 255).mean(),), rel=1e-12)
    assert read_json(tmp_path / "one/dataset.json")["measured"] == 300


def test_restricting_relabels_by_place() -> None:
    restricted = images().restrict(["class 2", "class 0"])
    assert restricted.classes == ("class 2", "class 0")
    assert restricted.labels.tolist() == [1] * 12 + [0] * 12
    assert np.array_equal(restricted.pixels[restricted.labels == 0], images().pixels[images().labels == 2])


def test_choosing_images_copies_none() -> None:
    data = images()
    chosen = data.restrict(["class 2", "class 0"]).take(np.array([14, 3])).take(np.array([1, 0]))
    assert np.array_equal(pixels_of(chosen), data.pixels[[3, 26]])
    assert chosen.labels.tolist() == [1, 0]
    data.pixels[:] = 7
    assert np.all(pixels_of(chosen) == 7)


def test_probes_are_balanced() -> None:
    labels = np.array([0, 1, 2] * 10)
    chosen = balanced_indices(labels, 3, 14)
    assert np.bincount(labels[chosen]).tolist() == [5, 5, 4]
    assert len(set(chosen)) == 14
    with pytest.raises(ValueError, match="33 probes need 11 validation images of every class, class number 0 has 10"):
        balanced_indices(labels, 3, 33)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (DataSet(name="digits", classes=["1", "ten"]), "classes: 'ten' is not a class of digits"),
        (DataSet(name="digits", test_share=0.99, validation_share=0.9), "too few to hold out"),
    ],
)
def test_data_that_cannot_be_split_are_explained(data: DataSet, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        prepare(data, None)


def test_a_prepared_split_comes_back(tmp_path: Path) -> None:
    data = DataSet(name="digits", classes=["0", "1", "2", "3"])
    found, (expected, _) = prepared(tmp_path, data, PARTITIONS), prepare(data, PARTITIONS)
    for split in SPLITS:
        assert multiset(found[split]) == multiset(expected[split])
        assert found[split].classes == expected[split].classes
    assert read_partitions(tmp_path / "dataset.json") == PARTITIONS.classes
    assert len(list(tmp_path.glob("*.npy"))) == 6


@pytest.mark.parametrize("damage", ["shorter", "flipped", "pickled"])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_damaged_array_is_named(tmp_path: Path, kind: str, damage: str) -> None:
    prepared(tmp_path, DataSet(name="digits"))
    dataset = tmp_path / "dataset.json"
    file = tmp_path / f"validation-{kind}.npy"
    content = file.read_bytes()
    if damage == "pickled":
        np.save(file, np.array([object()]), allow_pickle=True)
    else:
        file.write_bytes(content[:-9] if damage == "shorter" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=rf"validation-{kind}\.npy: "):
        read_split(dataset, "validation")
    assert len(read_split(dataset, "train")) > 0


def image_folder(root: Path, sizes: tuple[int, ...] = (6, 6)) -> None:
    for split, number in (("train", 8), ("test", 2)):
        for label, name in enumerate(["cat", "dog"]):
            (root / split / name).mkdir(parents=True)
            for index in range(number):
                colour = (100 * label, 10 * index, index + 200 * (split == "test"))
                Image.new("RGB", (sizes[label], sizes[label]), colour).save(root / split / name / f"{index}.png")


def test_a_folder_of_images_loads_through_timm(tmp_path: Path) -> None:
    image_folder(tmp_path)
    data = DataSet(name="folder", root=str(tmp_path), test_split="test", validation_share=0.25, image_size=4)
    splits = prepared(tmp_path / "prepared", data)
    assert splits["train"].classes == ("cat", "dog")
    assert {split: part.pixels.shape for split, part in splits.items()} == {
        "train": (12, 3, 4, 4),
        "validation": (4, 3, 4, 4),
        "test": (4, 3, 4, 4),
    }
    for split, part in splits.items():
        pixels = pixels_of(part)
        assert np.array_equal(pixels[:, 0, 0, 0], 100 * part.labels)
        assert np.all((pixels[:, 2] >= 200) == (split == "test"))


def test_images_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    image_folder(tmp_path, sizes=(6, 8))
    with pytest.raises(ValueError, match=r"image_size: images differ in size, .* is the first to"):
        prepared(tmp_path / "prepared", DataSet(name="folder", root=str(tmp_path)))


def test_images_are_squashed_or_cropped_to_a_square() -> None:
    wide = Image.fromarray(np.repeat(np.arange(12, dtype=np.uint8), 6).reshape(12, 6, 1).repeat(3, 2).swapaxes(0, 1))
    assert wide.size == (12, 6)
    squashed, cropped = (Form(6, resize).array(wide)[0, 0] for resize in ("squash", "crop"))
    assert cropped.tolist() == [3, 4, 5, 6, 7, 8]
    inner = Form(3, "crop", crop_share=0.5).array(wide)
    assert inner[0, 0].tolist() == [5, 6, 7]  # from 4.5 to 7.5, rounded
    assert squashed[0] < 2
    assert squashed[-1] > 9
