"""The parts of a configuration that each rule depends on, as text that Snakemake compares between runs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from dilt.configuration.yaml_files import ConfigError as ConfigError
from dilt.foundations.storage import canonical
from dilt.settings.experiment import Config
from dilt.sources import data_catalog, layouts


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
    """What is known of a data set's files without opening images, so that a change of them is noticed.

    These are digests of the tables of classes and groups, and the number of images of every class, where it is known.
    """
    data = config.source if dataset == "source" else config.targets[dataset]
    found: dict[str, Any] = {}
    if dataset == "source" and config.source.partitions.by == "table":
        found["table"] = hashlib.sha256(Path(config.source.partitions.table).read_bytes()).hexdigest()[:10]
    if data.groups and data.groups.by == "table":
        found["groups"] = hashlib.sha256(Path(data.groups.table).read_bytes()).hexdigest()[:10]
    if data.name in ("folder", *layouts.NAMES):
        found["images"] = data_catalog.known_classes(data)
    return canonical(found)
