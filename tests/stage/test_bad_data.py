"""Data sets that cannot be used end in one line of `prepare` that names culprit and cure, before anything is written.

What needs no image to be opened is told by the check of the configuration too, before any job.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from bad_data import BAD
from damages import CLASSES, as_tar, picture
from PIL import Image
from test_errors import error_of

from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.data.preparation import prepare, write_splits
from dilt.data.prepared import Images, read_split
from dilt.settings.data import DataSet
from dilt.sources import checks
from tests.conftest import ROOT


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """A good folder data set of four classes, with training and test images."""
    root = tmp_path / "birds"
    for split, number in (("train", 8), ("test", 2)):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for index in range(number):
                picture(index).save(root / split / name / f"{index}.png")
    return root


@pytest.mark.parametrize(("damage", "more", "line", "early"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_data_that_cannot_be_used_end_in_one_line(
    birds: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    more: dict[str, Any],
    line: str,
    early: bool,
) -> None:
    damage(birds)
    values = {"name": "folder", "root": str(birds)} | more
    values = json.loads(json.dumps(values).replace("FOLDER", str(birds.parent)))
    expected = ".*".join(
        map(re.escape, line.replace("ROOT", str(birds)).replace("FOLDER", str(birds.parent)).split("..."))
    )
    told = before_any_job(values)
    assert len(told) == early, told
    if early:
        assert re.fullmatch(f"mine.yaml: targets.birds.{expected}", told[0]), told
    dataset = birds.parent / "results" / "data" / "birds" / "dataset.json"
    said = error_of("prepare", {"dataset": dataset, "options": json.dumps({"data": values})}, capsys)
    assert re.fullmatch(f"python -m dilt.prepare: error: {expected}\n", said), said
    assert not dataset.parent.exists() or not list(dataset.parent.iterdir())


def test_a_target_of_other_size_than_the_source_is_told_before_any_job(birds: Path) -> None:
    larger = shutil.copytree(birds, birds.parent / "larger")
    for file in larger.glob("train/*/*.png"):
        picture(side=7).save(file)
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["source"] = {"name": "folder", "root": str(birds), "partitions": {"by": "contiguous"}}
    values["targets"] = {"larger": {"name": "folder", "root": str(larger)}}
    values["representations"]["probes"] = 8
    with pytest.raises(ConfigError) as raised:
        parse_config(values, "mine.yaml")
    expected = f"image_size: images of '{larger}' are 7 x 7, the source's 6 x 6; give both the same size in pixels"
    assert any(line == f"mine.yaml: targets.larger.{expected}" for line in raised.value.lines), raised.value.lines


def prepared(folder: Path, **values: Any) -> dict[str, Images]:
    """The splits of a data set, written and read again."""
    data = DataSet(name="folder", **values)
    splits, partitions = prepare(data, None)
    write_splits(folder / "dataset.json", splits, partitions, data)
    return {split: read_split(folder / "dataset.json", split) for split in splits}


@pytest.fixture(autouse=True)
def with_every_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever timm's readers need counts as installed."""
    monkeypatch.setattr(checks, "PACKAGES", {})


def before_any_job(target: dict[str, Any]) -> list[str]:
    """What the check of the configuration says of a target."""
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["source"] |= {"name": "hfds/other"}
    values["targets"] = {"birds": target}
    try:
        parse_config(values, "mine.yaml")
    except ConfigError as error:
        return error.lines
    return []


def test_a_folder_that_cannot_be_entered_is_told(birds: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    for folder, key in {"": "ROOT", "train": "ROOT/train", "train/ant": "ROOT/train/ant"}.items():
        (birds / folder).chmod(0)
        told = before_any_job({"name": "folder", "root": str(birds)})
        (birds / folder).chmod(0o755)
        assert len(told) == 1
        assert f"root: '{key}' cannot be read; allow it with chmod u+rx".replace("ROOT", str(birds)) in told[0]


@pytest.mark.parametrize("label", [3, -1])
def test_a_label_outside_the_classes_is_told(monkeypatch: pytest.MonkeyPatch, label: int) -> None:
    class Labelled(list[tuple[Image.Image, int]]):
        class_to_idx: ClassVar = {name: index for index, name in enumerate(CLASSES[:3])}

    images = Labelled([(picture(index), index % 3) for index in range(12)] + [(picture(), label)])
    monkeypatch.setattr("timm.data.dataset_factory.create_dataset", lambda *_, **__: images)
    with pytest.raises(ValueError, match=f"'hfds/birds' has the label {label}, but 3 classes; correct its labels"):
        prepare(DataSet(name="hfds/birds", root="."), None)


def test_a_failing_stage_leaves_what_is_there_as_it_was(
    finished: Path, birds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = finished / "data/held-out"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(results.iterdir())}
    (birds / "train/ant/0.png").write_bytes(b"")
    options = json.dumps({"data": {"name": "folder", "root": str(birds)}})
    error_of("prepare", {"dataset": results / "dataset.json", "options": options}, capsys)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(results.iterdir())} == before


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "RGBA"])
def test_an_image_that_fits_into_three_channels_of_eight_bits_is_taken(birds: Path, mode: str) -> None:
    """Greyscale, a palette, two levels, four inks, and a fourth channel that is opaque everywhere."""
    name = "9.jpg" if mode == "CMYK" else "9.png"
    picture(9).convert(mode).save(birds / "train/ant" / name)
    splits = prepared(birds.parent, root=str(birds))
    assert sum(map(len, splits.values())) == 33
    assert splits["train"].image_shape == (3, 6, 6)


def test_links_inside_the_folder_links_to_it_and_hidden_files_are_taken(birds: Path) -> None:
    (birds / "train/ant/0.png").unlink()
    (birds / "train/ant/0.png").symlink_to("../bee/0.png")
    (birds / "train/ant/.DS_Store").touch()
    (birds / "train/README.txt").touch()
    shutil.move(birds / "test", birds.parent / "elsewhere")
    (birds / "test").symlink_to("../elsewhere")
    (birds.parent / "link").symlink_to(birds)
    values = {"name": "folder", "root": str(birds.parent / "link"), "test_split": "test"}
    assert before_any_job(values) == []
    splits, _ = prepare(DataSet(**values), None)
    assert {split: len(part) for split, part in splits.items()} == {"train": 24, "validation": 8, "test": 8}


def test_test_images_keep_their_class_where_the_test_split_has_fewer_classes(birds: Path) -> None:
    shutil.rmtree(birds / "test/ant")
    for name, level in {"bee": 50, "cat": 100, "dog": 150}.items():
        for split in ("train", "test"):
            for file in (birds / split / name).iterdir():
                Image.new("RGB", (6, 6), (level,) * 3).save(file)
    splits = prepared(birds.parent, root=str(birds), test_split="test", classes=["bee", "dog"])
    for part in splits.values():
        assert part.pixels[:, 0, 0, 0].tolist() == [[50, 150][label] for label in part.labels]


def test_a_tar_file_has_the_classes_of_its_folders(birds: Path) -> None:
    as_tar("train")(birds)
    splits, _ = prepare(DataSet(name="folder", root=str(birds.parent / "birds.tar")), None)
    assert splits["train"].classes == CLASSES
    assert sum(map(len, splits.values())) == 32
