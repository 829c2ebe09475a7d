"""Files that hold no configuration or no class table are told in one line: file, what is wrong and the cure."""

import json
from pathlib import Path

import pytest
import yaml
from configurations import assert_told, changed

from dilt.configuration.derived_names import partition_names
from dilt.configuration.reading import load, parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.data.partitions import read_class_table

# Files that hold no configuration.
FILES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty; copy config.yaml, in which every key is explained, and change it"),
    ("comments only", b"# seeds: [0]\n", "empty; copy config.yaml..."),
    ("a list", b"- seeds\n", "not a mapping of keys to values; write 'key: value' lines as config.yaml has"),
    (
        "an open bracket",
        b"seeds: [0\nmodel: {}\n",
        "not readable as YAML: line 2: expected ',' or ']'...; correct it there",
    ),
    (
        "a tabulator",
        b"training:\n\tepochs: 3\n",
        "not readable as YAML: line 2: found character '\\t'...; correct it there",
    ),
    (
        "a key twice",
        b"seeds: [0]\nmodel: {}\nseeds: [1]\n",
        "not readable as YAML: line 3: the key 'seeds' is there twice; ...",
    ),
    (
        "a key twice inside",
        b"training:\n  epochs: 3\n  epochs: 4\n",
        "not readable as YAML: line 3: the key 'epochs' is...twice; ...",
    ),
    ("a list as key", b"? [seeds]\n: 1\n", "not readable as YAML: line 1: found unhashable key; correct it there"),
    ("not UTF-8", "experiment: K\u00e4fer\n".encode("latin-1"), "not UTF-8 text (byte 13); save it as UTF-8"),
    (
        "a key twice of two spellings",
        b"a: {yes: 1, on: 2}\n",
        "not readable as YAML: line 1: the key 'on' is there twice; ...",
    ),
    (
        "a value that contains itself",
        b"model: &a [*a]\n",
        "not readable as YAML: line 1: 'model.0' contains itself; ...",
    ),
    ("a template", b"seeds: {{ seeds }}\n", "not readable as YAML: line 1: found unhashable key; correct it there"),
    ("binary", b"seeds: [0]\x00\x01", "not readable as YAML: ...; save it as plain text"),
    (
        "code",
        b"seeds: !!python/object/apply:os.getcwd []\n",
        "not readable as YAML: line 1: could not determine...; correct...",
    ),
]


@pytest.mark.parametrize(("content", "line"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_that_is_no_configuration_is_told(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load(file)
    assert_told(str(raised.value), f"{file}: {line}")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"%YAML 1.1\n---\n"], ids=["byte order mark", "directive"])
def test_marks_before_a_configuration_are_passed_over(tmp_path: Path, mark: bytes) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(mark + yaml.safe_dump(changed({})).replace("\n", "\r\n").encode())
    assert load(file) == parse_config(changed({}))


def test_json_is_yaml(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(changed({"training/learning_rate": 1e-5})))
    assert load(tmp_path / "mine.json").training.learning_rate == 1e-5


def test_a_configuration_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "gone.yaml")
    assert_told(str(raised.value), f"{tmp_path}/gone.yaml: no such file; give the path of a configuration...")
    with pytest.raises(ConfigError) as raised:
        load(tmp_path)
    assert_told(str(raised.value), f"{tmp_path}: Is a directory; give the path of a YAML file that can be read")


