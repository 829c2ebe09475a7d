"""The configuration as a whole: read, checked, and cut into the parts that stages depend on.

One line per error, all errors at once. Also gives the JSON schema for editors.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dilt import consistency
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


def parse_config(values: Mapping[str, Any], file: str = "config.yaml") -> Config:
    """A checked configuration.

    Sections are validated one by one, so that an error in one does not hide the errors of another.

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
                lines.append(f"{file}: {key}: missing; {field.description or 'config.yaml shows what belongs here'}")
            else:
                sections[key] = field.get_default()
            continue
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
            sections[key] = adapter.validate_python(values[key])
        except ValidationError as error:
            lines += [f"{file}: {_describe(key, detail)}" for detail in error.errors()]
    lines += [f"{file}: {finding}" for finding in consistency.findings(sections)]
    if lines:
        raise ConfigError(lines)
    return Config(**sections)


def load(path: Path) -> Config:
    """The configuration in a YAML file; raises ConfigError as `parse_config` does."""
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such file"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: not readable as YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: not a mapping of keys to values"])
    return parse_config(values, str(path))


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


def _describe(key: str, error: ErrorDetails) -> str:
    tags = {"classes", "contiguous", "random", "table"} if error["loc"][:1] == ("partitions",) else set()
    parts = list(error["loc"])
    if len(parts) > 1 and tags and parts[1] in tags:
        del parts[1]
    where = ".".join([key, *map(str, parts)])
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key{_nearest(str(parts[-1]), _known_keys(key))}"
    if error["type"] == "missing":
        return f"{where}: missing; config.yaml shows what belongs here"
    message = error["msg"].replace("Input should", "should")
    return f"{where}: {error['input']!r}: {message[0].lower()}{message[1:]}"


def _known_keys(key: str) -> list[str]:
    annotation: Any = Config.model_fields[key].annotation
    definitions = TypeAdapter(annotation).json_schema()
    known = list(definitions.get("properties", {}))
    for definition in definitions.get("$defs", {}).values():
        known += definition.get("properties", {})
    return known


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
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
        load(arguments.file)
    except ConfigError as error:
        sys.exit(str(error))
    print(f"{arguments.file}: valid")


if __name__ == "__main__":
    main()
