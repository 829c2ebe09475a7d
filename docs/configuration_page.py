"""Writes docs/configuration.md: every key of the configuration, with what it may be and what it means.

Types, choices and defaults are those of `dilt.settings`; explanations are the comments of config.yaml. `make schema`
runs it. Texts of keys are changed there, not on the page.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dilt.settings.base import NAME
from dilt.settings.experiment import Config

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/configuration.md"
WIDTH = 120
INTRODUCTION = """\
# Every key of the configuration

An experiment is one YAML file. [config.yaml](../config.yaml) is the experiment of the demo and has every key;
[your own images](own-data.md) says how to begin with one of your own. A key without a default has to be given.
`null` is how YAML writes nothing. `python -m dilt.config FILE` checks a file: an unknown key, a wrong type and values
that do not go together get a line each. `python -m dilt.config --schema` prints all this for editors.

This page is generated (`make schema`): types and defaults from `dilt/settings/`, explanations from the comments of
config.yaml.
"""
OF_OTHERS = ("targets", "transfer.training")  # which have the keys of another section
OF_SOURCE = "The keys of [source](#source), `partitions` aside, with the defaults that stand there."
OF_TRAINING = "The keys of [training](#training); those that are not given have the values of `training`."


@dataclass(frozen=True)
class Told:
    """What config.yaml says of a key.

    Attributes:
        comment: lines directly above it, without their marks.
        value: what the file gives it.
        before: the key above it in the same section, which its comment may be of too.
    """

    comment: list[str]
    value: Any
    before: str | None


@dataclass(frozen=True)
class Key:
    """A key of the configuration by its whole name, such as ``source.test_share``."""

    name: str
    field: FieldInfo
    schema: Mapping[str, Any]
    definitions: Mapping[str, Any]
    told: Told | None

    @property
    def default(self) -> Any:
        """What it is where it is not given; only of keys that are not required."""
        return self.field.get_default(call_default_factory=True, validated_data={})

    @property
    def left_out(self) -> str:
        """What a key has that is left out, in words, where this follows from other keys; else empty."""
        return (self.field.description or "").partition("left out: ")[2]


def page(text: str) -> str:
    """The page, from the text of config.yaml."""
    told = comments(text)
    parts = [INTRODUCTION]
    plain, sections = [], []
    for key in keys(Config, "", told):
        (sections if section_of(key.field) else plain).append(key)
    parts += ["## Names and seeds\n", *(block for key in plain for block in entry(key, told))]
    for key in sections:
        parts += [f"## {key.name}\n", explained(key, told)]
        if key.name == "targets":
            parts.append(wrapped(f"{sentence(key)} {OF_SOURCE}") + "\n")
        else:
            parts += [block for one in keys(section_of(key.field), f"{key.name}.", told) for block in entry(one, told)]
    return "\n".join(parts)


def entry(key: Key, told: Mapping[str, Told]) -> Iterator[str]:
    """Heading, kind and explanation of a key; then those of the keys below it."""
    yield f"### `{key.name}`\n"
    yield wrapped(sentence(key)) + "\n"
    yield explained(key, told)
    if key.name == "transfer.training":
        yield f"{OF_TRAINING}\n"
        return
    for choice in choices_of(key.field):
        name = " or ".join(f"`{value}`" for value in get_args(choice.model_fields["by"].annotation))
        yield wrapped(f"With `by: {name.strip('`').replace('` or `', '` or `by: ')}`: {first_line(choice)}") + "\n"
        yield "\n".join(item(one) for one in keys(choice, f"{key.name}.", {}) if not one.name.endswith(".by")) + "\n"
    if below := section_of(key.field):
        yield "\n".join(item(one) for one in keys(below, f"{key.name}.", {})) + "\n"


def item(key: Key) -> str:
    """A key below another one, as a line of a list."""
    return wrapped(f"- `{key.name.rpartition('.')[2]}`: {sentence(key)} {escaped(described(key.field))}".strip(), "  ")


def described(field: FieldInfo) -> str:
    """A field's description in the settings as a sentence; empty if it has none."""
    words = (field.description or "").partition("left out: ")[0].rstrip("; ")  # what follows is in `sentence`
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def first_line(section: type[BaseModel]) -> str:
    """What a section's docstring begins with."""
    return str(section.__doc__).splitlines()[0]


