"""Makes sure that experiments that share a folder of networks agree, before one overwrites another's results.

One run at a time works on a folder, also where several people have it in projects of their own. Every experiment writes
the settings that its networks follow from to ``experiments/<experiment>.json`` in that folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dilt.configuration.yaml_files import ConfigError
from dilt.foundations import locks
from dilt.foundations.result_paths import Networks
from dilt.foundations.storage import read_json, write_json
from dilt.settings.experiment import RENAMED, Config

KEEP = "jobs.keep"
WHOLE = ("model.arguments", "source.partitions")
_held = contextlib.ExitStack()
SHARED = ("source", "model", "training", "pruning", "transfer", "evaluation", "representations")


def settings(config: Config) -> dict[str, Any]:
    """The settings that shared results depend on, by dotted key."""
    values = config.model_dump(mode="json")
    chosen = {key: values[key] for key in SHARED}
    chosen["targets"] = values["targets"]
    chosen["jobs"] = {"group": config.jobs.group, "keep": config.jobs.keep}
    return dict(_leaves(chosen))


def register(config: Config, folder: Path) -> None:
    """Write an experiment's settings to the folder of its networks."""
    write_json(_record(config, folder), settings(config))


def hold(folder: Path) -> None:
    """Hold a folder of networks until `release`, or until this process ends.

    Snakemake's own lock is that of a project's folder: it knows nothing of another project that has the same results.

    Raises:
        ValueError: another run works on it; the message names its process.
        OSError: the folder cannot be written; the message names it.
    """
    _held.enter_context(locks.held(folder / Networks.LOCK, patience=0))


def release() -> None:
    """Let go of what `hold` holds."""
    _held.close()


def check(config: Config, folder: Path, recorded: bool = True) -> None:
    """Compare an experiment with the others of the folder; of targets only those with the same name.

    None may remove networks, since the others would train them anew.

    Args:
        recorded: whether Snakemake knows what the folder's results were made with. If it does not, as after results
            were copied from elsewhere, it takes them for current; the experiment is then compared with its own past
            too.

    Raises:
        ConfigError: some settings differ; a line for each.
    """
    own, lines = settings(config), []
    del own[KEEP]
    for record in sorted(folder.glob(Networks.EXPERIMENT.format(experiment="*"))):
        if recorded and record == _record(config, folder):
            continue
        others = _completed(read_json(record))
        keeps = config.jobs.keep, others.pop(KEEP, "all")
        if "masks" in keeps and record != _record(config, folder):
            lines.append(
                f"{KEEP}: {keeps[0]!r}, but experiment '{record.stem}' shares {folder} and has {keeps[1]!r}, and what "
                "one removes the other would train anew; set both to all, name another folder in 'networks', or delete "
                f"{record} if it is out of use"
            )
        common = {_target(key) for key in own} & {_target(key) for key in others}
        for key in dict.fromkeys([*own, *others]):
            mine, theirs = own.get(key), others.get(key)
            if _target(key) in common and mine != theirs:
                lines.append(
                    f"{key}: {mine!r}, but experiment '{record.stem}' shares {folder} and has {theirs!r}; name another "
                    f"folder in 'networks', or delete {record} if it is out of use"
                )
    if lines:
        raise ConfigError(lines)


def _record(config: Config, folder: Path) -> Path:
    return folder / Networks.EXPERIMENT.format(experiment=config.experiment)


def _completed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a record, and the defaults of those that an older version did not know."""
    optional: dict[str, Any] = {name: {} for name in SHARED if not Config.model_fields[name].is_required()}
    sections = optional | nested(record)
    for name, given in sections.items():
        known: TypeAdapter[Any] = TypeAdapter(Config.model_fields[name].annotation)  # type: ignore[arg-type]
        with contextlib.suppress(ValidationError):  # of a version whose settings are no longer known: as they are
            completed = known.dump_python(known.validate_python(given, strict=False), mode="json")
            sections[name] = {key: completed[key] for key in ("group", "keep")} if name == "jobs" else completed
    return dict(_leaves(sections))


def nested(record: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a record, section by section, each under its name of today."""
    sections: dict[str, Any] = {}
    for key, value in record.items():
        *above, last = RENAMED.get(key, key).split(".")
        section = sections
        for part in above:
            section = section.setdefault(part, {})
        section[last] = value
    return sections


def _target(key: str) -> str:
    """The target that a key belongs to, or the empty string for what all experiments have."""
    parts = key.split(".")
    return parts[1] if parts[0] == "targets" else ""


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by dotted key; a mapping with keys of the user's own (arguments, partitions) is one setting."""
    if isinstance(value, dict) and path not in WHOLE:
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}" if path else key)
    else:
        yield path, value
