"""The rows of the table of bad data sets that are about single images, and what a row is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from damages import DEEP_PNG, cut, picture, put, write
from PIL import Image

EARLY, LATE = True, False

# What is wrong, how the good folder is made so, what its section says beyond name and root, the line (ROOT is the
# root, FOLDER the one around it, "..." any text), and whether the check of the configuration tells it already.
Row = tuple[str, Callable[[Path], None], dict[str, Any], str, bool]
BAD_IMAGES: list[Row] = [
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
]
