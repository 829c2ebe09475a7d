"""A sweep is one experiment for each combination of its axes' values; what is wrong with a point names it."""

import re
from pathlib import Path

import pytest
import yaml

from dilt.configuration.reading import parse_config
from dilt.configuration.sweeps import read
from dilt.configuration.yaml_files import ConfigError
from tests.conftest import ROOT

COMPARISON = "core - lth@core on transfer"
BASE = [str(ROOT / "config.yaml")]
AXES = {
    "rewinding epoch": {"0": {"pruning": {"rewind_epoch": 0}}, "500 steps": {"pruning": {"rewind_epoch": "50it"}}},
    "partitions": {"semantic": {}, "random": {"source": {"partitions": {"by": "random", "count": 2, "seed": 1}}}},
}


def written(folder: Path, **changed: object) -> Path:
    file = folder / "sweep.yaml"
    content = {"sweep": "s", "base": BASE, "comparison": COMPARISON, "axes": AXES} | changed
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


def test_each_combination_is_an_experiment_with_networks_of_its_own(tmp_path: Path) -> None:
    sweep, points = read(written(tmp_path))
    assert list(sweep.axes) == list(AXES)
    assert [point.experiment for point in points] == [
        *("s-0-semantic", "s-0-random", "s-500-steps-semantic", "s-500-steps-random"),
    ]
    configs = [parse_config(point.configuration) for point in points]
    assert [config.shared for config in configs] == [point.experiment for point in points]
    assert [config.pruning.rewind_epoch for config in configs] == [0, 0, "50it", "50it"]
    assert [config.source.partitions.by for config in configs] == ["classes", "random"] * 2
    assert configs[0].training == configs[3].training, "what no axis sets is the base's"


def test_the_page_s_sweep_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```text\n(sweep:.*?)```", (ROOT / "docs/sweeps.md").read_text(), re.DOTALL)
    values = yaml.safe_load(block)
    claim = {"statement": "s", "round": 1, "comparisons": [values["comparison"]]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"claims": {"asked": [], "own": {"special": claim}}}))
    _, points = read(written(tmp_path, **values | {"base": [*BASE, str(tmp_path / "own.yaml")]}))
    assert len(points) == 3 * 2 * 2
    assert "digits-rewinding-2-random-0-001" in [point.experiment for point in points]


@pytest.mark.parametrize(
    ("changed", "said"),
    {
        "an unknown key": ({"axis": {}}, "axis: extra inputs are not permitted"),
        "no values": ({"axes": {"x": {}}}, "axes.x: has no values"),
        "a key that there is not": ({"axes": {"x": {"a": {"pruning": {"rate": 2}}}}}, "(x a): pruning.rate: 2"),
        "names that become one": ({"axes": {"x": {"a b": {}, "a-b": {}}}}, "two points are called s-a-b"),
        "what no claim compares": ({"comparison": "core - dense on source"}, "no claim that is asked has"),
        "four axes": ({"axes": {name: {"a": {}} for name in "wxyz"}}, "axes: dictionary should have at most 3"),
    }.values(),
)
def test_what_is_wrong_is_told_in_a_line_that_names_file_and_point(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    file = written(tmp_path, **changed)
    with pytest.raises(ConfigError) as error:
        read(file)
    assert all(line.startswith(str(file)) for line in error.value.lines)
    assert said in str(error.value)
