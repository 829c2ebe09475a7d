"""Facts about a look at a folder of images that nothing is known of: splits, classes, groups and sizes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dilt.sources.survey import HERE, look_at


def images(
    folder: Path, number: int, size: tuple[int, int] = (20, 10), name: str = "{}.png", turned: bool = False
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(number):
        exif = Image.Exif()
        exif[0x0112] = 6 if turned else 1  # a quarter turn
        Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(folder / name.format(place), exif=exif)


def test_classes_right_below_the_folder(tmp_path: Path) -> None:
    for name, number in {"c10": 3, "c2": 5}.items():
        images(tmp_path / name, number)
    (tmp_path / ".cache").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    found = look_at(tmp_path)
    assert (found.train_split, found.test_split, found.class_depth) == (HERE, None, 1)
    assert list(found.classes.items()) == [("c2", 5), ("c10", 3)], "in natural order"
    assert (found.images, found.short_side, found.elongation, found.groups) == (8, 10, 2.0, None)


def test_splits_by_their_usual_names(tmp_path: Path) -> None:
    for split, number in {"Train": 4, "val": 2, "test": 3}.items():
        for name in "ab":
            images(tmp_path / split / name, number)
    found = look_at(tmp_path)
    assert (found.train_split, found.test_split, found.test_images) == ("Train", "test", 6)


def test_a_test_split_without_all_classes_is_none(tmp_path: Path) -> None:
    for name in "ab":
        images(tmp_path / "train" / name, 4)
    images(tmp_path / "test", 4)
    images(tmp_path / "val/a", 4)
    found = look_at(tmp_path)
    assert (found.train_split, found.test_split) == ("train", None)
    images(tmp_path / "val/b", 1)
    assert look_at(tmp_path).test_split is None, "the first that is there is test, which has no labels"
    (tmp_path / "test").rename(tmp_path / "unlabelled")
    assert look_at(tmp_path).test_split == "val"


def test_two_folders_name_a_class_where_images_lie_so_deep(tmp_path: Path) -> None:
    for name in ("greek/alpha", "greek/beta", "latin/a"):
        images(tmp_path / name, 2)
    images(tmp_path / "latin", 1)
    found = look_at(tmp_path)
    assert (found.class_depth, list(found.classes)) == (2, ["greek/alpha", "greek/beta", "latin/a"])


@pytest.mark.parametrize(
    "name",
    [
        "{}.png",
        "cat_{}.png",  # a name, not a group
        "{label}0144_{}.png",  # one group for a class
        "{label}{0}_{0}.png",  # groups of one image
    ],
)
def test_names_that_show_no_groups(tmp_path: Path, name: str) -> None:
    for label in "ab":
        images(tmp_path / label, 12, name=name.replace("{label}", label))
    assert look_at(tmp_path).groups is None


def test_names_that_show_groups(tmp_path: Path) -> None:
    for label in "ab":
        for patient in range(4):
            images(tmp_path / label, 3, name=f"patient{patient + 4 * (label == 'b')}_{{}}.png")
    assert look_at(tmp_path).groups == 3.0


def test_sizes_are_those_of_images_the_right_way_up(tmp_path: Path) -> None:
    images(tmp_path / "a", 3, (20, 10), "{}.jpg", turned=True)
    images(tmp_path / "b", 2, (30, 40))
    (tmp_path / "b/broken.png").write_bytes(b"no image")
    found = look_at(tmp_path)
    assert sorted(found.sizes) == [(10, 20)] * 3 + [(30, 40)] * 2
    assert [file.name for file in found.unreadable] == ["broken.png"]


def test_a_large_folder_is_read_in_samples_of_all_classes(tmp_path: Path) -> None:
    for name, side in (("a", 8), ("b", 16)):
        images(tmp_path / name, 450, (side, side))
    found = look_at(tmp_path)
    assert 200 < len(found.sizes) <= 400
    assert {*found.sizes} == {(8, 8), (16, 16)}


def empty(folder: Path) -> None:
    (folder / "a").mkdir()


def flat(folder: Path) -> None:
    images(folder, 2)


def lone(folder: Path) -> None:
    images(folder / "a", 2)


def broken(folder: Path) -> None:
    for name in "ab":
        images(folder / name, 0)
        (folder / name / "x.png").write_bytes(b"no image")


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (empty, "no images in 3 levels of folders; there is a"),
        (flat, "its images lie in no class folder; put those of each class into a folder of its own"),
        (lone, "1 folder\\(s\\) with images; a classifier needs two classes or more"),
        (broken, "x.png: cannot be read as an image, nor can 1 more"),
        (Path.rmdir, "no such folder; give the folder that has a folder of images for each class"),
    ],
)
def test_a_folder_that_cannot_be_a_data_set_is_told_in_a_line(tmp_path: Path, make: object, line: str) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    make(folder)  # type: ignore[operator]
    with pytest.raises(ValueError, match=line) as told:
        look_at(folder)
    assert str(told.value).startswith(str(folder))
