"""Facts about data sets that other packages read: without the package a line says which, with it images are read."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import timm.data.readers
from configurations import ROOT, assert_told, changed
from packaging.requirements import Requirement

from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.settings.data import DataSet
from dilt.sources import checks, loading
from tests import archives

WANTED = {
    "hfds/photos": "needs the package datasets: pip install 'dilt[hf]'",
    "hfids/photos": "needs the package datasets: pip install 'dilt[hf]'",
    "wds/photos": "needs the package webdataset: pip install 'dilt[wds]'",
    "tfds/photos": "needs the package tensorflow_datasets: pip install tensorflow-datasets tensorflow",
}
TARGET = {"name": "torch/mnist", "root": "."}
CLASSES = ["ant", "bee", "cat"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of class folders, by which the data set is called, where nothing is fetched from a network."""
    for split, images in {"train": 6, "test": 2}.items():
        for label, kind in enumerate(CLASSES):
            for number in range(images):
                archives.picture(tmp_path / f"photos/{split}/{kind}/{number}.png", label, True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "photos"


@pytest.mark.parametrize("name", WANTED)
def test_without_its_package_it_is_named_before_any_job_and_when_it_is_loaded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "is_installed", lambda _: False)
    wanted = f"name: '{name}' {WANTED[name]}"
    with pytest.raises(ConfigError) as raised:
        parse_config(changed({"targets/held-out": TARGET, "source/name": name}), "my.yaml")
    assert_told(str(raised.value), f"my.yaml: source.{wanted}")
    with pytest.raises(ValueError, match="needs the package") as told:
        loading.load(DataSet(name=name))
    assert str(told.value) == wanted


def test_each_package_is_what_timm_s_reader_imports_and_an_extra_installs() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    readers = Path(timm.data.readers.__file__).parent
    for reader, (package, wanted) in checks.PACKAGES.items():
        assert f"import {package}" in (readers / f"reader_{reader[:-1]}.py").read_text()
        for extra in re.findall(r"'dilt\[(\w+)\]'", wanted):
            assert [Requirement(wish).name for wish in extras[extra]] == [package]


def test_a_folder_is_read_by_hugging_face_s_datasets(photos: Path) -> None:
    pytest.importorskip("datasets", reason="datasets, which reads hfds/, is not installed: pip install 'dilt[hf]'")
    pools, classes = loading.load(DataSet(name="hfds/photos", root="cache", test_split="test"))
    assert classes == CLASSES
    own, _ = loading.load(DataSet(name="folder", root=str(photos), test_split="test"))
    for split, (pixels, labels) in pools.items():
        assert labels.tolist() == own[split][1].tolist()
        every = np.arange(len(labels))
        assert np.array_equal(np.asarray(pixels[every]), np.asarray(own[split][0][every]))
