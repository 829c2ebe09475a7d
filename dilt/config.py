"""The configuration as a whole: read, checked, and cut into the parts that stages depend on.

One line per error, all errors at once. Also gives the JSON schema for editors.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dilt import catalog, consistency, layouts, tickets
from dilt.configuration_files import ConfigError as ConfigError
from dilt.configuration_files import Place, Written, is_text_of_another_type, read
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

CLASS_NAMES = re.compile(r"(source|targets\.[^.]+)\.classes\.\d+|source\.partitions\.classes\..+\.\d+")
CHOICES = {"partitions": ("classes", "contiguous", "random", "table"), "groups": ("pattern", "folder", "table")}


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
        written: how the file has what YAML does not take for text, for errors to show.

    Raises:
        ConfigError: one line per error, each naming file, key, value and cure.
    """
    lines = [
        f"{file}: {key}: unknown key{_nearest(str(key), Config.model_fields)}"
        for key in values
        if key not in Config.model_fields
    ]
    written = written or {}
    misread = dict(_misread(written))
    lines += [f"{file}: {_where(place, written)}: {finding}" for place, finding in misread.items()]
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
            given = _with_inherited(values, sections.get("training")) if key == "transfer" else values[key]
            sections[key] = adapter.validate_python(given, strict=True)
        except ValidationError as error:
            details = [detail for detail in error.errors() if _place(key, detail) not in misread]
            lines += [f"{file}: {_describe(key, detail, written)}" for detail in details]
    for key in {place[0] for place in misread}:
        sections.pop(key, None)
    if "training" not in sections:
        sections.pop("transfer", None)  # what it inherits is not known
    if across:
        lines += [f"{file}: {finding}" for finding in consistency.findings(sections)]
    if lines:
        raise ConfigError(grouped(lines))
    return Config(**sections)


def load(path: Path) -> Config:
    """The configuration in a YAML file; raises ConfigError as `parse_config` does."""
    document = read(path)
    return parse_config(document.values, str(path), written=document.written)


def _with_inherited(values: Mapping[str, Any], training: Training | None) -> Any:
    """The section ``transfer``, in which ``training`` has the source's values wherever it gives none.

    Milestones belong to a step schedule: another schedule does without them.

    Args:
        training: on the source; None where it is wrong, and values that are right stand in.
    """
    section = values["transfer"]
    given = section.get("training", {}) if isinstance(section, Mapping) else None
    if not isinstance(given, Mapping):
        return section
    source = training or Training(epochs=1, batch_size=1, learning_rate=1.0)
    inherited = source.model_dump()
    if given.get("schedule", "step") != "step":
        del inherited["milestones"]
    return {**section, "training": {**inherited, **given}}


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


def _misread(written: Mapping[Place, Written]) -> Iterator[tuple[Place, str]]:
    """Numbers that YAML reads as others than are written: 010 is 8 wherever it stands, and 0x10 would be class 16."""
    for place, found in written.items():
        if found.is_misleading:
            cure = f"write it in quotes, '{found.text}', if it is a name, and {found.value} if it is that number"
        elif CLASS_NAMES.fullmatch(".".join(place)) and type(found.value) is int and str(found.value) != found.text:
            cure = f"write it in quotes: '{found.text}'"
        else:
            continue
        yield place, f"{found.text}: YAML reads it as {found.meaning}; {cure}"


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
        return f"{where}: unknown key{_nearest(place[-1], _known_keys(key))}"
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
    """How a value of the wrong type would be one of the right type."""
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