# Class tables, and what is said of them after the name of the file.
PAIRS = [("0", "a"), ("1", "a"), ("2", "a"), ("3", "b"), ("4", "b"), ("5", "b")]
GOOD = "class,group\n0,a\n1,a\n2,a\n3,b\n4,b\n5,b\n"
CLASS_TABLES: list[tuple[str, bytes, str]] = [
    ("empty", b"", "no rows; give a line 'class,group' and then a row per class"),
    ("a header alone", b"class,group\n", "no rows; give a line 'class,group' and then a row per class"),
    ("a missing column", GOOD.replace("group", "kind").encode(), "no column 'group'; name one of class, kind"),
    ("bars", GOOD.replace(",", "|").encode(), "no column 'class'; name one of class|group"),
    ("a missing column, semicolons", b"class;kind\n0;a\n", "no column 'group'; name one of class, kind"),
    ("none of the columns, tabulators", b"name\tkind\n0\ta\n", "no column 'class'; name one of name, kind"),
    ("a column twice", b"class,group,group\n0,a,b\n", "column 'group' is there twice; rename one"),
    (
        "a group that is a path",
        GOOD.replace("b", "../b").encode(),
        "group '../b' cannot name a partition; choose a word...",
    ),
    (
        "a group called all",
        GOOD.replace(",b", ",all").encode(),
        "group 'all' cannot name a partition; choose a word...",
    ),
]
# The same, where the place of the mistake follows the name of the file.
CELLS: list[tuple[str, bytes, str]] = [
    ("a class twice", f"{GOOD}1,b\n".encode(), ":8:2: class '1' is 'b' here and 'a' in FILE:3:2; keep one"),
    ("no group", GOOD.replace("5,b", "5,").encode(), ":7:2: '5' has no group; fill the cell of 'group', or remove..."),
    ("a short row", GOOD.replace("5,b", "5").encode(), ":7:2: '5' has no group; fill the cell of 'group', or..."),
    ("no class", GOOD.replace("5,b", ",b").encode(), ":7:1: 'b' has no class; fill the cell of 'class', or remove..."),
    (
        "a comma in a name",
        GOOD.replace("2,", "2, new,").encode(),
        ":4:3: 'a' is in no column; put a cell that has a...",
    ),
    (
        "many empty cells",
        GOOD.replace("b", "").encode(),
        ":5:2: '3' has no group; fill the cell of 'group', or remove the row (and 2 more like it: '4', '5')",
    ),
    ("a quote that stays open", GOOD.replace("1,", '"1,').encode(), ":3: not readable as CSV (unexpected end of..."),
    ("binary", bytes(range(256)), ":3:115: not UTF-8 text; save it as UTF-8"),
    ("Latin-1", GOOD.replace("3,b", "3,bl\u00e4tter").encode("latin-1"), ":5:5: not UTF-8 text; save it as UTF-8"),
]
# The same, without the name of the file.
CLASSES: list[tuple[str, bytes, str]] = [
    ("a class that the data lack", f"{GOOD}six,b\n".encode(), "class 'six' of the class table is not in the data; ..."),
    (
        "a source class is missing",
        GOOD.replace("5,b\n", "").encode(),
        "class '5' is not in the class table; give it a...",
    ),
    ("one group", GOOD.replace("b", "a").encode(), "1 partition(s) given; two or more are needed, add one"),
    (
        "a group of one class",
        GOOD.replace("5,b", "5,c").encode(),
        "partition 'c' has 1 class(es); a classifier needs...",
    ),
]


@pytest.mark.parametrize(
    ("content", "line"),
    [(content, f"FILE: {line}") for _, content, line in CLASS_TABLES]
    + [(content, f"FILE{line}") for _, content, line in CELLS]
    + [row[1:] for row in CLASSES],
    ids=[row[0] for row in CLASS_TABLES + CELLS + CLASSES],
)
def test_a_class_table_that_gives_no_partitions_is_told(tmp_path: Path, content: bytes, line: str) -> None:
    table = tmp_path / "classes.csv"
    table.write_bytes(content)
    values = changed({"source/partitions": {"by": "table", "table": str(table)}})
    with pytest.raises(ConfigError) as raised:
        parse_config(values, "mine.yaml")
    assert_told(str(raised.value), f"mine.yaml: source.partitions.table: {line.replace('FILE', str(table))}")


BOM = b"\xef\xbb\xbf"
SPACED = GOOD.replace(",", ", ").replace("\n", "\r\n").replace(", group", ",group")
SPREADSHEETS = {
    "byte-order mark, Windows line ends, spaces": BOM + SPACED.encode(),
    "quotes": BOM + SPACED.replace("5", '"5"').replace("group", '"group"').encode(),
    "semicolons": BOM + GOOD.replace(",", ";").encode(),
    "tabulators, UTF-16": GOOD.replace(",", "\t").encode("utf-16"),
    "empty rows and columns": (GOOD.replace("\n", ",,\n") + ",,,\n\n , \n").encode(),
    "a row twice": f"{GOOD}1,a\n".encode(),
    "more columns, in another order": ("group,note,class\n" + "".join(f'{g},"x, y",{c}\n' for c, g in PAIRS)).encode(),
    "line ends of old": GOOD.replace("\n", "\r").encode(),
    "a blank line in front": f"\n{GOOD}".encode(),
}


@pytest.mark.parametrize("content", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_a_class_table_as_spreadsheets_write_it_is_read(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "classes.csv"
    table.write_bytes(content)
    config = parse_config(changed({"source/partitions": {"by": "table", "table": str(table)}}))
    assert partition_names(config.source) == ["a", "b"]
    assert read_class_table(table, "class", "group") == dict(PAIRS)


@pytest.mark.parametrize(
    ("written", "number"), [("1e-3", 0.001), ("2E2", 200), ("1.5e1", 15), ("1E+1", 10), ("1", 1), ("0.25", 0.25)]
)
def test_a_number_is_read_as_it_is_written(tmp_path: Path, written: str, number: float) -> None:
    text = yaml.safe_dump(changed({"training/learning_rate": "RATE"}))
    (tmp_path / "mine.yaml").write_text(text.replace("RATE", written))
    assert load(tmp_path / "mine.yaml").training.learning_rate == number
