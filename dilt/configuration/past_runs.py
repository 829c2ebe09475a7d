"""What the work of earlier runs took, from the records beside their logs: seconds for each unit of each rule's work.

Networks differ in speed by their shapes more than by anything else, so only a run of the same model, on images of the
same size, tells about another one. Which machine it ran on is not recorded.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dilt.configuration.rules_in_turn import FOLLOWING
from dilt.configuration.sharing import nested
from dilt.configuration.workload import PRODUCTS, Settings, pieces
from dilt.foundations.result_paths import LOGS_OF_ANSWERS, LOGS_OF_NETWORKS, Answers, Networks
from dilt.foundations.storage import read_json
from dilt.jobs import usage
from dilt.settings.experiment import Config

GPU_HOURS = "gpu_hours"
LEAST_WORK = 0.1  # share of a job that trains, whatever its start-up seems to take
TRAINING = (
    *("train", "train_rounds", "train_to_core", "train_rounds_to_core"),
    *("train_ticket", "retrain_assembly", "transfer_ticket"),
)


@dataclass(frozen=True)
class Spent:
    """CPU and wall seconds."""

    cpu_s: float
    wall_s: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)

    def times(self, factor: float) -> Spent:
        """The same for ``factor`` as much work."""
        return Spent(self.cpu_s * factor, self.wall_s * factor)

    def without(self, other: Spent) -> Spent:
        """What is left when another part is taken off, a small share at least."""
        least = self.times(LEAST_WORK)
        return Spent(max(self.cpu_s - other.cpu_s, least.cpu_s), max(self.wall_s - other.wall_s, least.wall_s))


NOTHING = Spent(0, 0)


@dataclass(frozen=True)
class PastRun:
    """An earlier run.

    Attributes:
        experiment: its name; empty for some steps that were measured just now.
        networks: the folder of its networks.
        date: of its last record.
        gpu: whether its networks ran on GPUs.
        per_unit: seconds for a unit of each rule's work, as `workload.Piece` counts it.
        per_job: seconds for a job of each rule.
        startup: seconds that a job takes before it trains, which are in ``per_job`` and not in ``per_unit``.
        choices: of steps that were measured just now, how they were computed, and why.
    """

    experiment: str
    networks: Path
    date: datetime
    gpu: bool
    per_unit: Mapping[str, Spent]
    per_job: Mapping[str, Spent]
    startup: Spent = NOTHING
    choices: tuple[str, ...] = ()


def latest(results: Path, config: Config) -> PastRun | None:
    """The latest run with the same model, on images of the same size, that has trained something; None without one.

    Args:
        results: the folder that has a folder for each experiment.
    """
    wanted = Settings.of(config)
    found = []
    for record in sorted(results.glob(f"*/{Networks.EXPERIMENT.format(experiment='*')}")):
        settings = _settings(read_json(record))
        if settings and (settings.model, settings.image_shape) == (wanted.model, wanted.image_shape):
            run = _run(record.parents[1], results / record.stem, settings)
            if run and {"train", "train_rounds"} & run.per_unit.keys():
                found.append(run)
    return max(found, key=lambda run: run.date, default=None)


def measured(config: Config) -> PastRun:
    """What training takes on this machine, from some steps of the network's training with random images.

    Other work is not known; a linear head's pass over its images is taken for one of training.
    """
    import torch

    from dilt.training.speed import seconds_per_image

    settings = Settings.of(config)
    if settings.image_shape is None:
        raise ValueError("--measure: the size of the images is not known before they are loaded; set source.image_size")
    speed = seconds_per_image(config.model, config.training, settings.image_shape, 10, config.jobs.threads)
    per_unit = dict.fromkeys(TRAINING, Spent(speed.cpu_s, speed.wall_s))
    return PastRun("", Path(), datetime.now(UTC), torch.cuda.is_available(), per_unit, {}, choices=tuple(speed.choices))


def _settings(record: Mapping[str, Any]) -> Settings | None:
    """The settings in a record of `sharing`; None where they are another version's."""
    given = nested(record)
    sections: dict[str, Any] = {}
    try:
        for name in Settings.__dataclass_fields__:
            known: TypeAdapter[Any] = TypeAdapter(Config.model_fields[name].annotation)  # type: ignore[arg-type]
            sections[name] = known.validate_python(given[name], strict=False)
        return Settings(**sections)
    except (ValidationError, KeyError):
        return None


def _run(networks: Path, answers: Path, settings: Settings) -> PastRun | None:
    """A run with what its jobs took; None without records."""
    spent: dict[str, list[Spent]] = defaultdict(list)
    dates = []
    for folder, logs in ((networks, LOGS_OF_NETWORKS), (answers, LOGS_OF_ANSWERS)):
        for rule, log in logs.items():
            for table in _filled(folder, str(usage.path_beside(Path(log)))):
                attempts = usage.read(table)
                cpu, wall = (sum(float(row[name]) for row in attempts) for name in ("cpu_s", "wall_s"))
                spent[rule].append(Spent(cpu, wall))
                dates += [datetime.fromisoformat(row["begun"]) for row in attempts]
    if not dates:
        return None
    units: dict[str, float] = defaultdict(float)
    for piece in pieces({*_made(networks), *_made(answers)}, settings):
        units[piece.rule] += piece.units
    totals = {rule: sum(each, NOTHING) for rule, each in spent.items()}
    per_job = {rule: total.times(1 / len(spent[rule])) for rule, total in totals.items()}
    # Without late rewinding, this job only starts, builds a network and writes it.
    startup = NOTHING if settings.pruning.rewind_epoch else per_job.get("initialise", NOTHING)
    working = {
        rule: total.without(startup.times(len(spent[rule]))) if rule in starting(totals) else total
        for rule, total in totals.items()
    }
    return PastRun(
        answers.name,
        networks,
        max(dates),
        _had_gpus(answers),
        {rule: total.times(1 / units[rule]) for rule, total in working.items() if units.get(rule)},
        per_job,
        startup,
    )


def starting(rules: Collection[str]) -> set[str]:
    """The rules that train in processes of their own, of those of a run: not those that take their turn in a job."""
    return set(TRAINING) - (FOLLOWING if "train_rounds" in rules else set())


def _made(folder: Path) -> Iterator[tuple[str, str]]:
    """Rule and path of the finished files that work is counted by."""
    for rule, pattern in PRODUCTS.items():
        for path in _filled(folder, pattern):
            yield rule, path.relative_to(folder).as_posix()


def _filled(folder: Path, pattern: str) -> list[Path]:
    """The files in a folder whose path is the pattern, whatever its wildcards are."""
    return sorted(folder.glob(re.sub(r"\{\w+\}", "*", pattern)))


def _had_gpus(answers: Path) -> bool:
    """Whether the run's table of run times says that GPUs were reserved."""
    table = answers / Answers.TABLE.format(table="runtime")
    if not table.is_file():
        return False
    with table.open(newline="") as file:
        return any(float(row.get(GPU_HOURS) or 0) > 0 for row in csv.DictReader(file))
