"""Facts about folders and tar files of images: what is read, in which order and way up, and what is passed over."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dilt.settings.data import DataSet
from dilt.sources import checks, decoding, image_folders, tar_splits
from dilt.sources.data_catalog import known_shape
from dilt.sources.decoding import Form
from dilt.sources.folder_levels import Levels
from dilt.sources.loading import load

ORIENTATION = 0x0112
# Rows and columns of an image as stored, and what EXIF says is to be done to show it.
STORED = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3) * 40
SHOWN: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a.T, 2),
    8: np.rot90,
}


def coloured(array: np.ndarray) -> Image.Image:
    return Image.fromarray(np.repeat(array[..., None], 3, axis=2))


def save(path: Path, image: Image.Image | None = None, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or coloured(np.full((4, 4), len(path.name), np.uint8))).save(path, **options)


def packed(folder: Path, name: str = "all.tar") -> Path:
    with tarfile.open(folder.parent / name, "w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder), recursive=False)
    return folder.parent / name


def section(root: Path, **changes: object) -> DataSet:
    return DataSet(name="folder", root=str(root), **changes)


def everything(data: DataSet) -> tuple[np.ndarray, np.ndarray, list[str]]:
    pools, classes = load(data)
    pixels, labels = pools["all"]
    return pixels[np.arange(len(labels))], labels, classes


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_pictures_are_the_right_way_up(tmp_path: Path, orientation: int, kind: str) -> None:
    image = coloured(STORED)
    image.getexif()[ORIENTATION] = orientation
    lossless = {"lossless": True} if kind == "webp" else {}
    for name in ("ant", "bee"):
        save(tmp_path / f"all/train/{name}/0.{kind}", image, exif=image.getexif(), **lossless)
    expected = SHOWN[orientation](STORED)
    for root in (tmp_path / "all", packed(tmp_path / "all/train")):
        pixels, _, _ = everything(section(root))
        assert np.array_equal(pixels[0, 0], expected)
    assert known_shape(section(tmp_path / "all")) == (3, *expected.shape)


def test_data_sets_of_torchvision_that_are_files_are_read_with_the_same_care(tmp_path: Path) -> None:
    image = coloured(STORED)
    image.getexif()[ORIENTATION] = 6
    for name in ("ant", "bee"):
        save(tmp_path / f"{name}/0.png", image, exif=image.getexif())
    data = DataSet(name="torch/image_folder", root=str(tmp_path))
    pixels, _, classes = everything(data)
    assert classes == ["ant", "bee"]
    assert np.array_equal(pixels[0, 0], np.rot90(STORED, -1))
    Image.fromarray(np.full((3, 2), 40000, np.uint16)).save(tmp_path / "bee/0.png")
    with pytest.raises(ValueError, match=r"bee/0.png' has more than 8 bits per channel"):
        everything(data)
    Image.new("RGBA", (2, 3), (9, 9, 9, 0)).save(tmp_path / "bee/0.png")
    with pytest.raises(ValueError, match=r"bee/0.png' is transparent"):
        everything(data)
    whole = io.BytesIO()
    coloured(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)).save(whole, "png")
    (tmp_path / "bee/0.png").write_bytes(whole.getvalue()[:900])
    with pytest.raises(ValueError, match=r"bee/0.png' cannot be read \(image file is truncated"):
        everything(data)


@pytest.mark.parametrize(
    "suffix", ["png", "PNG", "ppm", "pgm", "bmp", "tif", "tiff", "webp", "gif", "jfif", "pbm", "tga"]
)
def test_every_format_without_loss_is_read(tmp_path: Path, suffix: str) -> None:
    grey = np.where(STORED > 100, 255, 0).astype(np.uint8)
    kind = {"pgm": "L", "pbm": "1"}.get(suffix, "RGB")
    options = {"lossless": True} if suffix == "webp" else {"quality": 100, "subsampling": 0} if suffix == "jfif" else {}
    for name in ("ant", "bee"):
        save(tmp_path / f"train/{name}/0.{suffix}", coloured(grey).convert(kind), **options)
    pixels, labels, _ = everything(section(tmp_path))
    assert len(labels) == 2
    assert np.abs(pixels[0, 1].astype(int) - grey).max() <= (60 if suffix == "jfif" else 0)


def test_what_is_no_image_is_passed_over_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ant", "bee"):
        save(tmp_path / f"all/train/{name}/0.png")
        (tmp_path / f"all/train/{name}/boxes.csv").write_text("x,y\n")
        (tmp_path / f"all/train/{name}/._0.png").write_bytes(b"AppleDouble")
    (tmp_path / "all/train/ant/SHA256SUMS").write_text("0\n")
    for aside in (".ipynb_checkpoints", "__MACOSX", "@eaDir"):
        save(tmp_path / f"all/train/{aside}/0.png")
        save(tmp_path / f"all/train/ant/{aside}/0.png")
    (tmp_path / "all/train/README.md").write_text("ants\n")
    for root in (tmp_path / "all", packed(tmp_path / "all/train")):
        assert list(checks.findings(section(tmp_path / "all"))) == []
        _, labels, classes = everything(section(root))
        assert (labels.tolist(), classes) == ([0, 1], ["ant", "bee"])
        told = "passed over 4 file(s) that are no images: 2 .csv, 1 .md, 1 no suffix"
        assert capsys.readouterr().out == f"'{root}': {told}\n"


def test_the_order_of_names_that_tie_is_the_same_everywhere(tmp_path: Path) -> None:
    for name in ("Ant", "ant", "a10", "a2", "a02"):
        for file in ("img_3.png", "IMG_3.png", "img_10.png", "img_03.png"):
            save(tmp_path / f"all/train/{name}/{file}")
    listed = [path for _, path in image_folders.listing(tmp_path / "all/train", Levels())]
    files = ["img_03.png", "IMG_3.png", "img_3.png", "img_10.png"]
    classes = ["a02", "a2", "a10", "Ant", "ant"]
    order = dict.fromkeys(classes, files)
    assert [path for path in listed if path.startswith("a2/")] == [f"a2/{file}" for file in order["a2"]]
    root = packed(tmp_path / "all/train")
    assert [member.path for member in tar_splits.images(root, "train")] == listed
    for place in (tmp_path / "all", root):
        _, labels, found = everything(section(place))
        assert found == classes
        assert np.bincount(labels).tolist() == [4] * 5


def test_a_tar_with_splits_keeps_them(tmp_path: Path) -> None:
    for split, number in (("train", 3), ("test", 2)):
        for name in ("ant", "bee"):
            for place in range(number):
                save(tmp_path / f"all/birds/{split}/{name}/{place}.png")
    pools, classes = load(section(packed(tmp_path / "all"), test_split="test"))
    assert {pool: len(labels) for pool, (_, labels) in pools.items()} == {"all": 6, "test": 4}
    assert classes == ["ant", "bee"]


def test_a_tar_in_a_tar_is_a_folder_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    for name in ("ant", "bee"):
        save(tmp_path / f"{name}/{name}.png", coloured(np.full((2, 2), len(name) + ord(name[0]), np.uint8)))
        packed(tmp_path / name, f"outer/{name}.tar")
    pixels, labels, classes = everything(section(packed(tmp_path / "outer")))
    assert (labels.tolist(), classes) == ([0, 1], ["ant", "bee"])
    assert pixels[:, 0, 0, 0].tolist() == [3 + ord("a"), 3 + ord("b")]


def test_a_folder_and_the_tar_file_of_it_are_the_same_data(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    for name in ("class2", "class10"):
        for place in (1, 2, 10):
            save(tmp_path / f"all/train/{name}/{place}.png", coloured(draws.integers(0, 255, (4, 4), np.uint8)))
    folder, tar = everything(section(tmp_path / "all")), everything(section(packed(tmp_path / "all/train")))
    assert folder[2] == tar[2] == ["class2", "class10"]
    assert np.array_equal(folder[0], tar[0])
    assert np.array_equal(folder[1], tar[1])
    first = np.asarray(Image.open(tmp_path / "all/train/class2/1.png")).transpose(2, 0, 1)
    assert np.array_equal(folder[0][0], first)


def test_damage_in_a_png_is_noticed() -> None:
    whole = io.BytesIO()
    coloured(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)).save(whole, "png")
    contents = bytearray(whole.getvalue())
    middle = len(contents) // 2
    contents[middle : middle + 8] = bytes(8)
    with pytest.raises(ValueError, match="'bird' cannot be read"):
        Form(None, "squash").array(decoding.read(io.BytesIO(contents), "'bird'"))


def test_names_that_are_not_utf_8_are_read(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        save(tmp_path / f"train/{name}/0.png")
    os.rename(tmp_path / "train/ant/0.png", os.fsencode(tmp_path / "train/ant") + b"/\xff.png")
    _, labels, _ = everything(section(tmp_path))
    assert len(labels) == 2
