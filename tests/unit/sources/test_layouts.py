"""Data sets load as their archives unpack: every image gets its class and its split, and what is missing is named."""

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import pixels_of, prepared

from dilt.data.preparation import prepare
from dilt.data.prepared import Images
from dilt.settings.data import DataSet, TablePartitions
from dilt.sources import checks, data_catalog
from tests import archives
from tests.archives import CARS, LEVEL, WNIDS

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGENET = {"name": "imagenet", "test_split": "val", "image_size": 32}
TINY = {"name": "tiny-imagenet", "test_split": "val"}
STANFORD = {"name": "stanford-cars", "test_split": "test", "image_size": 32}
LAYOUTS: dict[str, tuple[Callable[[Path], None], dict[str, Any], tuple[str, ...], list[int]]] = {
    "imagenet in class folders": (archives.imagenet_folders, IMAGENET, WNIDS, [0, 1, 2, 3]),
    "imagenet of Kaggle": (archives.imagenet_kaggle, IMAGENET, WNIDS, [2, 0, 3, 1, 0]),
    "imagenet with devkit": (archives.imagenet_devkit, IMAGENET, WNIDS, [2, 0, 3, 1, 0]),
    "tiny-imagenet": (archives.tiny_imagenet, TINY, WNIDS, [3, 2, 1, 0]),
    "stanford-cars": (archives.stanford_cars, STANFORD, CARS, [0, 1, 2]),
}


def assert_labelled(splits: dict[str, Images], level: int = LEVEL) -> None:
    """Every image is of the colour of its class and split."""
    for split, part in splits.items():
        red, _, blue = pixels_of(part)[:, :, 16, 16].T.astype(int)
        assert np.array_equal(np.rint(red / level), part.labels)
        assert np.array_equal(blue > 100, np.full(len(part), split != "test"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("storage", ["decoded", "streamed"])
def test_a_standard_layout_loads_as_it_is(tmp_path: Path, layout: str, storage: str) -> None:
    make, values, classes, test_labels = LAYOUTS[layout]
    make(tmp_path / "root")
    splits = prepared(tmp_path / "made", DataSet(root=str(tmp_path / "root"), storage=storage, **values))
    assert splits["train"].classes == classes
    assert {split: np.bincount(part.labels).tolist() for split, part in splits.items()} == {
        "train": [5] * len(classes),
        "validation": [1] * len(classes),
        "test": np.bincount(test_labels).tolist(),
    }
    assert splits["test"].labels.tolist() == test_labels
    assert_labelled(splits)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_known_before_loading_is_what_is_found(tmp_path: Path, layout: str) -> None:
    make, values, classes, _ = LAYOUTS[layout]
    make(tmp_path)
    data = DataSet(root=str(tmp_path), **values)
    assert list(checks.findings(data)) == []
    known = data_catalog.known_classes(data)
    assert known is not None
    assert tuple(known) == classes
    assert set(known.values()) == {0 if data.name == "imagenet" else 6}
    side = 64 if data.name == "tiny-imagenet" else 32
    assert data_catalog.known_shape(data) == (3, side, side)


@pytest.mark.parametrize(
    ("layout", "gone"),
    [
        ("imagenet in class folders", "train"),
        ("imagenet in class folders", "val"),
        ("imagenet of Kaggle", "LOC_val_solution.csv"),
        ("imagenet with devkit", "ILSVRC2012_devkit_t12/data/meta.mat"),
        ("imagenet with devkit", "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"),
        ("tiny-imagenet", "tiny-imagenet-200/wnids.txt"),
        ("tiny-imagenet", "tiny-imagenet-200/val/val_annotations.txt"),
        ("tiny-imagenet", "tiny-imagenet-200/val/images"),
        ("stanford-cars", "devkit/cars_meta.mat"),
        ("stanford-cars", "devkit/cars_train_annos.mat"),
        ("stanford-cars", "cars_test_annos_withlabels.mat"),
        ("stanford-cars", "cars_test"),
    ],
)
def test_the_missing_file_is_named(tmp_path: Path, layout: str, gone: str) -> None:
    make, values, _, _ = LAYOUTS[layout]
    make(tmp_path)
    (tmp_path / gone).rename(tmp_path / "elsewhere")
    data = DataSet(root=str(tmp_path), **values)
    line = f"root: no '{tmp_path / gone}', which {data.name} has; unpack it again, or give another root"
    assert list(checks.findings(data)) == [line]
    with pytest.raises(ValueError, match=re.escape(line)):
        prepare(data, None)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (IMAGENET, "root: missing; give the folder that imagenet was unpacked into"),
        (IMAGENET | {"root": "/nowhere"}, "root: '/nowhere' is no folder; give the one that imagenet was unpacked"),
        (TINY | {"root": ".", "test_split": "test"}, "test_split: 'test', but the other split of tiny-imagenet with"),
        (STANFORD | {"root": ".", "train_split": "all"}, "train_split: 'all', but stanford-cars has train and test"),
        (STANFORD | {"root": ".", "image_size": None}, "image_size: missing; images of stanford-cars differ in size"),
    ],
)
def test_what_does_not_go_with_a_layout_is_told(values: dict[str, Any], line: str) -> None:
    assert next(checks.findings(DataSet(**values))).startswith(line)


