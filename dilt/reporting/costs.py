"""Adds up run time and cost of an experiment by stage, from what each job records beside its log.

Which jobs an experiment has follows from the same wildcards as its results; a job without a record is counted as such.
What a job takes is measured by `jobs.usage`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from dilt.foundations.result_paths import LOGS_OF_ANSWERS, LOGS_OF_NETWORKS
from dilt.jobs import usage

if TYPE_CHECKING:
    import pandas as pd

# Parts of the names of logs that stand for one thing, and the wildcard in their place: for all stages, and for each.
EVERYWHERE = {
    "{coupling}/{trajectory}": "{run}",
    "{partition}/{assembly}": "{assembly}",
    "{part}-of-{parts}": "{part}",
    "rewind-{rewind}/{trajectory}": "{rewound}",
}
_TRAINED, _TRANSFERRED = {"{round}/{ticket}": "{trained}"}, {"{round}/{target}/{ticket}": "{transferred}"}
_COMPARED = {"{round}": "{geometry_round}", "{ticket}": "{compared}"}
_TO_CORE = "{core_round}/full/round-{round}"
# For each stage also the GPUs that a job reserves; None: those of jobs.gpus.
STAGES: dict[str, tuple[dict[str, str], int | None]] = {
    "prepare": ({}, 0),
    "initialise": ({}, None),
    "score": ({}, 1),
    "train": ({}, None),
    "train_rounds": ({}, None),
    "train_rounds_to_core": ({}, None),
    "initialise_rewound": ({}, None),
    "train_rewound": ({"{round}": "{first_round}"}, None),
    "measure_instability": ({}, 1),
    "prune": ({}, 0),
    "prune_to_consensus": ({"{round}": "{pruned_round}"}, 0),
    "prune_to_core": ({_TO_CORE: "{to_core}"}, 0),
    "train_to_core": ({_TO_CORE: "{trained_to_core}"}, None),
    "combine": ({}, 0),
    "train_ticket": (_TRAINED, None),
    "represent": (_COMPARED, 1),
    "represent_references": ({}, 1),
    "assemble": (_COMPARED, 1),
    "retrain_assembly": (_COMPARED, None),
    "transfer_ticket": (_TRANSFERRED, None),
    "evaluate_tickets": (_TRAINED, 1),
    "evaluate_transfer": (_TRANSFERRED, 1),
    "evaluate_assemblies": (_COMPARED, 1),
    "compare_part": (_COMPARED, 0),
    "compare": (_COMPARED, 0),
    "cluster": (_COMPARED, 0),
    "remove_networks": ({}, 0),
    "summarise": ({}, 0),
    "report": ({}, 0),
    "snakemake": ({}, 0),  # no stage: the process that starts them
}
SOMETIMES = {
    "score",
    "train_rounds",
    "train_rounds_to_core",
    "remove_networks",
}  # stages that only some experiments have: jobs without a record are none
TOTAL = "all"


def jobs_of(
    networks: Path, answers: Path, wildcards: Mapping[str, Sequence[object]], gpus: int
) -> list[dict[str, Any]]:
    """What is known of every job of an experiment.

    Args:
        networks, answers: folders with the logs of the stages.
        wildcards: the values of every wildcard in the places of logs, of `EVERYWHERE` and of `STAGES`.
        gpus: GPUs that each job that trains had; 0 where there was none.

    Returns:
        Records with stage, gpus, and the attempts at the job (`usage.read`), none where there is no record.
    """
    found = [
        {
            "stage": stage,
            "gpus": min(gpus, gpus if reserved is None else reserved),
            "attempts": usage.read(usage.path_beside(folder / log)),
        }
        for folder, logs in ((networks, LOGS_OF_NETWORKS), (answers, LOGS_OF_ANSWERS))
        for stage, pattern in logs.items()
        for instead, reserved in [STAGES[stage]]
        for log in _filled(pattern, EVERYWHERE | instead, wildcards)
    ]
    return [job for job in found if job["attempts"] or job["stage"] not in SOMETIMES]


def runtime_table(jobs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per stage, one for Snakemake itself, and one for all of them.

    Returns:
        stage; jobs, those without_record, and those whose known attempts all gave finished work again (given_again);
        attempts at the jobs, and those that were killed, whose last seconds are unknown; wall_s and cpu_s, of all
        attempts together, and longest_job_s, in seconds; peak_memory_mb, the largest peak of a job's memory in MB;
        gpu_hours, wall time times the GPUs that were reserved; training_share and gpu_training_share, the shares of the
        CPU time and of the GPU hours that were steps of trainings, of the attempts that tell it (nan: none does).
    """
    import pandas as pd

    table = pd.DataFrame([_of_job(job) for job in jobs])
    rows = [_summed(stage, of_stage) for stage, of_stage in [*table.groupby("stage", sort=False), (TOTAL, table)]]
    return pd.DataFrame(rows)


def _of_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """What all attempts at a job took."""
    attempts = job["attempts"]
    wall, cpu, memory = ([float(attempt[name]) for attempt in attempts] for name in usage.COLUMNS[2:])
    ended = [attempt["ended"] for attempt in attempts]
    told = [attempt for attempt in attempts if all(attempt[name] for name in usage.TRAINING)]
    wall_told, cpu_told, training_wall, training_cpu = (
        sum(float(attempt[name]) for attempt in told) for name in (*usage.COLUMNS[2:4], *usage.TRAINING)
    )
    return {
        "stage": job["stage"],
        "told": bool(attempts),
        "given_again": bool(attempts) and set(ended) == {usage.AGAIN},
        "attempts": len(attempts),
        "killed": ended.count(usage.KILLED),
        "wall_s": sum(wall),
        "cpu_s": sum(cpu),
        "peak_memory_mb": max(memory, default=math.nan),
        "gpu_s": sum(wall) * job["gpus"],
        "cpu_told_s": cpu_told,
        "training_cpu_s": training_cpu,
        "gpu_told_s": wall_told * job["gpus"],
        "training_gpu_s": training_wall * job["gpus"],
    }


def _summed(stage: object, jobs: pd.DataFrame) -> dict[str, Any]:
    return {
        "stage": stage,
        "jobs": len(jobs),
        "without_record": int((~jobs["told"]).sum()),
        "given_again": int(jobs["given_again"].sum()),
        "attempts": int(jobs["attempts"].sum()),
        "killed": int(jobs["killed"].sum()),
        "wall_s": round(jobs["wall_s"].sum(), 1),
        "cpu_s": round(jobs["cpu_s"].sum(), 1),
        "longest_job_s": round(jobs["wall_s"].max(), 1),
        "peak_memory_mb": round(jobs["peak_memory_mb"].max(), 1),
        "gpu_hours": round(jobs["gpu_s"].sum() / 3600, 4),
        "training_share": _share(jobs["training_cpu_s"].sum(), jobs["cpu_told_s"].sum()),
        "gpu_training_share": _share(jobs["training_gpu_s"].sum(), jobs["gpu_told_s"].sum()),
    }


def _share(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else math.nan


def _filled(pattern: str, instead: Mapping[str, str], wildcards: Mapping[str, Sequence[object]]) -> list[str]:
    """The pattern with every combination of its wildcards' values."""
    for part, wildcard in instead.items():
        pattern = pattern.replace(part, wildcard)
    names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    choices = product(*(wildcards[name] for name in names))
    return [pattern.format(**dict(zip(names, choice, strict=True))) for choice in choices]
