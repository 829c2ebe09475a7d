"""The configuration as a whole: read, checked, and cut into the parts that stages depend on.

One line per error, all errors at once. Also gives the JSON schema for editors.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import ConstructorError

from dilt import catalog, consistency, layouts, tickets
from dilt.findings import grouped
from dilt.settings import (
    Claims,
    Clustering,
    DataSet,
    Distances,
    Jobs,
    Model,
    Name,
    Pruning,
    Representations,
    Section,
    Seed,
    Source,
    Tickets,
    Training,
    Transfer,
)
from dilt.storage import canonical

CHOICES = {"partitions": ("classes", "contiguous", "random", "table"), "groups": ("pattern", "folder", "table")}


class ConfigError(ValueError):
    """What is wrong with a configuration, one line per finding."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Config(Section):
    """A whole experiment."""

    experiment: Name
    networks: Name | None = Field(None, description="folder of what is trained; null: the experiment's own")
    seeds: list[Seed] = Field(min_length=1)
    source: Source
    targets: dict[Name, DataSet] = Field(min_length=1)
    model: Model
    training: Training
    pruning: Pruning
    tickets: Tickets
    transfer: Transfer
    representations: Representations
    distances: Distances = Distances()
    clustering: Clustering = Clustering()
    claims: Claims = Claims()
    jobs: Jobs = Jobs()

    @property
    def shared(self) -> str:
        """The folder below results/ of data, networks, tickets and scores."""
        return self.networks or self.experiment

    @property
    def ticket_names(self) -> list[str]:
        """Every ticket that is made and trained, in the order of the report."""
        return tickets.ticket_names(catalog.partition_names(self.source), self.tickets.names, self.claims.asked)


def completion(config: Config) -> str | None:
    """A line on the tickets that a configuration names some of, but not all that its claims need; None if it does."""
    partitions, named = catalog.partition_names(config.source), config.tickets.names
    needs = {claim: [t for t in tickets.needed(claim, partitions) if t not in named] for claim in config.claims.asked}
    missing = ", ".join(f"{', '.join(names)} (for {claim})" for claim, names in needs.items() if names)
    return f"tickets.names: completed with what the claims asked need: {missing}" if named and missing else None


