"""Facts about data sets: splits are disjoint, exhaustive and fixed; damage is told; folders load through timm."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import images
from PIL import Image

from dilt import datasets, loading
from dilt.datasets import Images, balanced_indices, prepare, read_partitions, read_split, write_splits
from dilt.settings import DataSet, ListedPartitions

PARTITIONS = ListedPartitions(by="classes", classes={"low": ["0", "1"], "high": ["2", "3"]})


def multiset(data: Images) -> list[bytes]:
    return sorted(bytes([label]) + pixels.tobytes() for label, pixels in zip(data.labels, data.pixels, strict=True))


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
    for split in datasets.SPLITS:
        assert multiset(few[split]) == multiset(many[split].restrict(["3", "1"]))
        assert multiset(many[split]) != multiset(other_seed[split])


def test_mean_and_deviation_are_those_of_the_training_images() -> None:
    splits, _ = prepare(DataSet(name="digits"), None)
    train = splits["train"].pixels / 255
    for part in splits.values():
        assert part.mean == pytest.approx((train.mean(),))
        assert part.std == pytest.approx((train.std(),))


def test_restricting_relabels_by_place() -> None:
    restricted = images().restrict(["class 2", "class 0"])
    assert restricted.classes == ("class 2", "class 0")
    assert restricted.labels.tolist() == [1] * 12 + [0] * 12
    assert np.array_equal(restricted.pixels[restricted.labels == 0], images().pixels[images().labels == 2])


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


def written(folder: Path) -> tuple[Path, dict[str, Images]]:
    splits, partitions = prepare(DataSet(name="digits", classes=["0", "1", "2", "3"]), PARTITIONS)
    write_splits(folder / "dataset.json", splits, partitions, "digits")
    return folder / "dataset.json", splits


def test_a_prepared_split_comes_back(tmp_path: Path) -> None:
    dataset, splits = written(tmp_path)
    for split, expected in splits.items():
        found = read_split(dataset, split)
        assert multiset(found) == multiset(expected)
        assert (found.classes, found.mean, found.std) == (expected.classes, expected.mean, expected.std)
    assert read_partitions(dataset) == PARTITIONS.classes
    assert len(list(tmp_path.glob("*.npy"))) == 6


@pytest.mark.parametrize("damage", ["shorter", "flipped", "pickled"])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_damaged_array_is_named(tmp_path: Path, kind: str, damage: str) -> None:
    dataset, _ = written(tmp_path)
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
    data = DataSet(name="folder", root=str(tmp_path), test_split="test", validation_share=0.25)
    splits, _ = prepare(data.model_copy(update={"image_size": 4}), None)
    assert splits["train"].classes == ("cat", "dog")
    assert {split: part.pixels.shape for split, part in splits.items()} == {
        "train": (12, 3, 4, 4),
        "validation": (4, 3, 4, 4),
        "test": (4, 3, 4, 4),
    }
    for split, part in splits.items():
        assert np.array_equal(part.pixels[:, 0, 0, 0], 100 * part.labels)
        assert np.all((part.pixels[:, 2] >= 200) == (split == "test"))


def test_images_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    image_folder(tmp_path, sizes=(6, 8))
    with pytest.raises(ValueError, match=r"image_size: images of .* differ in size"):
        prepare(DataSet(name="folder", root=str(tmp_path)), None)
