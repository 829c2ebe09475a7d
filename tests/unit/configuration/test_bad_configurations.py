"""What is wrong with a configuration is told before any job, each finding in one line: file, key, value and cure."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from bad_configurations import BAD
from bad_ticket_configurations import RESNET
from configurations import ROOT, assert_told, changed
from misread_configurations import MISREAD

from dilt.configuration.reading import load, parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.sources import checks


@pytest.fixture(autouse=True)
def with_every_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever timm's readers need counts as installed."""
    monkeypatch.setattr(checks, "PACKAGES", {})


@pytest.mark.parametrize(("changes", "line"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_mistake_is_told_in_one_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(changed(changes), "mine.yaml")
    assert_told(str(raised.value), f"mine.yaml: {line}")


@pytest.mark.parametrize(("before", "after", "line"), MISREAD, ids=[row[1].strip() for row in MISREAD])
def test_what_yaml_takes_for_no_text_is_told_as_it_is_written(
    tmp_path: Path, before: str, after: str, line: str
) -> None:
    text, file = (ROOT / "config.yaml").read_text(), tmp_path / "mine.yaml"
    assert text.count(before) >= 1
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert_told(str(raised.value), f"{file}: {line}")


def test_all_mistakes_are_told_at_once() -> None:
    changes = {"trainning": {}, "pruning/rate": 2, "seeds": [1, 1], "source/root": 7, "model/nmae": "mlp"}
    with pytest.raises(ConfigError) as raised:
        parse_config(changed(changes), "mine.yaml")
    for key in ("trainning", "pruning.rate", "seeds", "source.root", "model.nmae"):
        assert any(line.startswith(f"mine.yaml: {key}: ") for line in raised.value.lines), key
    assert len(raised.value.lines) == 5


@pytest.mark.parametrize("name", ["full", "all", "consensus", "low-sibling"])
def test_a_partition_cannot_take_a_name_that_means_something_else(name: str) -> None:
    classes = {"low": ["0", "1", "2"], name: ["3", "4", "5"]}
    with pytest.raises(ConfigError, match=rf"^mine\.yaml: source\.partitions\.classes: the name '{name}' means"):
        parse_config(changed({"source/partitions/classes": classes}), "mine.yaml")


@pytest.mark.parametrize(
    "name",
    [
        *("low", "full", "low-sibling", "core", "union", "specialist-low", "all", "untrained", "trained-low"),
        *("reinit", "shuffled", "lth-same-rounds", "specialist-other", "null-core-low", "consensus-9"),
    ],
)
def test_a_defined_ticket_cannot_take_a_name_that_means_something_else(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^mine\.yaml: tickets\.define\.{name}: the name '{name}' means"):
        parse_config(changed({"tickets/define": {name: "low & high"}}), "mine.yaml")


def test_layers_and_weights_of_a_timm_model_are_known_before_any_job() -> None:
    names = {"representations/layers": ["layer1.0", "layer1.9"], "pruning/exclude": ["conv1.weight", "stem*"]}
    with pytest.raises(ConfigError) as raised:
        parse_config(changed({"model": RESNET} | names), "mine.yaml")
    assert [line.partition(";")[0] for line in raised.value.lines] == [
        "mine.yaml: representations.layers: 'layer1.9' is not a block of resnet18",
        "mine.yaml: pruning.exclude: 'stem*' matches no weight of resnet18",
    ]


def test_a_configuration_can_be_checked_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(changed({"pruning/rate": 2, "seeds": [0, 0]})))
    command = [sys.executable, "-m", "dilt.config", str(tmp_path / "bad.yaml")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 1
    assert [line.split(": ")[1] for line in ran.stderr.splitlines()] == ["seeds", "pruning.rate"]
