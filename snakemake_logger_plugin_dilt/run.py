"""A run of Snakemake as it goes: jobs of each rule that are done, those that are running, and the time left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Stage:
    """The jobs of a rule.

    Attributes:
        running: jobs that are running, by their numbers: when each began, and what it works on.
        seconds: what each finished job took.
        failed: number of jobs that failed.
    """

    jobs: int
    running: dict[int, tuple[float, str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def done(self) -> int:
        """Number of jobs that are finished."""
        return len(self.seconds)


class Run:
    """All jobs of a run. Times are in seconds on any one clock.

    Attributes:
        rules: of the jobs that have begun, by their numbers.

    Args:
        jobs: number of jobs of every rule.
        begun: when the run began.
    """

    def __init__(self, jobs: Mapping[str, int], begun: float) -> None:
        self.stages = {rule: Stage(number) for rule, number in jobs.items()}
        self.begun = begun
        self.rules: dict[int, str] = {}

    @property
    def jobs(self) -> int:
        """Number of jobs."""
        return sum(stage.jobs for stage in self.stages.values())

    @property
    def done(self) -> int:
        """Number of jobs that are finished."""
        return sum(stage.done for stage in self.stages.values())

    def start(self, job: int, rule: str, what: str, now: float) -> None:
        """A job begins, perhaps again; ``what`` says in a few words what it works on."""
        self.rules[job] = rule
        self.stages.setdefault(rule, Stage(1)).running[job] = now, what

    def finish(self, job: int, now: float) -> tuple[str, Stage]:
        """A job is finished; gives its rule."""
        rule = self.rules[job]
        begun, _ = self.stages[rule].running.pop(job)
        self.stages[rule].seconds.append(now - begun)
        return rule, self.stages[rule]

    def fail(self, job: int) -> None:
        """A job has failed."""
        stage = self.stages[self.rules[job]]
        del stage.running[job]
        stage.failed += 1

    def left(self, now: float) -> float | None:
        """Seconds that the rest will take, if its jobs take what those before took and as many run at a time.

        None before the first job is finished. A rule without a finished job counts as the mean of all.
        """
        finished = [taken for stage in self.stages.values() for taken in stage.seconds]
        if not finished or now <= self.begun:
            return None
        overall = sum(finished) / len(finished)
        work, busy = 0.0, sum(finished)
        for stage in self.stages.values():
            each = sum(stage.seconds) / stage.done if stage.done else overall
            so_far = [now - begun for begun, _ in stage.running.values()]
            busy += sum(so_far)
            work += each * (stage.jobs - stage.done - stage.failed) - sum(min(taken, each) for taken in so_far)
        return work * (now - self.begun) / busy if busy else None


def duration(seconds: float) -> str:
    """Seconds in words: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
