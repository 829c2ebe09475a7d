"""The tables of docs/recipes.md have every value that a preset gives, and no other."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dilt.settings.networks import Model
from dilt.settings.training import Pruning, Training
from tests.conftest import ROOT

PAGE = (ROOT / "docs/recipes.md").read_text()
SECTIONS = {"model": Model(), "training": Training(), "pruning": Pruning()}
PARTS: dict[str, str] = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL))
PRESETS = [(title, preset) for title in PARTS for preset in title.split(", ")]


def told(title: str) -> dict[str, Any]:
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| .+ \|$", PARTS[title], re.MULTILINE)
    return {key: yaml.safe_load(value) for key, value in rows}


def given(preset: str) -> Iterator[tuple[str, Any, Any]]:
    """Keys of a preset, their values, and dilt's defaults."""
    values = yaml.safe_load((ROOT / f"workflow/presets/{preset}.yaml").read_text())
    for section, defaults in SECTIONS.items():
        read = type(defaults).model_validate(values[section])
        for key in values[section]:
            of_optimizer = Training(optimizer=values["training"]["optimizer"])
            default = getattr(of_optimizer if section == "training" else defaults, key)
            yield f"{section}.{key}", getattr(read, key), "sgd or adamw" if key == "optimizer" else default


@pytest.mark.parametrize(("title", "preset"), PRESETS)
def test_a_preset_is_told_value_by_value(title: str, preset: str) -> None:
    rows, values = told(title), list(given(preset))
    named = {key: value for key, value, _ in values}
    for key, value in rows.items():
        assert named[key] == value, key
    shared = {"model.name"} if "," in title else set()
    untold = {key for key, value, default in values if value != default and key != "training.optimizer"} - rows.keys()
    assert untold - shared == set()


def test_every_preset_for_whole_data_sets_is_told() -> None:
    files = {file.stem for file in (ROOT / "workflow/presets").glob("*.yaml")} - {"smallest"}
    assert {preset for _, preset in PRESETS} == files
