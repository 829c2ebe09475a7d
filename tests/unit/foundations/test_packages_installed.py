"""Facts about packages that only some experiments need: those that can be imported are there, a folder is not."""

from pathlib import Path

import pytest

from dilt.foundations.packages import is_installed


def test_a_folder_of_its_name_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tensorboard_of_mine").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("tensorboard_of_mine")
    assert not is_installed("not_even_a_folder")
    assert is_installed("timm")
