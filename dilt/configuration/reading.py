"""Reads a configuration from its file and checks it, with one line per error and all errors at once.

Also gives the JSON schema for editors. `configuration.checks` checks that sections fit together.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dilt.configuration import checks, derived_defaults
from dilt.configuration.other_words import key_for
from dilt.configuration.yaml_files import ConfigError as ConfigError
from dilt.configuration.yaml_files import Place, Written, gather, is_text_of_another_type
from dilt.foundations.error_lines import grouped
from dilt.settings.experiment import RENAMED, REPLACED, Config

CLASS_NAMES = re.compile(r"(source|targets\.[^.]+)\.classes\.\d+|source\.partitions\.classes\..+\.\d+")
CHOICES = {"partitions": ("classes", "contiguous", "random", "table"), "groups": ("pattern", "folder", "table")}


def parse_config(
    values: Mapping[str, Any],
    file: str = "config.yaml",
    across: bool = True,
    written: Mapping[Place, Written] | None = None,
) -> Config:
    """A checked configuration.

    Sections are validated one by one, so that an error in one does not hide the errors of another.

    Args:
        across: also check that sections agree with each other and with what is installed, for which some models have
            to be built; a cluster job need not, for a configuration that was checked when it was submitted.
        written: how values that YAML does not take for text stand in the file, for errors to show.

    Raises:
        ConfigError: one line per error, each naming file, key, value and cure.
    """
    lines = [
        f"{file}: {key}: unknown key{_instead((str(key),), Config.model_fields)}"
        for key in values
        if key not in Config.model_fields
    ]
    written = written or {}
    misread = dict(_misread(written))
    lines += [f"{file}: {_where(place, written)}: {finding}" for place, finding in misread.items()]
    sections: dict[str, Any] = {}
    for key, field in Config.model_fields.items():
        if key not in values and field.is_required():
            lines.append(f"{file}: {key}: missing; config.yaml shows what belongs here")
            continue
        if key not in values and key not in derived_defaults.SECTIONS:
            sections[key] = field.get_default(call_default_factory=True)
            continue
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
            given = derived_defaults.filled(key, values.get(key, {}), sections)
            sections[key] = adapter.validate_python(given, strict=True)
        except ValidationError as error:
            details = [detail for detail in error.errors() if not _is_above(_place(key, detail), misread)]
            details = [detail for detail in details if detail["type"] != "default_factory_not_called"]
            lines += [f"{file}: {_describe(key, detail, written)}" for detail in details]
    for key in {place[0] for place in misread}:
        sections.pop(key, None)
    if "training" not in sections:
        sections.pop("transfer", None)  # the values that it inherits are not known
    if across:
        lines += [f"{file}: {finding}" for finding in checks.findings(sections)]
    if lines:
        raise ConfigError(grouped(lines))
    return Config(**sections)


def load(*files: Path) -> Config:
    """The configuration in YAML files that are laid one over the other; raises ConfigError as `parse_config` does."""
    document = gather(files)
    return parse_config(document.values, " + ".join(map(str, files)), written=document.written)


def _misread(written: Mapping[Place, Written]) -> Iterator[tuple[Place, str]]:
    """Numbers that YAML reads as other numbers than are written: 010 is read as 8, and 0x10 would be class 16."""
    for place, found in written.items():
        if found.is_misleading:
            cure = f"write it in quotes, '{found.text}', if it is a name, and {found.value} if it is that number"
        elif CLASS_NAMES.fullmatch(".".join(place)) and type(found.value) is int and str(found.value) != found.text:
            cure = f"write it in quotes: '{found.text}'"
        else:
            continue
        yield place, f"{found.text}: YAML reads it as {found.meaning}; {cure}"


def _is_above(place: Place, others: Iterable[Place]) -> bool:
    """Whether another place is this one or within it."""
    return any(other[: len(place)] == place for other in others)


def _place(key: str, error: ErrorDetails) -> Place:
    """The keys that lead to an error, as a file has them: without the name of a kind of partitions or groups."""
    parts = list(error["loc"])
    for choice, tags in CHOICES.items():
        if choice in parts[:-1] and parts[parts.index(choice) + 1] in tags:
            del parts[parts.index(choice) + 1]
    if parts[-1:] == ["[key]"]:
        parts[-2] = str(error["input"])  # pydantic shows a date by its constructor
    return (key, *map(str, parts))


def _where(place: Place, written: Mapping[Place, Written]) -> str:
    """A place as a dotted key, as the file has it."""
    if place[-1] != "[key]":
        return ".".join(place)
    return ".".join([*place[:-2], written[place].text if place in written else place[-2]])


def _describe(key: str, error: ErrorDetails, written: Mapping[Place, Written]) -> str:
    place = _place(key, error)
    where = _where(place, written)
    found = written.get(place)
    if error["type"] == "extra_forbidden":
        if where in RENAMED:
            return f"{where}: is called {RENAMED[where]} now; rename it"
        if where in REPLACED:
            return f"{where}: {REPLACED[where]}"
        return f"{where}: unknown key{_instead(place, _known_keys(key))}"
    if error["type"] == "missing":
        return f"{where}: missing; config.yaml shows what belongs here"
    value = error["input"]
    if error["type"] in ("model_type", "dict_type", "model_attributes_type"):
        return f"{where}: {_short(value)}: should be a mapping of keys to values, as in config.yaml"
    if error["type"] == "union_tag_invalid":
        return f"{where}.by: '{error['ctx']['tag']}': should be one of {error['ctx']['expected_tags']}"
    if error["type"] == "union_tag_not_found":
        return f"{where}.by: missing; config.yaml shows what belongs here"
    if error["type"] == "string_pattern_mismatch":
        return f"{where}: {_short(value)}: should be a word of letters, digits, - and _, for it names a folder"
    if error["type"] == "string_type" and found:
        cure = f"write it in quotes: '{found.text}'" if found.text else "nothing stands there; write a name"
        return f"{where}: {found.text or 'null'}: YAML reads it as {found.meaning}; {cure}"
    message = (
        error["msg"].replace("Value error, ", "").replace("Input should", "should").replace(" after validation", "")
    )
    return f"{where}: {_short(value)}: {message[0].lower()}{message[1:]}{_cure(error['type'], value)}"


def _short(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= 80 else f"{written[:77]}..."


def _cure(kind: str, value: Any) -> str:
    """How to write a value of the wrong type so that it has the right type."""
    simple = not isinstance(value, list | dict | NoneType)
    if kind == "string_type" and simple:
        return "; put it in quotes"
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str) and is_text_of_another_type(value):
        return "; write it without quotes"
    if kind == "list_type" and simple:
        return f", such as [{value}]"
    return ""


def _known_keys(key: str) -> list[str]:
    annotation: Any = Config.model_fields[key].annotation
    return _keys(TypeAdapter(annotation).json_schema())


def _keys(schema: Any) -> list[str]:
    """Every key that a JSON schema has, at any depth."""
    if isinstance(schema, list):
        return [key for part in schema for key in _keys(part)]
    if not isinstance(schema, dict):
        return []
    return [*schema.get("properties", {}), *(key for part in schema.values() for key in _keys(part))]


def _instead(place: Place, known: Any) -> str:
    """What to do about a key that there is not: use the one that other tools call so, or one spelt much like it."""
    word = place[-1]
    if key := key_for(word):
        section, _, name = key.partition(".")
        like_source = place[0] == "targets" and section == "source"
        beside = name and (like_source or place[-2:-1] == (section,))
        return f"; here it is {'.'.join((*place[:-1], name)) if beside else key}"
    near = difflib.get_close_matches(word, [key for key in known if key != word], n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else "; remove it"


def schema() -> str:
    """The JSON schema of the configuration, for editors."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"