def keys(section: type[BaseModel], prefix: str, told: Mapping[str, Told]) -> list[Key]:
    """The keys of a section in the order of config.yaml, as far as it has them."""
    schema, order = section.model_json_schema(), list(told)
    found = [
        Key(prefix + name, field, schema["properties"][name], schema.get("$defs", {}), told.get(prefix + name))
        for name, field in section.model_fields.items()
    ]
    return sorted(found, key=lambda key: order.index(key.name) if key.told else len(order))


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that a key is, or that each value of a mapping is; not of targets, and none where there are more."""
    found = [one for one in annotations(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return found[0] if len(found) == 1 else None


def choices_of(field: FieldInfo) -> list[type[BaseModel]]:
    """The sections that a key can be, by what ``by`` says."""
    found = [one for one in annotations(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return found if len(found) > 1 else []


def annotations(annotation: Any) -> list[Any]:
    """An annotation and everything in it."""
    return [annotation, *(one for part in get_args(annotation) for one in annotations(part))]


def sentence(key: Key) -> str:
    """What values a key has, its default, and what config.yaml gives it."""
    kinds = values(key.schema, key.definitions)
    parts = [kinds[0].upper() + kinds[1:]]
    if key.field.is_required():
        parts.append("required")
    elif key.left_out:
        parts.append(f"left out: {key.left_out}")
    elif key.name not in OF_OTHERS:
        parts.append(f"default {shown(key.default)}")
    own = key.field.is_required() or key.left_out or (key.told and key.told.value != plain(key.default))
    if key.told and key.name not in OF_OTHERS and own:
        parts.append(f"{shown(key.told.value)} in config.yaml")
    return f"{'; '.join(parts)}."


def values(schema: Mapping[str, Any], definitions: Mapping[str, Any], many: bool = False) -> str:
    """What a JSON schema allows, in words.

    Args:
        many: of the items of a list.
    """
    kind = schema.get("type", "")
    if options := schema.get("anyOf"):
        told = list(dict.fromkeys(values(option, definitions, many) for option in options))
        return (" or " if all(" " not in one for one in told) else ", or ").join(told)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"][:-1]) + f" or `{schema['enum'][-1]}`"
    if "$ref" in schema or "oneOf" in schema or kind == "object":
        of = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        named = f" of names to {values(of, definitions, many=True)}" if isinstance(of, Mapping) and of else ""
        return f"{'mappings' if many else 'mapping'}{named}"
    if kind == "array":
        least = {0: "", 1: "one or more ", 2: "two or more "}[schema.get("minItems", 0)]
        return f"{'lists' if many else 'list'} of {least}{values(schema['items'], definitions, many=True)}"
    if kind == "string" and schema.get("pattern") == NAME:
        return "words of letters, digits, - and _" if many else "word of letters, digits, - and _"
    return KINDS[kind][many] + limits(schema)


KINDS = {  # of one value, and of several
    "integer": ("whole number", "whole numbers"),
    "number": ("number", "numbers"),
    "string": ("text", "texts"),
    "boolean": ("`true` or `false`", "`true` or `false`"),
    "null": ("`null`", "`null`"),
}


def limits(schema: Mapping[str, Any]) -> str:
    """The bounds of a number, in words."""
    words = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "below {}"}
    told = [word.format(f"{schema[bound]:g}") for bound, word in words.items() if bound in schema]
    return f" {' and '.join(told)}".replace(" and to ", " to ") if told else ""


def shown(value: Any) -> str:
    """A value as YAML has it, in one line."""
    text = yaml.safe_dump(plain(value), default_flow_style=True, sort_keys=False, width=10**6).strip()
    return f"`{text.removesuffix('...').strip()}`"


def plain(value: Any) -> Any:
    """A value as a file gives it."""
    return value.model_dump() if isinstance(value, BaseModel) else value


def explained(key: Key, told: Mapping[str, Told]) -> str:
    """What a key means: the comment of config.yaml, or else the description in the settings, as Markdown."""
    if key.told and key.told.comment:
        return plain_text(key.told.comment)
    text = described(key.field)
    if section := section_of(key.field):
        text = text or first_line(section)
    elif key.told and (above := key.told.before):
        while not told[above].comment and told[above].before:
            above = str(told[above].before)
        text = f"{text} See [{above}](#{anchor(above)}), whose explanation has it too."
    return plain_text([text.strip()])


def anchor(name: str) -> str:
    """The address of a key's heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")


def plain_text(lines: list[str]) -> str:
    """Lines of a comment as Markdown: those that are indented as a block of YAML, the others as a paragraph."""
    parts: list[tuple[bool, list[str]]] = []
    for line in lines:
        indented = line.startswith("  ")
        if not parts or parts[-1][0] != indented:
            parts.append((indented, []))
        parts[-1][1].append(line)
    blocks = [
        f"```yaml\n{textwrap.dedent(chr(10).join(part))}\n```" if indented else wrapped(escaped(" ".join(part)))
        for indented, part in parts
    ]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """A text with what Markdown would read as marks made plain, code and links aside."""
    parts = re.split(r"(`[^`]*`|\[[^\]]*\]\(#[^)]*\))", text)
    return "".join(part if place % 2 else re.sub(r"([*<|])", r"\\\1", part) for place, part in enumerate(parts))


def wrapped(text: str, indent: str = "") -> str:
    """A paragraph in lines of the width; none begins like an item of a list or a heading."""
    lines = textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join([lines[0], *(re.sub(r"^(\s*)([-+#>]|\d+\.)(?=\s|$)", r"\1\\\2", line) for line in lines[1:])])


def comments(text: str) -> dict[str, Told]:
    """What a YAML file says of each of its keys, by their whole names: keys in lines of their own."""
    lines = text.splitlines()
    found: dict[str, Told] = {}

    def walk(node: yaml.MappingNode, prefix: str) -> None:
        before = None
        for key, value in node.value:
            first = line = key.start_mark.line
            while first and lines[first - 1].startswith(" " * key.start_mark.column + "#"):
                first -= 1
            above = [one.strip().removeprefix("#").removeprefix(" ") for one in lines[first:line]]
            name = prefix + key.value
            found[name] = Told(above, yaml.safe_load(yaml.serialize(value)), before)
            before = name
            if isinstance(value, yaml.MappingNode) and not value.flow_style:
                walk(value, f"{name}.")

    document = yaml.compose(text)
    assert isinstance(document, yaml.MappingNode)
    walk(document, "")
    return found


if __name__ == "__main__":
    PAGE.write_text(page((ROOT / "config.yaml").read_text()))
