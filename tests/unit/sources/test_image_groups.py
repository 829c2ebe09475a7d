"""Folders of images whose classes lie deeper, or which are in groups: folders and tar files alike."""

import tarfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import pixels_of, prepared
from PIL import Image

from dilt.configuration import data_checks
from dilt.data.preparation import prepare
from dilt.settings.data import DataSet, Source, TablePartitions
from dilt.settings.geometry import Representations
from dilt.sources import data_catalog
from dilt.sources.streams import Streamed

ALPHABETS = {"Greek": ("character2", "character10"), "Latin": ("character1", "character2", "character10")}
DEEP = tuple(f"{alphabet}/{name}" for alphabet, names in ALPHABETS.items() for name in names)
PATIENTS = 6


def picture(file: Path, level: int, number: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (level, number, 0)).save(file)


def packed(root: Path) -> Path:
    with tarfile.open(root.with_suffix(".tar"), "w") as tar:
        tar.add(root, "any/where")
    return root.with_suffix(".tar")


def section(root: Path, kind: str, **values: Any) -> DataSet:
    place = root if kind == "folder" else packed(root / "train")
    return DataSet.model_validate({"name": "folder", "root": str(place)} | values)


@pytest.fixture
def alphabets(tmp_path: Path) -> Path:
    for level, name in enumerate(DEEP):
        for number in range(6):
            picture(tmp_path / f"root/train/{name}/{number}.png", 40 * level, number)
    return tmp_path / "root"


@pytest.mark.parametrize("storage", ["decoded", "streamed"])
@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_classes_lie_two_folders_deep(tmp_path: Path, alphabets: Path, kind: str, storage: str) -> None:
    data = section(alphabets, kind, class_depth=2, storage=storage)
    if kind == "folder":
        assert list(data_checks.data_sets(data, {})) == []  # type: ignore[arg-type]
        assert data_catalog.known_classes(data) == dict.fromkeys(sorted(DEEP), 6)
    splits = prepared(tmp_path / "made", data)
    assert splits["train"].classes == DEEP  # in natural order
    for part in splits.values():
        assert np.array_equal(pixels_of(part)[:, 0, 0, 0], 40 * part.labels)
        assert np.bincount(part.labels).min() > 0


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_a_row_of_a_class_table_can_stand_for_a_folder_of_classes(tmp_path: Path, alphabets: Path, kind: str) -> None:
    table = tmp_path / "classes.csv"
    table.write_text("class,group\nGreek,old\nLatin,new\nLatin/character10,old\n")
    _, partitions = prepare(section(alphabets, kind, class_depth=2), TablePartitions(by="table", table=str(table)))
    assert partitions == {"old": [*DEEP[:2], DEEP[4]], "new": list(DEEP[2:4])}
    table.write_text("class,group\nGreek,old\nLatvian,new\n")
    with pytest.raises(
        ValueError, match=r"class 'Latvian' of the class table is not in the data; .*; class 'Latin/char"
    ):
        prepare(section(alphabets, kind, class_depth=2), TablePartitions(by="table", table=str(table)))


def grouped(root: Path, where: str, split: str = "train", patients: Sequence[int] = range(PATIENTS)) -> None:
    """Images of two classes and some patients, who have unlike many of both."""
    for level, name in enumerate(("ill", "well")):
        for patient in patients:
            for number in range(1 + (patient + level) % 4):
                file = {
                    "name": f"{name}/p{patient}_{number}.png",
                    "below": f"{name}/p{patient}/{number}.png",
                    "above": f"p{patient}/{name}/{number}.png",
                }[where]
                picture(root / split / file, 100 * level, 20 * patient + number)


