"""Reads the YAML files of a configuration and what a command line lays over them, and keeps values as written.

YAML takes unquoted text for numbers, truth values and dates; an error can then show what stands in the file. What keys
mean is left to `configuration.reading`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel
from yaml.constructor import ConstructorError

from dilt.settings.experiment import Config

Place = tuple[str, ...]
# Numbers that YAML 1.1 reads to base 8 (012), which hardly anyone means.
OCTAL = re.compile(r"[-+]?0[0-7_]+")
# Numbers with an exponent but no point, which YAML 1.1 takes for text and YAML 1.2 does not.
EXPONENT = re.compile(r"[-+]?[0-9]+\.?[0-9]*[eE][-+]?[0-9]+")


class ConfigError(ValueError):
    """What is wrong with a configuration, one line per finding."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Written(NamedTuple):
    """An unquoted scalar that YAML does not take for text, and the value that YAML reads."""

    text: str
    value: Any

    @property
    def meaning(self) -> str:
        """The value that YAML reads, in words."""
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return f"the truth value {str(self.value).lower()}"
        if isinstance(self.value, datetime.date):
            return "a date"
        return f"the number {self.value}" if isinstance(self.value, int | float) else f"a {type(self.value).__name__}"

    @property
    def is_misleading(self) -> bool:
        """Whether YAML reads a number to base 8 (012) or 60 (12:30)."""
        return type(self.value) in (int, float) and bool(OCTAL.fullmatch(self.text) or ":" in self.text)


@dataclass(frozen=True)
class Document:
    """Keys and values; and, by place, unquoted scalars as they are written."""

    values: dict[str, Any]
    written: dict[Place, Written]

    def under(self, other: Document) -> Document:
        """This document with another laid over it: sections are merged, other values of the other one replace these.

        So do mappings that the user fills, such as targets, partitions or the arguments of the model.
        """
        replaced = set(_replacing(other.values, Config))
        kept = {
            place: written
            for place, written in self.written.items()
            if not any(place[:end] in replaced for end in range(1, len(place) + 1))
        }
        return Document(_merged(self.values, other.values, Config), kept | other.written)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice; YAML itself would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            value = self.construct_object(key)  # yes and on are one key
            if (type(value), value) in seen:
                raise ConstructorError(None, None, f"the key '{key.value}' is there twice", key.start_mark)
            seen.add((type(value), value))
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", EXPONENT, list("-+0123456789"))


def read(path: Path) -> Document:
    """What a YAML file holds, unchecked.

    Raises:
        ConfigError: the file cannot be read, has no keys or has one of them twice.
    """
    try:
        document = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file; give the path of a configuration such as config.yaml"]) from None
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}; give the path of a YAML file that can be read"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        reason = error.problem or error.context
        raise ConfigError([f"{path}: not readable as YAML: {line}{reason}; correct it there"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError([f"{path}: not readable as YAML: {reason}; save it as plain text"]) from error
    if not document.values:
        raise ConfigError([f"{path}: empty; copy config.yaml, in which every key is explained, and change it"])
    if not isinstance(document.values, dict):
        raise ConfigError([f"{path}: not a mapping of keys to values; write 'key: value' lines as config.yaml has"])
    return document


def gather(files: Sequence[Path], entries: Sequence[str] = ()) -> Document:
    """Files laid one over the other, then entries ``key=value`` of a command line, whose values are YAML.

    Raises:
        ConfigError: as `read`.
    """
    documents = [read(file) for file in files]
    for entry in entries:
        key, _, text = entry.partition("=")
        try:
            given = _parsed(text, (key,))
        except (yaml.YAMLError, ValueError):
            given = Document(text, {})  # type: ignore[arg-type]  # the value of one key
        documents.append(Document({key: given.values}, given.written))
    whole = Document({}, {})
    for document in documents:
        whole = whole.under(document)
    return whole


def retyped(values: Mapping[str, Any]) -> Document:
    """What Snakemake has read from files, with 1e-3 and the like, which it takes for text, as numbers."""

    def number(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: number(member) for key, member in value.items()}
        if isinstance(value, list):
            return [number(member) for member in value]
        return float(value) if isinstance(value, str) and EXPONENT.fullmatch(value) else value

    return Document(number(values), {})


def is_text_of_another_type(text: str) -> bool:
    """Whether YAML would take the text, without quotes, for a number, a truth value or nothing."""
    try:
        node = yaml.compose(text, _Loader)
    except yaml.YAMLError:
        return False
    kinds = ("int", "float", "bool", "null")
    return bool(text) and isinstance(node, yaml.ScalarNode) and node.tag.rpartition(":")[2] in kinds


def _parsed(text: str, base: Place = ()) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        values: Any = None if node is None else loader.construct_document(node)
        written = {} if node is None else dict(_written(loader, node, base, ()))
    finally:
        loader.dispose()
    return Document(values, written)


def _written(
    loader: _Loader, node: yaml.Node, place: Place, above: tuple[yaml.Node, ...]
) -> Iterator[tuple[Place, Written]]:
    """Every unquoted scalar that is no text, by the keys and positions that lead to it; keys themselves by [key]."""
    if any(node is other for other in above):
        raise ConstructorError(None, None, f"'{'.'.join(place)}' contains itself", node.start_mark)
    inside = (*above, node)
    if isinstance(node, yaml.ScalarNode):
        if node.style is None and not node.tag.endswith(":str"):
            yield place, Written(node.value, loader.construct_object(node))
    elif isinstance(node, yaml.SequenceNode):
        for position, member in enumerate(node.value):
            yield from _written(loader, member, (*place, str(position)), inside)
    elif isinstance(node, yaml.MappingNode):
        for key, member in node.value:
            name = str(loader.construct_object(key, deep=True))
            yield from _written(loader, key, (*place, name, "[key]"), inside)
            yield from _written(loader, member, (*place, name), inside)


def _replacing(values: Any, section: type[BaseModel] | None, place: Place = ()) -> Iterator[Place]:
    """The places of values that replace what lies below them."""
    if section is None or not isinstance(values, Mapping):
        yield place
        return
    for key, value in values.items():
        yield from _replacing(value, _section(section, key), (*place, str(key)))


def _merged(below: Any, above: Any, section: type[BaseModel] | None) -> Any:
    """One value laid over another: of a section, or of None, which stands for all that is no section."""
    if section is None or not isinstance(above, Mapping):
        return above
    under = below if isinstance(below, Mapping) else {}
    return {**under, **{key: _merged(under.get(key), value, _section(section, key)) for key, value in above.items()}}


def _section(above: type[BaseModel], key: object) -> type[BaseModel] | None:
    """The section that a key of another one holds, if it holds one."""
    field = above.model_fields.get(str(key))
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
