"""What is found out about a network before any job is told in a line for each fact, with its key and a cure."""

from collections.abc import Mapping

import pytest
import yaml

from dilt.configuration import checks
from dilt.configuration.reading import parse_config
from dilt.networks import inspection
from dilt.networks.inspection import Inspection, Layout
from dilt.settings.networks import Model
from tests.conftest import ROOT

DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
GOOD = {"refusal": None, "blocks": {"layer1.0": Layout(1, 0)}, "silent": {}, "unreached": {}, "linear": True}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp()))


def lines(monkeypatch: pytest.MonkeyPatch, found: dict[str, object], **settings: dict[str, object]) -> list[str]:
    """What the check of a ResNet says if it was found to be so."""
    monkeypatch.setattr(inspection, "inspect", lambda *_: Inspection(**{**GOOD, **found}))  # type: ignore[arg-type]
    config = parse_config({name: values(name, settings) for name in DEFAULT}, "config.yaml", False)
    return list(
        checks._network(Model(name="resnet18"), config.representations, config.pruning, config.transfer, config.source)
    )


def values(section: str, settings: Mapping[str, dict[str, object]]) -> object:
    """A section of config.yaml, some of its values replaced."""
    return {**DEFAULT[section], **settings[section]} if section in settings else DEFAULT[section]


def test_a_network_that_does_what_is_asked_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, {}) == []


def test_a_refused_network_is_not_blamed_for_its_head_too(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = "model.name: resnet18 answers nothing; choose another model"
    assert lines(monkeypatch, {"refusal": refusal, "linear": False}) == [refusal]


def test_a_head_that_takes_no_linear_classifier_matters_to_the_protocol_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = lines(monkeypatch, {"linear": False})
    assert line.startswith("transfer.protocols: linear, but resnet18 has no linear layer")
    assert lines(monkeypatch, {"linear": False}, transfer={"protocols": ["retrain"]}) == []


def test_blocks_that_cannot_be_observed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"silent": {"layer1.0": "is called 2 times for one image"}}
    told = "representations.layers: 'layer1.0' is called 2 times for one image; name another block"
    assert lines(monkeypatch, found) == [told]


def test_weights_that_do_not_convolve_are_told_unless_they_are_not_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"unreached": {"conv1.weight": "it is multiplied by its gain"}}
    (line,) = lines(monkeypatch, found)
    assert "'conv1.weight' is not what is convolved or multiplied with (it is multiplied by its gain)" in line
    assert lines(monkeypatch, found, pruning={"exclude": ["conv1.*"]}) == []


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        (Layout(None, None), {"mean": "which axis", "tokens": "which axis", "flat": ""}),
        (Layout(1, None), {"mean": "", "tokens": "how many class tokens", "flat": ""}),
    ],
)
def test_pooling_needs_to_know_the_axes_of_a_block(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, told: dict[str, str]
) -> None:
    for pooling, words in told.items():
        said = lines(monkeypatch, {"blocks": {"layer1.0": layout}}, representations={"pooling": pooling})
        assert len(said) == bool(words)
        assert all(line.startswith(f"representations.pooling: {pooling}, but {words}") for line in said)