def test_lists_that_belong_to_other_images_are_named(tmp_path: Path) -> None:
    for name, make in {"devkit": archives.imagenet_devkit, "kaggle": archives.imagenet_kaggle}.items():
        make(tmp_path / name)
    archives.picture(tmp_path / "devkit/val/ILSVRC2012_val_00000009.JPEG", 0, False)
    with pytest.raises(ValueError, match=r"ground_truth\.txt' has 5 labels, but there are 6 images"):
        prepare(DataSet(root=str(tmp_path / "devkit"), **IMAGENET), None)
    archives.picture(tmp_path / "kaggle/ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000009.JPEG", 0, False)
    with pytest.raises(ValueError, match=r"solution\.csv' has no class for '.*00000009\.JPEG'"):
        prepare(DataSet(root=str(tmp_path / "kaggle"), **IMAGENET), None)


BOM = b"\xef\xbb\xbf"
KAGGLE, TRUTH = "LOC_val_solution.csv", "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt"
WORDS, NOTES = "tiny-imagenet-200/wnids.txt", "tiny-imagenet-200/val/val_annotations.txt"
LISTS = [
    ("imagenet of Kaggle", KAGGLE),
    ("imagenet with devkit", TRUTH),
    ("tiny-imagenet", WORDS),
    ("tiny-imagenet", NOTES),
]


@pytest.mark.parametrize(("layout", "file"), LISTS)
def test_a_list_with_byte_order_mark_windows_line_ends_and_blank_lines_is_read(
    tmp_path: Path, layout: str, file: str
) -> None:
    make, values, _, test_labels = LAYOUTS[layout]
    make(tmp_path)
    content = (tmp_path / file).read_bytes().replace(b"\r\n", b"\n")
    (tmp_path / file).write_bytes(BOM + content.replace(b"\n", b"\r\n") + b"\r\n")
    splits, _ = prepare(DataSet(root=str(tmp_path), **values), None)
    assert splits["test"].labels.tolist() == test_labels
    assert_labelled(splits)


@pytest.mark.parametrize(
    ("layout", "file", "edit", "line"),
    [
        (*LISTS[0], (r"(val_00000005),.*", r"\1,"), ":2:2: 'ILSVRC2012_val_00000005' has no class; fill the cell of"),
        (*LISTS[0], (r"ILSVRC2012_val_00000005,", ","), ":2:1: 'n01443537 1 2 30 40 n01443537 5 6 20 20' has no image"),
        (*LISTS[0], ("PredictionString", "Labels"), ": no column 'PredictionString'; name one of ImageId, Labels"),
        (*LISTS[0], (r"\Z", "ILSVRC2012_val_00000001,n01443537 1\r\n"), ":7:2: image 'ILSVRC2012_val_00000001' is "),
        (*LISTS[1], (r"\A\d", "three"), ":1:1: 'three' is no number of a class; get the list again"),
        (*LISTS[2], (r"\Z", "n01443537\n"), "wnids.txt:4:1 already; remove one"),
        (*LISTS[3], (r"(val_2.JPEG\t)\S+", r"\1"), ":2:2: 'val_2.JPEG' has no class; fill it or remove the line"),
        (*LISTS[3], (r"\Z", "val_3.JPEG\tn01770393\n"), ":5:2: image 'val_3.JPEG' is 'n01770393' here and 'n01443537'"),
    ],
)
def test_a_cell_that_cannot_be_is_told_with_its_place(
    tmp_path: Path, layout: str, file: str, edit: tuple[str, str], line: str
) -> None:
    make, values, _, _ = LAYOUTS[layout]
    make(tmp_path)
    (tmp_path / file).write_text(re.sub(*edit, (tmp_path / file).read_text()))
    data = DataSet(root=str(tmp_path), **values)
    told = list(checks.list_findings(data))
    assert len(told) == 1
    assert told[0].startswith(f"root: {tmp_path / file}:")
    assert line in told[0]
    with pytest.raises(ValueError, match=re.escape(told[0])):
        prepare(data, None)


