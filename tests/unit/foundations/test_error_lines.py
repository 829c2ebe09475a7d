"""Findings of one kind are one line, with an example and a count; findings of different kinds stay apart."""

from typing import Any

import pytest
from configurations import changed

from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.foundations.error_lines import grouped

SIXTY = [f"class {number}" for number in range(60)]
EMPTY = {"name": "folder", "root": "/nowhere"}
ALIKE: dict[str, tuple[dict[str, Any], str, str]] = {
    "classes that are no text": (
        {"source/classes": [number / 2 for number in range(60)]},
        "source.classes.0: 0.0: should be a valid string; put it in quotes (and 59 more like it: source.classes.1, ",
        "source.classes",
    ),
    "classes that the data lack": (
        {"source/classes": [f"x{number}" for number in range(60)], "source/partitions": {"by": "random"}},
        "source.classes: 'x0' is not a class of digits",
        "source.classes:",
    ),
    "classes of partitions": (
        {"source/partitions/classes/low": ["0", "1", "2", *SIXTY]},
        "source.partitions.classes: class 'class 0' of 'low' is not a source class",
        "source.partitions",
    ),
    "tickets": ({"tickets/names": SIXTY}, "tickets.names: 'class 0' is no ticket of this experiment", "tickets.names"),
    "rounds": ({"tickets/rounds": [2, 4, *range(6, 66)]}, "tickets.rounds: 6 is not below", "tickets.rounds"),
    "unknown keys": (
        {f"model/key_{letter}{other}": 1 for letter in "abcdef" for other in "qrstuvwxyz"},
        "model.key_aq: unknown key; remove it (and 59 more like it: model.key_ar, model.key_as, model.key_at, ...)",
        "model.",
    ),
    "names of targets": (
        {"targets": {f"bird {number}": {"name": "digits", "classes": ["6", "7"]} for number in range(60)}},
        "targets.bird 0: 'bird 0': should be a word of letters, digits, - and _, for it names a folder (and 59 more",
        "targets.",
    ),
    "targets": (
        {"targets": {f"birds-{number}": EMPTY | {"classes": ["a", f"b{number}"]} for number in range(60)}},
        "targets.birds-0.root: '/nowhere' does not exist; give the folder that holds 'train' (and 59 more like it: "
        "targets.birds-1.root, targets.birds-2.root, targets.birds-3.root, ...)",
        ".root",
    ),
}


@pytest.mark.parametrize(("changes", "line", "key"), ALIKE.values(), ids=ALIKE)
def test_sixty_mistakes_of_one_kind_are_one_line(changes: dict[str, Any], line: str, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(changed(changes), "mine.yaml")
    told = [one for one in raised.value.lines if key in one]
    assert len(told) == 1, told
    assert told[0].startswith(f"mine.yaml: {line}")
    assert "(and 59 more like it" in told[0]


def test_of_a_few_keys_each_is_told() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(
            changed({"training": {"epochs": 0, "batch_size": 0}, "model": {"name": "mlp", "wdith": 1, "stme": 1}}),
            "mine.yaml",
        )
    assert [line.partition(";")[0] for line in raised.value.lines] == [
        "mine.yaml: model.wdith: unknown key",
        "mine.yaml: model.stme: unknown key",
        "mine.yaml: training.epochs: 0: should be greater than or equal to 1",
        "mine.yaml: training.batch_size: 0: should be greater than or equal to 1",
    ]


def test_findings_of_different_kinds_stay_apart() -> None:
    lines = [
        "x.yaml: source.root: missing; give it",
        "x.yaml: targets.a.root: missing; give it",
        "x.yaml: source.root: '/a' does not exist; give it",
        "x.yaml: source.root: '/a' cannot be read; give it",
    ]
    assert grouped(lines) == lines


def test_others_of_a_kind_are_named_and_said_once() -> None:
    lines = [f"k: '{name}' is not a block of m; did you mean '{name}1'?" for name in ("a", "b: c", "a", "it's")]
    assert grouped(lines) == ["k: 'a' is not a block of m; did you mean 'a1'? (and 2 more like it: 'b: c', 'it's')"]
