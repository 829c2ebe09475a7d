"""Run time and cost of an experiment by stage, from Snakemake's benchmark files.

Which files these are for an experiment follows from the same wildcards as its results; a file that is not there is
counted as such. Reading and summing up only: Snakemake measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# A benchmark per job below the folder of the networks or of the answers, and the GPUs that a job reserves: None, those
# of jobs.gpus; the log of the job has the same name.
OF_NETWORKS: dict[str, tuple[str, int | None]] = {
    "prepare": ("{dataset}", 0),
    "initialise": ("seed-{seed}", None),
    "train": ("seed-{seed}/{run}/round-{round}", None),
    "prune": ("seed-{seed}/independent/{trajectory}/round-{round}", 0),
    "prune_to_consensus": ("seed-{seed}/round-{round}", 0),
    "prune_to_core": ("seed-{seed}/same-rounds-{claim_round}/full/round-{round_to_core}", 0),
    "train_to_core": ("seed-{seed}/same-rounds-{claim_round}/full/round-{later_round_to_core}", None),
    "combine": ("seed-{seed}/round-{round}", 0),
    "train_ticket": ("seed-{seed}/round-{ticket_round}/{ticket}", None),
    "represent": ("seed-{seed}/round-{claim_round}/{ticket}", 1),
    "represent_references": ("seed-{seed}", 1),
    "assemble": ("seed-{seed}/round-{claim_round}", 1),
    "retrain_assembly": ("seed-{seed}/round-{claim_round}/{assembly}", None),
    "transfer_ticket": ("seed-{seed}/round-{claim_round}/{target}/{ticket}", None),
    "evaluate_tickets": ("seed-{seed}/round-{ticket_round}/{ticket}", 1),
    "evaluate_transfer": ("seed-{seed}/round-{claim_round}/{target}/{ticket}", 1),
    "evaluate_assemblies": ("seed-{seed}/round-{claim_round}", 1),
}
OF_ANSWERS: dict[str, tuple[str, int | None]] = {
    "compare_part": ("seed-{seed}/round-{claim_round}/{part}", 0),
    "compare": ("seed-{seed}/round-{claim_round}", 0),
    "cluster": ("seed-{seed}/round-{claim_round}", 0),
    "summarise": ("", 0),
}
TOTAL = "all"
AGAIN = "finished before; kept in"  # what `checkpoints` logs where finished work is given again


def jobs_of(
    networks: Path, answers: Path, wildcards: Mapping[str, Sequence[object]], gpus: int
) -> list[dict[str, Any]]:
    """What is known of every job of an experiment.

    Args:
        networks, answers: folders with the benchmarks and logs of the stages.
        wildcards: the values of every wildcard of `OF_NETWORKS` and `OF_ANSWERS`.
        gpus: GPUs that a job that trains had; 0 where there was none.

    Returns:
        Records with stage, gpus, again (whether it gave finished work again), and what Snakemake measured (text by
        column), empty where it left no benchmark.
    """
    return [
        {
            "stage": stage,
            "gpus": min(gpus, gpus if reserved is None else reserved),
            "again": AGAIN in _text(folder / "logs" / stage, job, ".log"),
            "measured": _measured(_text(folder / "benchmarks" / stage, job, ".tsv")),
        }
        for folder, patterns in ((networks, OF_NETWORKS), (answers, OF_ANSWERS))
        for stage, (pattern, reserved) in patterns.items()
        for job in _filled(pattern, wildcards)
    ]


def runtime_table(jobs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A row per stage, and one for all of them.

    Returns:
        stage; jobs, those without a benchmark and those that gave finished work again, so that their time is not that
        of the work; wall_s and cpu_s, of all jobs together, and longest_job_s, in seconds; peak_memory_mb, the largest
        resident memory of a job in MB; gpu_hours, wall time times the GPUs that were reserved.
    """
    import pandas as pd

    columns = {"s": "wall_s", "cpu_time": "cpu_s", "max_rss": "peak_memory_mb"}
    measured = pd.DataFrame([job["measured"] for job in jobs], columns=list(columns)).rename(columns=columns)
    measured = measured.apply(pd.to_numeric, errors="coerce")  # short jobs have no memory: "NA"
    table = measured.assign(
        stage=[job["stage"] for job in jobs],
        again=[job["again"] for job in jobs],
        gpus=[job["gpus"] for job in jobs],
    )
    rows = [_summed(stage, of_stage) for stage, of_stage in [*table.groupby("stage", sort=False), (TOTAL, table)]]
    return pd.DataFrame(rows)


def _summed(stage: object, jobs: pd.DataFrame) -> dict[str, Any]:
    return {
        "stage": stage,
        "jobs": len(jobs),
        "without_benchmark": int(jobs["wall_s"].isna().sum()),
        "given_again": int(jobs["again"].sum()),
        "wall_s": round(jobs["wall_s"].sum(), 1),
        "cpu_s": round(jobs["cpu_s"].sum(), 1),
        "longest_job_s": jobs["wall_s"].max(),
        "peak_memory_mb": jobs["peak_memory_mb"].max(),
        "gpu_hours": round((jobs["wall_s"] * jobs["gpus"]).sum() / 3600, 4),
    }


def _filled(pattern: str, wildcards: Mapping[str, Sequence[object]]) -> list[str]:
    """The pattern with every combination of its wildcards' values."""
    names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    choices = product(*(wildcards[name] for name in names))
    return [pattern.format(**dict(zip(names, choice, strict=True))) for choice in choices]


def _text(folder: Path, job: str, suffix: str) -> str:
    """A job's log or benchmark; empty where there is none."""
    path = folder / f"{job}{suffix}" if job else folder.with_suffix(suffix)
    return path.read_text(errors="replace") if path.is_file() else ""


def _measured(benchmark: str) -> dict[str, str]:
    """The last line of a benchmark file by column; empty where there is none."""
    lines = [line.split("\t") for line in benchmark.splitlines()]
    return dict(zip(lines[0], lines[-1], strict=True)) if len(lines) > 1 else {}
