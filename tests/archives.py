"""Small data sets in the exact layouts of the large ones, as their archives unpack.

An image is of one colour, which tells its class (red: `LEVEL` per class) and its split (blue in training images).
"""

import csv
import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

WNIDS = ("n01443537", "n01770393", "n02123045", "n03100240")  # goldfish, scorpion, tabby, convertible
CARS = ("AM General Hummer SUV 2000", "Acura RL Sedan 2012", "Ram C/V Cargo Van Minivan 2012")
LEVEL = 60


def picture(path: Path, label: int, train: bool, size: tuple[int, int] = (64, 64)) -> None:
    """Save one image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (LEVEL * label, 0, 200 * train)).save(path, quality=95)


def imagenet_train(train: Path, per_class: int = 6) -> None:
    """Class folders of training images, which differ in size."""
    for label, wnid in enumerate(WNIDS):
        for number in range(per_class):
            picture(train / wnid / f"{wnid}_{number}.JPEG", label, True, (50 + 10 * number, 40))


def imagenet_folders(root: Path, per_class: int = 6) -> None:
    """Both splits as class folders, as most people keep it."""
    imagenet_train(root / "train", per_class)
    for label, wnid in enumerate(WNIDS):
        picture(root / "val" / wnid / f"ILSVRC2012_val_{label + 1:08}.JPEG", label, False, (60, 40))


def imagenet_validation(folder: Path, order: Sequence[int]) -> list[str]:
    """Validation images in one folder, of classes in this order; their names without extension."""
    names = [f"ILSVRC2012_val_{number:08}" for number in range(1, len(order) + 1)]
    for name, label in zip(names, order, strict=True):
        picture(folder / f"{name}.JPEG", label, False, (60, 40))
    return names


def imagenet_kaggle(root: Path, order: Sequence[int] = (2, 0, 3, 1, 0)) -> None:
    """Kaggle's archive: validation images in one folder, their classes and boxes in a table in another order."""
    images = root / "ILSVRC/Data/CLS-LOC"
    imagenet_train(images / "train")
    rows = list(zip(imagenet_validation(images / "val", order), order, strict=True))
    with open(root / "LOC_val_solution.csv", "w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["ImageId", "PredictionString"])
        writer.writerows([name, f"{WNIDS[label]} 1 2 30 40 {WNIDS[label]} 5 6 20 20 "] for name, label in rows[::-1])


def imagenet_devkit(root: Path, order: Sequence[int] = (2, 0, 3, 1, 0)) -> None:
    """The official archives: validation images in one folder, their classes as numbers of the development kit."""
    imagenet_train(root / "train")
    imagenet_validation(root / "val", order)
    devkit = root / "ILSVRC2012_devkit_t12/data"
    devkit.mkdir(parents=True)
    number = {label: place + 1 for place, label in enumerate((3, 1, 0, 2))}  # numbers are in no order of the names
    (devkit / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{number[label]}\n" for label in order))
    synsets = [(number[label], wnid, "words", "gloss", 0) for label, wnid in enumerate(WNIDS)]
    fields = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("words", "O"), ("gloss", "O"), ("num_children", "f8")]
    savemat(devkit / "meta.mat", {"synsets": np.array(synsets, dtype=fields)})


def tiny_imagenet(root: Path, per_class: int = 6) -> None:
    """tiny-imagenet-200, of four classes."""
    base = root / "tiny-imagenet-200"
    lines = []
    for label, wnid in enumerate(WNIDS):
        for number in range(per_class):
            picture(base / f"train/{wnid}/images/{wnid}_{number}.JPEG", label, True)
        (base / f"train/{wnid}/{wnid}_boxes.txt").write_text(f"{wnid}_0.JPEG\t0\t0\t62\t63\n")
        picture(base / f"val/images/val_{3 - label}.JPEG", label, False)
        lines.append(f"val_{3 - label}.JPEG\t{wnid}\t0\t32\t44\t62\n")
    picture(base / "test/images/test_0.JPEG", 0, False)
    (base / "val/val_annotations.txt").write_text("".join(lines))
    (base / "wnids.txt").write_text("".join(f"{wnid}\n" for wnid in WNIDS[::-1]))
    (base / "words.txt").write_text("".join(f"{wnid}\tsome words, others\n" for wnid in WNIDS))


def stanford_cars(root: Path, per_class: int = 6) -> None:
    """Training and test images, the development kit, and the labels of the test images beside it."""
    fields = [(name, "O") for name in ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")]
    for split, number, file in (
        ("train", per_class, "devkit/cars_train_annos.mat"),
        ("test", 1, "cars_test_annos_withlabels.mat"),
    ):
        rows = []
        for place, label in enumerate(list(range(len(CARS))) * number):
            rows.append((1, 1, 30, 30, label + 1, f"{place + 1:05}.jpg"))
            picture(root / f"cars_{split}" / f"{place + 1:05}.jpg", label, split == "train", (70 + place, 50))
        (root / "devkit").mkdir(exist_ok=True)
        savemat(root / file, {"annotations": np.array(rows, dtype=fields)})
    savemat(root / "devkit/cars_meta.mat", {"class_names": np.array(CARS, dtype=object)})


def cifar(root: Path, classes: Sequence[str], fine: bool, per_class: int = 2) -> dict[str, str]:
    """The Python version of CIFAR-10 or, with fine labels, CIFAR-100; the MD5 of each file, for torchvision."""
    base = root / ("cifar-100-python" if fine else "cifar-10-batches-py")
    base.mkdir(parents=True)
    key = "fine_labels" if fine else "labels"
    files: dict[str, dict[str, object]] = {}
    for name in ["train", "test"] if fine else [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
        labels = list(range(len(classes))) * per_class
        pixels = np.zeros((len(labels), 3, 32, 32), np.uint8)
        pixels[:, 0] = np.array(labels)[:, None, None]
        pixels[:, 2] = 0 if name.startswith("test") else 200
        files[name] = {"data": pixels.reshape(len(labels), -1), key: labels}
    files["meta" if fine else "batches.meta"] = {"fine_label_names" if fine else "label_names": list(classes)}
    for name, content in files.items():
        (base / name).write_bytes(pickle.dumps(content))  # the format of the data set's own files
    return {name: hashlib.md5((base / name).read_bytes()).hexdigest() for name in files}
