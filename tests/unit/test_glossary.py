"""The glossary names keys of the configuration and files that there are, and each word once."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from dilt.answers.gathering import TABLES
from dilt.foundations.result_paths import Answers, Networks
from dilt.settings.experiment import Config
from tests.conftest import ROOT

PAGE = (ROOT / "docs/glossary.md").read_text()
WORDS = re.findall(r"^\*\*(.+?)\.?\*\*", PAGE, re.MULTILINE)
ENTRIES = [" ".join(entry.split()) for entry in PAGE.split("\n\n")]
NAMED = [
    re.split(r"\bKeys?: ", entry)[1].partition("Files: ")[0] for entry in ENTRIES if re.search(r"\bKeys?: ", entry)
]
KEYS = sorted({key for named in NAMED for key in re.findall(r"`([a-z_.]+)`", named)})
FILES = sorted(set(re.findall(r"`[^` ]*?([\w.]+\.(?:csv|json|safetensors))`", PAGE)))
PATHS = sorted(set(re.findall(r"`(seed-<s>/[^` ]+)`", PAGE)))
COUPLINGS = ("independent", "cyclic")
SCHEMA = Config.model_json_schema()


def test_each_word_is_explained_once() -> None:
    assert len(WORDS) > 40
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_those_of_the_configuration(key: str) -> None:
    options: list[Mapping[str, Any]] = [SCHEMA]
    for name in key.split("."):
        found = [option["properties"][name] for option in options if name in option.get("properties", {})]
        assert found, f"{key} is no key"
        options = [section for option in found for section in sections(option)]


@pytest.mark.parametrize("file", FILES)
def test_files_are_among_the_results(file: str) -> None:
    results = {place.rpartition("/")[2] for place in (*Networks, *Answers)}
    assert file in results or file.removesuffix(".csv") in TABLES


@pytest.mark.parametrize("path", PATHS)
def test_paths_lead_to_results_or_folders_of_them(path: str) -> None:
    parts = re.sub(r"<\w+>", "*", path).rstrip("/").split("/")
    places = [place.replace("{coupling}", coupling) for place in (*Networks, *Answers) for coupling in COUPLINGS]
    named = [re.sub(r"\{\w+\}", "*", place).split("/")[: len(parts)] for place in places]
    assert parts in named


@pytest.mark.parametrize("section", ["tickets", "claims", "instability", "evaluation"])
def test_every_key_of_these_sections_is_at_a_word(section: str) -> None:
    keys = {f"{section}.{key}" for part in sections(SCHEMA["properties"][section]) for key in part["properties"]}
    assert keys <= set(KEYS)


def test_the_readme_leads_to_it() -> None:
    assert "](docs/glossary.md)" in (ROOT / "README.md").read_text()


def sections(option: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a key's value may be, references followed."""
    if "$ref" in option:
        return sections(SCHEMA["$defs"][option["$ref"].rpartition("/")[2]])
    choices = [*option.get("anyOf", []), *option.get("oneOf", [])]
    return [option, *(section for choice in choices for section in sections(choice))]