def test_a_damaged_list_is_named(tmp_path: Path) -> None:
    archives.stanford_cars(tmp_path)
    (tmp_path / "devkit/cars_train_annos.mat").write_bytes(b"MATLAB 5.0")
    data = DataSet(root=str(tmp_path), **STANFORD)
    assert data_catalog.known_classes(data) is None
    with pytest.raises(ValueError, match=r"cars_train_annos\.mat' is not readable as Matlab's"):
        prepare(data, None)


def test_a_class_table_partitions_a_layout(tmp_path: Path) -> None:
    archives.tiny_imagenet(tmp_path)
    table = tmp_path / "classes.csv"
    groups = ("animal", "animal", "animal", "object")
    table.write_text("wnid,group\n" + "".join(f"{n},{g}\n" for n, g in zip(WNIDS, groups, strict=True)))
    archives.picture(tmp_path / f"tiny-imagenet-200/train/{WNIDS[3]}/images/more.JPEG", 3, True)
    choice = TablePartitions(by="table", table=str(table), class_column="wnid")
    data = DataSet(root=str(tmp_path), **TINY)
    with pytest.raises(ValueError, match="'object' has 1 class"):
        prepare(data, choice)
    table.write_text(table.read_text().replace(f"{WNIDS[1]},animal", f"{WNIDS[1]},object"))
    _, partitions = prepare(data, choice)
    assert partitions == {"animal": [WNIDS[0], WNIDS[2]], "object": [WNIDS[1], WNIDS[3]]}


@pytest.mark.parametrize("fine", [False, True])
def test_cifar_loads_through_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fine: bool) -> None:
    from torchvision import datasets

    classes = [f"class-{number:02}" for number in range(100)] if fine else CIFAR10
    digests = archives.cifar(tmp_path / "root", classes, fine)
    made = datasets.CIFAR100 if fine else datasets.CIFAR10
    for part in ("train_list", "test_list"):
        monkeypatch.setattr(made, part, [[name, digests[name]] for name, _ in getattr(made, part)])
    monkeypatch.setattr(made, "meta", made.meta | {"md5": digests[made.meta["filename"]]})
    data = DataSet(name="torch/cifar100" if fine else "torch/cifar10", root=str(tmp_path / "root"), test_split="test")
    splits = prepared(tmp_path / "made", data)
    assert splits["train"].classes == tuple(classes)
    assert len(splits["train"]) + len(splits["validation"]) == len(classes) * (2 if fine else 10)
    assert_labelled(splits, level=1)


def test_torchvisions_imagenet_has_a_class_per_wordnet_id(tmp_path: Path) -> None:
    """Its own table has one for every synonym."""
    archives.imagenet_folders(tmp_path / "root")
    torch.save(({wnid: ("word", f"synonym of {wnid}") for wnid in WNIDS}, []), tmp_path / "root/meta.bin")
    data = DataSet(name="torch/imagenet", root=str(tmp_path / "root"), test_split="val", image_size=32)
    splits = prepared(tmp_path / "made", data)
    assert splits["train"].classes == WNIDS
    assert_labelled(splits)


def test_a_web_dataset_loads_through_timm(tmp_path: Path) -> None:
    pytest.importorskip("webdataset", reason="webdataset, which reads wds/, is not installed")
    for label, wnid in enumerate(WNIDS):
        for number in range(6):
            archives.picture(tmp_path / f"images/{wnid}-{number}.jpg", label, True)
            (tmp_path / f"images/{wnid}-{number}.cls").write_text(str(label))
    (tmp_path / "root").mkdir()
    with tarfile.open(tmp_path / "root/train-0000.tar", "w") as tar:
        for file in sorted((tmp_path / "images").iterdir()):
            tar.add(file, file.name)
    train = {"name": "train", "num_samples": 24, "filenames": ["train-0000.tar"], "shard_lengths": [24]}
    (tmp_path / "root/_info.json").write_text(json.dumps({"splits": {"train": train}}))
    splits = prepared(tmp_path / "made", DataSet(name="wds/birds", root=str(tmp_path / "root")))
    assert_labelled({"train": splits["train"], "validation": splits["validation"]})
    data = DataSet(name="wds/birds", root=str(tmp_path / "root"), train_split="train-{0000..0001}.tar|48")
    with pytest.raises(ValueError, match=r"has 24 of the 48 images of split 'train-\{0000\.\.0001\}\.tar\|48'"):
        prepared(tmp_path / "more", data)
