"""An experiment that is planned: its jobs and files as Snakemake's dry run tells them, and the time they will take.

Snakemake is asked by `dry_runs`; here is what its answers mean.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dilt.configuration.past_runs import NOTHING, PastRun, Spent, starting
from dilt.configuration.rules_in_turn import IN_TURN
from dilt.configuration.workload import Piece, Settings, pieces
from dilt.reporting.costs import STAGES
from dilt.settings.experiment import Config

# Rules whose jobs of a round wait for those of the round before.
ROUND_BY_ROUND = ("train", "prune", "prune_to_consensus", "train_to_core", "prune_to_core")
# Rules whose files never share a job.
BY_THEMSELVES = ("prepare", "initialise_rewound", "compare_part")


@dataclass(frozen=True)
class PlannedFile:
    """A result.

    Attributes:
        path: below the folder that has a folder for each experiment.
        left: whether it is still to be made.
        removed: whether it was made, and is there no more (jobs.keep).
    """

    rule: str
    path: str
    left: bool
    removed: bool = False


@dataclass(frozen=True)
class Plan:
    """An experiment that is planned: as a whole, and what is left of it.

    Attributes:
        files: every result.
        jobs, jobs_left: numbers of jobs by rule.
        work, work_left: the pieces of work for the files.
    """

    files: Sequence[PlannedFile]
    jobs: Mapping[str, int]
    jobs_left: Mapping[str, int]
    work: Sequence[Piece]
    work_left: Sequence[Piece]

    @classmethod
    def of(
        cls, config: Config, files: Sequence[PlannedFile], jobs: Mapping[str, int], jobs_left: Mapping[str, int]
    ) -> Plan:
        """The plan with the work that its files stand for."""
        below = {file.path.partition("/")[2]: file for file in files}
        work = pieces([(file.rule, path) for path, file in below.items()], Settings.of(config))
        jobs, jobs_left = (by_rule_in_turn(found, {piece.rule for piece in work}) for found in (jobs, jobs_left))
        return cls(files, jobs, jobs_left, work, [piece for piece in work if below[piece.path].left])


def jobs_by_rule(dry_run: str) -> dict[str, int]:
    """The numbers of jobs in a dry run's table; rules that only gather files (all, everything) are left out."""
    counts = re.findall(r"^(\w+) +(\d+)$", dry_run, re.MULTILINE)
    return {rule: int(count) for rule, count in counts if rule not in ("all", "everything", "total")}


def by_rule_in_turn(jobs: Mapping[str, int], known: Collection[str]) -> dict[str, int]:
    """Numbers of jobs with those that do several rules' work counted for each of these, if the experiment has it."""
    return {
        rule: number
        for job, number in jobs.items()
        for rule in IN_TURN.get(job, (job,))
        if rule == job or rule in known
    }


def planned_files(summary: str) -> list[PlannedFile]:
    """The files of ``snakemake --summary``, by tabulators: output_file, date, rule, log-file(s), status, plan."""
    rows = [line.split("\t") for line in summary.splitlines()]
    begin = next((place for place, row in enumerate(rows) if row[0] == "output_file"), len(rows))
    return [
        PlannedFile(
            row[2], row[0].removeprefix("results/"), row[5] != "no update", row[4:6] == ["missing", "no update"]
        )
        for row in rows[begin + 1 :]
        if len(row) > 5
    ]


def expected(run: PastRun, pieces: Sequence[Piece], jobs: Mapping[str, int]) -> dict[str, Spent]:
    """What the jobs of each rule will take, by a past run; rules that it knows nothing of are left out.

    Rules whose work is not counted piece by piece take as long for a job as they took.
    """
    told: dict[str, Spent] = {}
    for piece in pieces:
        if rate := _rate(run, piece):
            told[piece.rule] = told.get(piece.rule, NOTHING) + rate.times(piece.units)
    for rule in told:
        told[rule] += run.startup.times(jobs.get(rule, 0)) if rule in starting(jobs) else NOTHING
    others = {rule: run.per_job[rule].times(number) for rule, number in jobs.items() if rule in run.per_job}
    return {rule: told.get(rule) or others[rule] for rule in jobs if rule in told or rule in others}


def _rate(run: PastRun, piece: Piece) -> Spent | None:
    """Seconds for a unit of a piece; a training of a kind that the run had none of takes what trajectories took."""
    known = [piece.work, *(("train", "train_rounds") if piece.kind else ())]
    return next((run.per_unit[work] for work in known if work in run.per_unit), None)


def shortest(run: PastRun, pieces: Sequence[Piece], together: bool) -> float:
    """Wall seconds that an experiment takes on as many cores as it can use: those of its longest seed.

    Rounds that have jobs of their own wait for each other; stages after them are taken one after the other, the jobs of
    each side by side.

    Args:
        together: whether trainings of one kind share a job, and so wait for each other.
    """
    jobs: dict[tuple[str, str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for piece in pieces:
        if rate := _rate(run, piece):
            turn = piece.round if piece.rule in ROUND_BY_ROUND else ""
            job = piece.target if together and piece.rule not in BY_THEMSELVES else piece.path
            jobs[piece.seed, piece.rule, turn][job] += rate.wall_s * piece.units
    seeds: dict[str, float] = defaultdict(float)
    own_process = starting({rule for _, rule, _ in jobs})
    for (seed, rule, _), seconds in jobs.items():
        seeds[seed] += max(seconds.values()) + (run.startup.wall_s if rule in own_process else 0)
    return seeds.pop("", 0.0) + max(seeds.values(), default=0.0)


def wall_seconds(
    run: PastRun, spent: Mapping[str, Spent], least_s: float, config: Config, cores: int, gpus: int
) -> float:
    """Seconds from start to end: the longest of waiting for rounds, for cores and for GPUs.

    Args:
        spent: by rule, as `expected` gives it.
        least_s: from `shortest`.
    """
    jobs = config.jobs
    on_cores = on_gpus = 0.0
    for rule, seconds in spent.items():
        if not uses_gpu(rule):
            on_cores += seconds.wall_s
            continue
        on_cores += seconds.wall_s * min(jobs.threads, cores)
        on_gpus += seconds.wall_s * (jobs.gpus / jobs.per_gpu if run.gpu else 0)
    return max(least_s, on_cores / cores, on_gpus / gpus)


def uses_gpu(rule: str) -> bool:
    """Whether a rule's jobs reserve GPUs where there are some."""
    return rule in STAGES and STAGES[rule][1] != 0
