"""What lies in a folder is looked through once, and again once it has changed."""

from pathlib import Path

import pytest

from dilt.foundations import stamps
from dilt.settings.data import DataSet
from dilt.sources import data_catalog, folder_contents
from dilt.sources.checks import findings
from dilt.sources.folder_contents import Contents, contents


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written just now counts as written long ago."""
    monkeypatch.setattr(stamps, "SETTLED", 0)


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that were looked through, in turn."""
    found = []
    scan = folder_contents._look_through

    def noting(folder: Path | str) -> Contents:
        found.append(Path(folder).name)
        return scan(folder)

    monkeypatch.setattr(folder_contents, "_look_through", noting)
    return found


def classes(root: Path, **images: int) -> DataSet:
    """A data set with so many images of each class; the files are empty."""
    for name, number in images.items():
        (root / "train" / name).mkdir(parents=True)
        for index in range(number):
            (root / "train" / name / f"{index}.png").touch()
    return DataSet(name="folder", root=str(root), test_split=None)


def test_images_are_counted_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("a.png", "B.JPG", "notes.txt", ".hidden.png"):
        (tmp_path / name).touch()
    assert contents(tmp_path) == Contents(2, plain=True)


def test_a_folder_or_a_link_inside_is_not_plain(tmp_path: Path) -> None:
    for name, make in (("folder", lambda at: at.mkdir()), ("link", lambda at: at.symlink_to(tmp_path / "a.png"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
        assert contents(tmp_path / name).plain
        make(tmp_path / name / "inside.png")
        assert contents(tmp_path / name) == Contents(2, plain=False)


def test_what_cannot_be_read_has_no_images(tmp_path: Path) -> None:
    assert contents(tmp_path / "none") == Contents(0, plain=False)


@pytest.mark.usefixtures("settled")
def test_checks_look_through_each_class_once(tmp_path: Path, looked_through: list[str]) -> None:
    data = classes(tmp_path, cat=3, dog=4)
    for _ in range(3):
        assert not list(findings(data))
        assert data_catalog.known_classes(data) == {"cat": 3, "dog": 4}
    assert sorted(looked_through) == ["cat", "dog"]


@pytest.mark.usefixtures("settled")
def test_a_changed_folder_is_looked_through_again(tmp_path: Path) -> None:
    data = classes(tmp_path, cat=3, dog=4)
    assert data_catalog.known_classes(data) == {"cat": 3, "dog": 4}
    (tmp_path / "train/cat/new.png").touch()
    assert data_catalog.known_classes(data) == {"cat": 4, "dog": 4}
    (tmp_path / "train/dog/0.png").unlink()
    (tmp_path / "train/dog/inner").mkdir()
    assert data_catalog.known_classes(data) == {"cat": 4, "dog": 3}
    (found,) = findings(data)
    assert "'inner' is a folder inside a class folder" in found.replace(f"{tmp_path}/train/dog/", "")


def test_what_has_just_changed_is_not_kept(
    tmp_path: Path, looked_through: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two changes within a tick of the file system's clock have one time."""
    monkeypatch.setattr(stamps, "SETTLED", 3600 * 10**9)  # however slow the machine
    data = classes(tmp_path, cat=3, dog=4)
    for _ in range(2):
        assert data_catalog.known_classes(data) == {"cat": 3, "dog": 4}
    assert sorted(looked_through) == ["cat", "cat", "dog", "dog"]


@pytest.mark.usefixtures("settled")
def test_standard_layouts_are_counted_once_too(tmp_path: Path, looked_through: list[str]) -> None:
    (tmp_path / "wnids.txt").write_text("n02\nn01\n")
    for name, number in {"n01": 2, "n02": 3}.items():
        images = tmp_path / "train" / name / "images"
        images.mkdir(parents=True)
        for index in range(number):
            (images / f"{name}_{index}.JPEG").touch()
    data = DataSet(name="tiny-imagenet", root=str(tmp_path), test_split=None)
    for _ in range(2):
        assert data_catalog.known_classes(data) == {"n01": 2, "n02": 3}
    assert looked_through == ["images", "images"]