def patients_of(part: Any) -> set[int]:
    return set((pixels_of(part)[:, 1, 0, 0] // 20).tolist())


@pytest.mark.parametrize("kind", ["folder", "tar"])
@pytest.mark.parametrize("by", ["pattern", "below", "above", "file names", "stems", "paths"])
def test_groups_stay_on_one_side(tmp_path: Path, by: str, kind: str) -> None:
    root = tmp_path / "root"
    grouped(root, by if by in ("below", "above") else "name")
    rows = [(file, file.stem.partition("_")[0]) for file in sorted(root.rglob("*.png"))]
    said = {"file names": lambda file: file.name, "stems": lambda file: file.stem}
    write = said.get(by, lambda file: str(file.relative_to(root / "train")))
    (tmp_path / "groups.csv").write_text("image,group\n" + "".join(f"{write(file)},{group}\n" for file, group in rows))
    choice = {
        "pattern": {"by": "pattern", "pattern": r"/(p\d+)_"},
        "below": {"by": "folder"},
        "above": {"by": "folder", "folder": "above"},
    }.get(by, {"by": "table", "table": str(tmp_path / "groups.csv")})
    data = section(root, kind, groups=choice)
    splits = prepared(tmp_path / "made", data)
    assert splits["train"].classes == ("ill", "well")
    seen = [patients_of(part) for part in splits.values()]
    assert sum(map(len, seen)) == PATIENTS
    assert set().union(*seen) == set(range(PATIENTS))
    assert sum(map(len, splits.values())) == len(rows)
    for part in splits.values():
        assert np.array_equal(pixels_of(part)[:, 0, 0, 0], 100 * part.labels)
        assert set(part.labels) == {0, 1}
    if kind == "folder":
        assert list(data_checks.data_sets(data, {})) == []  # type: ignore[arg-type]
        told = data_checks._split_in_groups(data)
        found = {
            split: dict(zip(part.classes, np.bincount(part.labels).tolist(), strict=True))
            for split, part in splits.items()
        }
        assert told == found  # before any image is opened


def test_a_test_split_of_its_own_has_groups_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "root"
    grouped(root, "name")
    grouped(root, "name", "test", [10, 11])
    data = section(root, "folder", test_split="test", groups={"by": "pattern", "pattern": r"/(p\d+)_"})
    splits = prepared(tmp_path / "made", data)
    assert patients_of(splits["test"]) == {10, 11}
    assert not patients_of(splits["train"]) & patients_of(splits["validation"])
    grouped(root, "name", "test", [3])
    with pytest.raises(
        ValueError, match=r"groups: 'p3' is in 'train' \('train/well/p3_0.png'\) and in 'test' \('test/"
    ):
        prepare(data, None)


def test_groups_of_another_class_need_not_be_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    grouped(root, "name")
    picture(root / "train/unsure/new.png", 0, 0)
    data = section(root, "folder", classes=["well", "ill"], groups={"by": "pattern", "pattern": r"/(p\d+)_"})
    assert list(data_checks.data_sets(data, {})) == []  # type: ignore[arg-type]
    assert prepare(data, None)[0]["train"].classes == ("well", "ill")


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_a_limit_of_images_leaves_the_test_images(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "root"
    for number in range(80):
        picture(root / f"train/{('ant', 'bee')[number % 2]}/{number}.png", 0, number)
    whole, few = (
        prepared(tmp_path / str(limit), section(root, kind, test_share=0.25, images_per_class=limit))
        for limit in (None, 10)
    )
    assert {split: np.bincount(part.labels).tolist() for split, part in few.items()} == {
        "train": [8, 8],
        "validation": [2, 2],
        "test": [10, 10],
    }
    seen: dict[str, list[set[int]]] = defaultdict(list)
    for splits in (few, whole):
        for split, part in splits.items():
            seen[split].append(set(pixels_of(part)[:, 1, 0, 0].tolist()))
    assert all(some <= everything for some, everything in seen.values())
    assert seen["test"][0] == seen["test"][1]


def test_probes_are_validation_images_of_whole_groups(tmp_path: Path) -> None:
    root = tmp_path / "root"
    grouped(root, "name")
    values: dict[str, Any] = {"partitions": {"by": "contiguous"}, "groups": {"by": "pattern", "pattern": r"/(p\d+)_"}}

    source = Source.model_validate({"name": "folder", "root": str(root)} | values)
    validation = prepare(source, None)[0]["validation"]
    assert isinstance(validation.pixels, Streamed)
    fewest = int(np.bincount(validation.labels).min())
    told = list(data_checks.probes(source, Representations(probes=100)))
    assert len(told) == 1
    assert told[0].endswith(f"as few as {fewest} validation images each; ask for at most {2 * fewest}")
