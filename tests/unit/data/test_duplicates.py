"""The same picture in two splits, under two labels or twice in a split is told in a line each, with an example."""

import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dilt.data import preparation
from dilt.data.preparation import prepare, write_splits
from dilt.foundations.storage import read_json
from dilt.settings.data import DataSet
from tests.conftest import ROOT

SUBSET = ROOT.parent / "shared/data"


def picture(file: Path, seed: int, **options: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(file, **options)


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """Two classes of eight training and two test images, all different."""
    for number in range(20):
        picture(
            tmp_path / f"birds/{'train' if number < 16 else 'test'}/{('ant', 'bee')[number % 2]}/{number}.png", number
        )
    return tmp_path / "birds"


def lines(folder: Path, root: Path, **values: Any) -> list[str]:
    data = DataSet.model_validate({"name": "folder", "root": str(root), "test_split": "test"} | values)
    splits, _ = prepare(data, None)
    return write_splits(folder / "dataset.json", splits, {}, data)


@pytest.mark.parametrize("storage", ["decoded", "streamed"])
def test_the_same_picture_is_told_in_a_line_for_each_kind(tmp_path: Path, birds: Path, storage: str) -> None:
    assert lines(tmp_path, birds, storage=storage) == []
    picture(birds / "test/ant/copy.png", 0)  # another file of the same picture: of train or validation
    picture(birds / "test/bee/other.png", 2, compress_level=1)  # other bytes, other label
    picture(birds / "test/bee/again.png", 17)
    told = lines(tmp_path, birds, storage=storage, validation_share=0.01)  # one validation image of each class
    found = read_json(tmp_path / "dataset.json")["duplicates"]
    assert sum(found["splits"].values()) == 2
    assert set(found["splits"]) <= {"train and test", "validation and test"}
    assert (found["labels"], found["repeated"]) == (1, {"test": 1})
    assert found["seen"] == {"train": 14, "validation": 2, "test": 7}
    assert [line.partition(":")[0] for line in told] == [
        "pictures that are in two splits",
        "pictures that have two labels",
        "images that are another of their split again",
    ]
    sides = {one["image"]: one["split"] for one in found["examples"]["labels"]}
    one, other = f"'{birds}/train/ant/2.png'", f"'{birds}/test/bee/other.png'"
    assert told[1] == (f"pictures that have two labels: 1; such as {one} ({sides[one]}, ant) and {other} (test, bee)")
    assert told[2].endswith(
        f": 1 of test; such as '{birds}/test/bee/17.png' (test, bee) and '{birds}/test/bee/again.png' (test, bee)"
    )


def test_pictures_are_compared_as_networks_see_them(tmp_path: Path, birds: Path) -> None:
    """Two that differ in one pixel are the same once that cannot be seen any more."""
    large = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    large.save(birds / "train/ant/large.png")
    large.putpixel((0, 0), (255, 255, 255))
    large.save(birds / "test/ant/large.png")
    assert lines(tmp_path, birds, image_size=64) == []
    assert re.search(
        r"two splits: .* such as '.*/large.png' .* and '.*/large.png'", lines(tmp_path, birds, image_size=2)[0]
    )


def test_numbers_stand_for_images_without_files(tmp_path: Path) -> None:
    data = DataSet(name="digits")
    splits, _ = prepare(data, None)
    splits["test"].pixels._pixels[splits["test"].pixels._indices[3]] = splits["train"].pixels[np.array([5])][0]  # type: ignore[attr-defined]
    told = write_splits(tmp_path / "dataset.json", splits, {}, data)
    assert told[0].startswith("pictures that are in two splits: 1 of train and test; such as image ")


def test_of_many_streamed_images_some_are_looked_at(
    tmp_path: Path, birds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "MEASURED", 3)
    line = "looked for the same picture twice among 3 of 12 of train, 3 of 4 of validation, 3 of 4 of test images only"
    told = lines(tmp_path, birds, storage="streamed", validation_share=0.25)
    assert told == [f"{line}, as they are streamed"]
    assert lines(tmp_path, birds, storage="decoded") == []


@pytest.mark.skipif(not SUBSET.is_dir(), reason="../shared/data is not there")
def test_the_one_picture_that_tiny_imagenet_has_twice_is_found(tmp_path: Path) -> None:
    """Of the two classes that share it, of the subset of 40."""
    for split in ("train", "val"):
        with tarfile.open(SUBSET / f"tiny_imagenet_subset_{split}.tar") as tar:
            chosen = [one for one in tar.getmembers() if one.name.split("/")[1] in ("n01855672", "n02002724")]
            tar.extractall(tmp_path / "tiny", chosen, filter="data")
    told = lines(tmp_path, tmp_path / "tiny", test_split="val")
    assert len(told) == 2
    example = r"'.*/n01855672_44.JPEG' \((train|validation), n01855672\) and '.*/val_2157.JPEG' \(test, n02002724\)"
    for line in told:
        assert re.fullmatch(f"pictures that .*: 1.*; such as {example}", line)