def parse_config(values: Mapping[str, Any], file: str = "config.yaml", across: bool = True) -> Config:
    """A checked configuration.

    Sections are validated one by one, so that an error in one does not hide the errors of another.

    Args:
        across: also check that sections agree with each other and with what is installed, for which some models have
            to be built; a cluster job need not, for a configuration that was checked when it was submitted.

    Raises:
        ConfigError: one line per error, each naming file, key, value and cure.
    """
    lines = [
        f"{file}: {key}: unknown key{_nearest(str(key), Config.model_fields)}"
        for key in values
        if key not in Config.model_fields
    ]
    sections: dict[str, Any] = {}
    for key, field in Config.model_fields.items():
        if key not in values:
            if field.is_required():
                lines.append(f"{file}: {key}: missing; config.yaml shows what belongs here")
            else:
                sections[key] = field.get_default()
            continue
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
            sections[key] = adapter.validate_python(values[key], strict=True)
        except ValidationError as error:
            lines += [f"{file}: {_describe(key, detail)}" for detail in error.errors()]
    if across:
        lines += [f"{file}: {finding}" for finding in consistency.findings(sections)]
    if lines:
        raise ConfigError(grouped(lines))
    return Config(**sections)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML would keep the last and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise ConstructorError(None, None, f"the key '{key.value}' is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path: Path) -> Config:
    """The configuration in a YAML file; raises ConfigError as `parse_config` does."""
    return parse_config(read(path), str(path))


def read(path: Path) -> dict[str, Any]:
    """Keys and values of a YAML file, unchecked.

    Raises:
        ConfigError: the file cannot be read, has no keys or has one of them twice.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
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
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError([f"{path}: not readable as YAML: {reason}; save it as plain text"]) from error
    if not values:
        raise ConfigError([f"{path}: empty; copy config.yaml, in which every key is explained, and change it"])
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: not a mapping of keys to values; write 'key: value' lines as config.yaml has"])
    return values


def typed(value: Any) -> Any:
    """A value of Snakemake's ``--config``, inside which it takes everything for text, as YAML would read it."""
    if isinstance(value, Mapping):
        return {key: typed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [typed(member) for member in value]
    if not isinstance(value, str):
        return value
    try:
        found = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return found if isinstance(found, int | float | NoneType) else value


def section(config: Config, *keys: str) -> str:
    """Parts of the configuration as one canonical JSON string, each under the last part of its dotted key."""
    chosen = {}
    for key in keys:
        value: Any = config.model_dump(mode="json")
        for part in key.split("."):
            value = value[part]
        chosen[key.rpartition(".")[2]] = value
    return canonical(chosen)


def data_section(config: Config, dataset: str) -> str:
    """The part of one data set, ``source`` or a target's name, as `section` would give it."""
    if dataset != "source":
        return canonical({"data": config.targets[dataset].model_dump(mode="json")})
    data = config.source.model_dump(mode="json")
    return canonical({"partitions": data.pop("partitions"), "data": data})


def data_files(config: Config, dataset: str) -> str:
    """What can be told of a data set's files without opening images, for a change of them to be noticed.

    That is the contents of the class table, and the number of images of every class, where it is known.
    """
    data = config.source if dataset == "source" else config.targets[dataset]
    found: dict[str, Any] = {}
    if dataset == "source" and config.source.partitions.by == "table":
        found["table"] = hashlib.sha256(Path(config.source.partitions.table).read_bytes()).hexdigest()[:10]
    if data.groups and data.groups.by == "table":
        found["groups"] = hashlib.sha256(Path(data.groups.table).read_bytes()).hexdigest()[:10]
    if data.name in ("folder", *layouts.NAMES):
        found["images"] = catalog.known_classes(data)
    return canonical(found)


def _describe(key: str, error: ErrorDetails) -> str:
    parts = list(error["loc"])
    for choice, tags in CHOICES.items():  # of which kind a choice is, is no key
        if choice in parts[:-1] and parts[parts.index(choice) + 1] in tags:
            del parts[parts.index(choice) + 1]
    where = ".".join([key, *(str(part) for part in parts if part != "[key]")])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key{_nearest(str(parts[-1]), _known_keys(key))}"
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
    message = error["msg"].replace("Input should", "should").replace(" after validation", "")
    return f"{where}: {_short(value)}: {message[0].lower()}{message[1:]}{_cure(error['type'], value)}"


def _short(value: Any) -> str:
    written = repr(value)
    return written if len(written) <= 80 else f"{written[:77]}..."


def _cure(kind: str, value: Any) -> str:
    """How a value of the wrong type would be one of the right type."""
    simple = not isinstance(value, list | dict | NoneType)
    if kind == "string_type" and simple:
        return "; put it in quotes"
    if kind in ("int_type", "float_type") and isinstance(value, str):
        return "; write it without quotes"
    if kind == "list_type" and simple:
        return f", such as [{value}]"
    return ""


def _known_keys(key: str) -> list[str]:
    annotation: Any = Config.model_fields[key].annotation
    definitions = TypeAdapter(annotation).json_schema()
    known = list(definitions.get("properties", {}))
    for definition in definitions.get("$defs", {}).values():
        known += definition.get("properties", {})
    return known


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, [key for key in known if key != word], n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else "; remove it"


def schema() -> str:
    """The JSON schema of the configuration, for editors."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


def main() -> None:
    """Check a configuration, or print its JSON schema."""
    parser = argparse.ArgumentParser(prog="python -m dilt.config", description=main.__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("config.yaml"), help="configuration to check")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    arguments = parser.parse_args()
    if arguments.schema:
        print(schema(), end="")
        return
    try:
        config = load(arguments.file)
    except ConfigError as error:
        sys.exit(str(error))
    if added := completion(config):
        print(f"{arguments.file}: {added}")
    print(f"{arguments.file}: valid")


if __name__ == "__main__":
    main()
