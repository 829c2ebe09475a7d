"""The table of bad data sets: each ends `prepare` in the one line that stands there."""

import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cat", "dog")
EARLY, LATE = True, False


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


# 2 x 2 pixels of three times 16 bits, which Pillow can read but not write.
DEEP_PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress((b"\0" + bytes(12)) * 2))
    + _chunk(b"IEND", b"")
)


def picture(seed: int = 0, side: int = 6, channels: int = 3, kind: type[np.generic] = np.uint8) -> Image.Image:
    shape = (side, side, channels) if channels > 1 else (side, side)
    return Image.fromarray(np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape).astype(kind))


def remove(*paths: str) -> Callable[[Path], None]:
    return lambda root: [shutil.rmtree(root / path) for path in paths] and None


def put(path: str, image: Image.Image) -> Callable[[Path], None]:
    return lambda root: image.save(root / path)


def write(path: str, content: bytes = b"") -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(content)

    return damage


def cut(path: str) -> Callable[[Path], None]:
    return lambda root: (root / path).write_bytes((root / path).read_bytes()[:-40]) and None


def link(path: str, end: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        outside = root.parent / "elsewhere"
        outside.mkdir()
        for index in range(8):
            picture(index).save(outside / f"{index}.png")
        (root / path).unlink() if (root / path).is_file() else None
        (root / path).symlink_to(end)

    return damage


def only(split: str, name: str, number: int) -> Callable[[Path], None]:
    """Leave so many images of a class."""
    return lambda root: [file.unlink() for file in sorted((root / split / name).iterdir())[number:]] and None


def leave_folders(*names: str) -> Callable[[Path], None]:
    return remove(*(f"train/{name}" for name in CLASSES if name not in names))


def as_file(name: str, content: bytes) -> Callable[[Path], None]:
    """Put a file beside the folder."""
    return lambda root: (root.parent / name).write_bytes(content) and None


def as_tar(*members: str, cut: int | None = None) -> Callable[[Path], None]:
    """Pack members of the folder into birds.tar, and cut that off somewhere."""

    def damage(root: Path) -> None:
        file = root.parent / "birds.tar"
        with tarfile.open(file, "w") as tar:
            for member in members:
                tar.add(root / member, member)
        file.write_bytes(file.read_bytes()[:cut])

    return damage


def linked_in_a_tar(root: Path) -> None:
    link("train/ant/0.png", "../bee/0.png")(root)
    as_tar("train")(root)


def loose_in_a_tar(root: Path) -> None:
    shutil.copy(root / "train/ant/0.png", root / "lost.png")
    as_tar("train", "lost.png")(root)


def deeper(root: Path) -> None:
    """Classes in two folders."""
    for split in ("train", "test"):
        for kind, names in {"insects": CLASSES[:2], "mammals": CLASSES[2:]}.items():
            (root / split / kind).mkdir()
            for name in names:
                (root / split / name).rename(root / split / kind / name)


def deeper_in_a_tar(root: Path) -> None:
    deeper(root)
    (root / "train/mammals/cat").rename(root / "train/mammals/ant")
    as_tar("train")(root)


def table(text: str) -> Callable[[Path], None]:
    return as_file("groups.csv", text.encode())


def empty(*names: str) -> Callable[[Path], None]:
    return lambda root: [file.unlink() for name in names for file in (root / "train" / name).iterdir()] and None


def nothing(root: Path) -> None:
    pass


# What is wrong, how the good folder is made so, what its section says beyond name and root, the line (ROOT is the
# root, FOLDER the one around it, "..." any text), and whether the check of the configuration tells it already.
Row = tuple[str, Callable[[Path], None], dict[str, Any], str, bool]
BAD: list[Row] = [
    ("no such root", remove(""), {}, "root: 'ROOT' does not exist; give the folder that holds 'train'", EARLY),
    (
        "a root that is no tar",
        as_file("birds.zip", b"PK"),
        {"root": "FOLDER/birds.zip"},
        "root: 'FOLDER/birds.zip' is a file but no .tar; give the folder of the images, or a tar file of class folders",
        EARLY,
    ),
    (
        "a tar that is none",
        as_file("birds.tar", b"not a tar"),
        {"root": "FOLDER/birds.tar"},
        "root: 'FOLDER/birds.tar' is not readable as a tar file; make it again from the class folders",
        EARLY,
    ),
    (
        "a tar without images",
        as_tar(),
        {"root": "FOLDER/birds.tar"},
        "root: 'FOLDER/birds.tar' has no images (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp, .gif...",
        LATE,
    ),
    (
        "a tar that is cut off",
        as_tar("train", cut=9000),
        {"root": "FOLDER/birds.tar"},
        "root: 'FOLDER/birds.tar' is damaged (unexpected end of data); make it again from the class folders",
        LATE,
    ),
    (
        "links in a tar",
        linked_in_a_tar,
        {"root": "FOLDER/birds.tar"},
        "root: 'FOLDER/birds.tar': 'train/ant/0.png' is a link; make the file again with tar --dereference",
        LATE,
    ),
    (
        "a loose image in a tar",
        loose_in_a_tar,
        {"root": "FOLDER/birds.tar"},
        "root: 'FOLDER/birds.tar': 'lost.png' is in no class folder; move it into one",
        LATE,
    ),
    (
        "a test split of a tar",
        as_tar("train"),
        {"root": "FOLDER/birds.tar", "test_split": "test"},
        "test_split: 'test', but 'FOLDER/birds.tar' has no splits; set it to null to hold out test_share",
        EARLY,
    ),
    (
        "an empty root",
        remove("train", "test"),
        {},
        "train_split: no folder 'train' in 'ROOT', which has no folder; name the folder of the images",
        EARLY,
    ),
    (
        "a misspelt training split",
        nothing,
        {"train_split": "trian"},
        "train_split: no folder 'trian' in 'ROOT', which has test, train; name the folder of the images",
        EARLY,
    ),
    (
        "a misspelt test split",
        nothing,
        {"test_split": "tset"},
        "test_split: no folder 'tset' in 'ROOT', which has test, train; name the folder of the images",
        EARLY,
    ),
    (
        "tested on the training images",
        nothing,
        {"test_split": "train"},
        "test_split: 'train' is the training split; name another folder, or set it to null to hold out a share",
        EARLY,
    ),
    (
        "an empty training split",
        leave_folders(),
        {},
        "train_split: no class folders in 'ROOT/train'; put the images of each class into a folder of its own there",
        EARLY,
    ),
    (
        "images in no class folder",
        put("train/lost.png", picture()),
        {},
        "root: 'ROOT/train/lost.png' is an image in no class folder; move it into the folder of its class",
        EARLY,
    ),
    (
        "a class folder without images",
        only("train", "bee", 0),
        {},
        "root: 'ROOT/train/bee' has no images; add some, or leave the class out",
        EARLY,
    ),
    (
        "class folders without images",
        empty("bee", "cat", "dog"),
        {},
        "root: 'ROOT/train/bee' has no images; add some, or leave the class out (and 2 more like it)",
        EARLY,
    ),
    (
        "classes in two folders",
        deeper,
        {},
        "root: 'ROOT/train/insects/ant' is a folder inside a class folder that has no images of its own; if both name "
        "the class (alphabet/character), add one to class_depth; if one names a patient or such, set groups: "
        "{by: folder} (and 3 more like it)",
        EARLY,
    ),
    (
        "classes in two folders of a tar",
        deeper_in_a_tar,
        {"root": "FOLDER/birds.tar"},
        "class_depth: images in 'train/insects/ant' and in 'train/mammals/ant' would be one class; set class_depth: 2 "
        "for classes such as 'insects/ant'",
        LATE,
    ),
    (
        "classes in one folder, not two",
        nothing,
        {"class_depth": 2},
        "root: 'ROOT/train/ant/0.png' lies too high for CLASS/CLASS; move it down, or correct class_depth and groups "
        "(and 31 more like it)",
        EARLY,
    ),
    (
        "classes of a tar in one folder, not three",
        as_tar("train"),
        {"root": "FOLDER/birds.tar", "class_depth": 3},
        "class_depth: images of 'train/ant' (and 31 more like it) have too few folders above them; they should lie in "
        "CLASS/CLASS/CLASS",
        LATE,
    ),
    (
        "names without group",
        put("train/ant/new.png", picture()),
        {"groups": {"by": "pattern", "pattern": r"(\d+)\.png"}},
        r"groups.pattern: '(\d+)\.png' finds no group in 'train/ant/new.png'; widen the pattern; it is searched in the "
        "whole path",
        EARLY,
    ),
    (
        "a pattern without parentheses",
        nothing,
        {"groups": {"by": "pattern", "pattern": "ant"}},
        "groups.pattern: 'ant' has no parentheses; put them around what images of one group have in common, as in ...",
        EARLY,
    ),
    (
        "a pattern that is none",
        nothing,
        {"groups": {"by": "pattern", "pattern": "(ant"}},
        "groups.pattern: '(ant' is no regular expression (missing ), ...); correct it",
        EARLY,
    ),
    (
        "one group a class",
        nothing,
        {"groups": {"by": "pattern", "pattern": r"(\w+)/\d"}},
        "groups: class 'ant' has 1 group(s) (and 3 more like it); test, validation and train images need one each; ...",
        EARLY,
    ),
    (
        "groups in both splits",
        nothing,
        {"test_split": "test", "groups": {"by": "pattern", "pattern": r"(\d+)\.png"}},
        "groups: '0' is in 'train' ('train/.../0.png') and in 'test' ('test/.../0.png') (and 1 more like it); move...",
        EARLY,
    ),
    (
        "images that a table of groups lacks",
        table("image,group\n" + "".join(f"{number},g{number}\n" for number in range(7))),
        {"groups": {"by": "table", "table": "FOLDER/groups.csv"}},
        "groups.table: 'FOLDER/groups.csv' has no row for 'train/ant/7.png' (and 3 more like it); add one with "
        "its path or file name as 'image'",
        EARLY,
    ),
    (
        "a table of groups with an empty cell",
        table("image,group\n0,a\n1,\n"),
        {"groups": {"by": "table", "table": "FOLDER/groups.csv"}},
        "groups.table: FOLDER/groups.csv:3:2: '1' has no group; fill the cell of 'group', or remove the row",
        EARLY,
    ),
    (
        "no table of groups",
        nothing,
        {"groups": {"by": "table", "table": "FOLDER/groups.csv"}},
        "groups.table: 'FOLDER/groups.csv' does not exist; give a CSV with a row per image",
        EARLY,
    ),
    (
        "a limit that leaves no image to train on",
        nothing,
        {"images_per_class": 2, "validation_share": 0.9},
        "classes: 'ant' has 8 image(s) (and 3 more...); too few to hold out 2 for test and 2 for validation of 2 "
        "(images_per_class) and train on others; add images or leave the class out",
        EARLY,
    ),
    (
        "a class with one image",
        only("train", "bee", 1),
        {},
        "classes: 'bee' has 1 image(s); too few to hold out 1 for test and 1 for validation and train...; add...",
        EARLY,
    ),
    (
        "one class only",
        leave_folders("cat"),
        {},
        "root: 'ROOT' has one class only, 'cat'; a classifier needs two or more",
        EARLY,
    ),
    (
        "a class that the data lack",
        nothing,
        {"classes": ["ant", "bee", "cow"]},
        "classes: 'cow' is not a class of folder; choose one of ant, bee, cat, dog",
        EARLY,
    ),
    (
        "a class without test images",
        remove("test/cat"),
        {"test_split": "test"},
        "test_split: class 'cat' has no images in 'ROOT/test'; add some, or leave it out",
        EARLY,
    ),
    (
        "a class without training images",
        remove("train/cat", "train/dog"),
        {"test_split": "test"},
        "test_split: class 'cat' of 'ROOT/test' has no training images; add some or remove it (and 1 more like it)",
        EARLY,
    ),
    (
        "a folder in a class folder",
        write("train/ant/more/0.png"),
        {},
        "root: 'ROOT/train/ant/more' is a folder inside a class folder; move its images up, or remove it",
        EARLY,
    ),
    (
        "several images in one file",
        lambda root: picture().save(root / "train/ant/9.gif", save_all=True, append_images=[picture(1)]),
        {},
        "root: 'ROOT/train/ant/9.gif' has 2 images in it; store each in a file of its own",
        LATE,
    ),
    (
        "colours of 16 bits",
        write("train/cat/9.png", DEEP_PNG),
        {},
        "root: 'ROOT/train/cat/9.png' has more than 8 bits per channel (mode RGB;16B); store it with 8",
        LATE,
    ),
    (
        "colours of 16 bits in another format",
        write("train/cat/9.ppm", b"P6 2 2 65535\n" + bytes(24)),
        {},
        "root: 'ROOT/train/cat/9.ppm' has more than 8 bits per channel (mode RGB); store it with 8",
        LATE,
    ),
    (
        "a tar with splits that are not asked for",
        as_tar("train", "test"),
        {"root": "FOLDER/birds.tar"},
        "test_split: null, but 'FOLDER/birds.tar' has the splits test, train; name one, such as test",
        LATE,
    ),
    (
        "a text called image",
        write("train/ant/9.png", b"red and black"),
        {},
        "root: 'ROOT/train/ant/9.png' is not a readable image; replace or remove it",
        LATE,
    ),
    (
        "a truncated image",
        cut("train/ant/3.png"),
        {},
        "root: 'ROOT/train/ant/3.png' cannot be read (...); replace or remove it",
        LATE,
    ),
    (
        "an image of no bytes",
        write("train/dog/9.jpg"),
        {},
        "root: 'ROOT/train/dog/9.jpg' is not a readable image; replace or remove it",
        LATE,
    ),
    (
        "a damaged test image",
        write("test/dog/0.png"),
        {"test_split": "test"},
        "root: 'ROOT/test/dog/0.png' is not a readable image; replace or remove it",
        LATE,
    ),
    (
        "an image of another size",
        put("train/bee/9.png", picture(side=7)),
        {},
        "image_size: images differ in size, 'ROOT/train/bee/9.png' is the first to; give a size in pixels",
        LATE,
    ),
    (
        "test images of another size",
        lambda root: [picture(side=7).save(file) for file in root.glob("test/*/*.png")] and None,
        {"test_split": "test"},
        "image_size: test images of 'ROOT' differ in size; give a size in pixels",
        LATE,
    ),
    (
        "a fourth channel",
        put("train/cat/9.png", picture(channels=4)),
        {},
        "root: 'ROOT/train/cat/9.png' is transparent, a fourth channel (mode RGBA); store it as RGB on a background",
        LATE,
    ),
    (
        "grey values of 16 bits",
        put("train/cat/9.png", picture(channels=1, kind=np.uint16)),
        {},
        "root: 'ROOT/train/cat/9.png' has more than 8 bits per channel (mode I;16B); store it with 8",
        LATE,
    ),
    (
        "images without anything on them",
        lambda root: [Image.new("RGB", (6, 6)).save(file) for file in root.glob("train/*/*.png")] and None,
        {},
        "root: every pixel of every image is the same; nothing can be learnt, check the files",
        LATE,
    ),
    (
        "a link to a file outside",
        link("train/ant/0.png", "../../../elsewhere/0.png"),
        {},
        "root: 'ROOT/train/ant/0.png' is a symbolic link out of the folder, to 'FOLDER/elsewhere/0.png'; copy...",
        EARLY,
    ),
    (
        "a class folder that lies outside",
        link("train/elk", "../../elsewhere"),
        {},
        "root: 'ROOT/train/elk' is a symbolic link out of the folder, to 'FOLDER/elsewhere'; copy the file, or give...",
        EARLY,
    ),
    (
        "a link to nothing",
        link("train/ant/0.png", "gone.png"),
        {},
        "root: 'ROOT/train/ant/0.png' is a symbolic link to 'ROOT/train/ant/gone.png', which does not exist; remove...",
        EARLY,
    ),
    (
        "a class folder that links to nothing",
        link("train/elk", "gone"),
        {},
        "root: 'ROOT/train/elk' is a symbolic link to 'ROOT/train/gone', which does not exist; remove the link or...",
        EARLY,
    ),
    (
        "a link to itself",
        link("train/ant/9.png", "9.png"),
        {},
        "root: 'ROOT/train/ant/9.png' is a symbolic link to 'ROOT/train/ant/9.png', which does not exist; remove...",
        EARLY,
    ),
    (
        "torchvision's data in an empty folder",
        remove("train", "test"),
        {"name": "torch/cifar10"},
        "root: 'torch/cifar10' cannot be opened from 'ROOT', split 'train' (Dataset not found...); correct...",
        LATE,
    ),
    (
        "data that torchvision does not have",
        nothing,
        {"name": "torch/cifar11"},
        "root: 'torch/cifar11' cannot be opened from 'ROOT', split 'train' (Unknown torchvision...); correct...",
        LATE,
    ),
]
