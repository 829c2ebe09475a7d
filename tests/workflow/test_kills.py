"""Stop anywhere: runs killed at random moments, and left for days, end with the files of an undisturbed one.

`make test-faults` kills more often; `make test` each kind once.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psutil
import pytest

from tests.processes import still_working
from tests.workflow.project import Project

# Long enough for kills to fall into trainings; saved three times a second.
LONGER = """\
training: {epochs: 40}
transfer: {training: {epochs: 40}}
jobs: {checkpoint_minutes: 0.005, group: rounds}
"""
MAIN = 'if __name__ == "__main__":\n'
VICTIMS = ("a job", "the process group", "Snakemake", "Ctrl-C")


@dataclass
class Kill:
    """One kill -9, or Ctrl-C.

    Attributes:
        victim: what was killed.
        stages: of the jobs that died.
        repeated: seconds since the last of them to save saved, or started: work that is done again.
    """

    victim: str
    stages: list[str]
    repeated: float


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.create(tmp_path_factory.mktemp("kills") / "project")
    (project.folder / "longer.yaml").write_text(LONGER)
    return Project(project.folder, "longer.yaml")


@dataclass
class Undisturbed:
    """A run that was never killed.

    Attributes:
        results: what it left.
        process: of its Snakemake.
        second, third: what Snakemakes did that were started meanwhile: in the same folder, and in another one which has
            the results by a link.
    """

    results: dict[str, bytes]
    process: int
    second: "subprocess.CompletedProcess[str]"
    third: "subprocess.CompletedProcess[str]"


@pytest.fixture(scope="module")
def undisturbed(fresh: Project, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    project, elsewhere = fresh.copy(folder / "project"), fresh.copy(folder / "elsewhere")
    (elsewhere.folder / "results").symlink_to(project.folder / "results")
    with started(project) as run:
        while not jobs_of(run):
            assert run.poll() is None, told(project)
            time.sleep(0.05)
        second, third = (one.snakemake("--cores", "1", check=False) for one in (project, elsewhere))
        assert run.wait(600) == 0, told(project)
    return Undisturbed(project.results(), run.pid, second, third)


def test_a_second_snakemake_on_the_same_results_is_refused(undisturbed: Undisturbed) -> None:
    """And harms nothing: runs beside which there was none end with the same files, below."""
    second, third = undisturbed.second, undisturbed.third
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout + second.stderr
    assert third.returncode != 0
    assert f"process {undisturbed.process} on" in third.stdout + third.stderr, "one who has them by a link"


def test_a_run_killed_again_and_again_ends_with_the_files_of_an_undisturbed_one(
    fresh: Project, undisturbed: Undisturbed, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    kills: list[Kill] = []
    wanted: int = request.config.getoption("--kills")
    victims = islice(cycle(VICTIMS), wanted)
    for number in range(wanted + 1):
        if len(kills) == wanted and number:
            break
        project = fresh.copy(tmp_path / f"run-{number}")
        kills += killed_until_done(project, victims)
        found = project.results()
        assert found.keys() == undisturbed.results.keys(), "lost, or left behind"
        assert [path for path in found if found[path] != undisturbed.results[path]] == [], "wrong"
    report(kills)


def killed_until_done(project: Project, victims: Iterator[str]) -> Iterator[Kill]:
    """Start the run, kill, start it again, until it has finished; each kill at a random moment."""
    while True:
        with started(project) as run:
            victim = next(victims, None) if not ended(run, random.uniform(2, 14)) else None
            if victim is None:
                assert run.wait(900) == 0, told(project)
                return
            yield kill(project, run, victim)
        if victim != "Ctrl-C":
            project.snakemake("--unlock")
        leave_for_days(project)
        project.edit("dilt/cluster.py", MAIN, "pass\n" + MAIN)  # another stage now, of the same results


def leave_for_days(project: Project) -> None:
    """Let everything be three days old."""
    named = {path.stat().st_ino: path for path in project.folder.rglob("*") if not path.is_symlink()}
    for path in named.values():  # each file once, however many names it has
        date = path.stat().st_mtime_ns - 3 * 24 * 3600 * 10**9
        os.utime(path, ns=(date, date))


def kill(project: Project, run: "subprocess.Popen[str]", victim: str) -> Kill:
    """Kill the victim, see that nothing works on as an orphan, and say what was lost."""
    while not (jobs := jobs_of(run)) and run.poll() is None:
        time.sleep(0.01)
    dead = random.sample(jobs, 1) if victim == "a job" and jobs else jobs
    repeated = max((unsaved(project, job) for job in dead), default=0)
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):  # when it has just ended by itself
        if victim == "the process group":
            os.killpg(run.pid, signal.SIGKILL)
        elif victim == "Snakemake":
            run.kill()
        elif victim == "Ctrl-C":
            os.killpg(run.pid, signal.SIGINT)
        else:
            for job in dead:
                job.process.kill()
    run.wait(600)
    orphans = still_working([job.process for job in jobs])
    assert not orphans, f"worked on after {victim} was killed"
    return Kill(victim, [job.stage for job in dead], repeated)


@dataclass
class Job:
    """A running stage: its process, the module, the words of its command."""

    process: psutil.Process
    stage: str
    words: list[str]


def unsaved(project: Project, job: Job) -> float:
    """Seconds since a job last saved its state, or started."""
    saved = [job.process.create_time()]
    if "--checkpoints" in job.words:
        folder = project.folder / job.words[job.words.index("--checkpoints") + 1]
        saved += [path.stat().st_mtime for path in folder.glob("*.safetensors")]
    return time.time() - max(saved)


def jobs_of(run: "subprocess.Popen[str]") -> list[Job]:
    """The stages that a Snakemake has running."""
    found = []
    try:
        for process in psutil.Process(run.pid).children(recursive=True):
            words = process.cmdline()
            if len(words) > 2 and words[1] == "-m" and words[2].startswith("dilt."):
                found.append(Job(process, words[2].removeprefix("dilt."), words))
    except psutil.NoSuchProcess:
        pass
    return found


def started(project: Project) -> "subprocess.Popen[str]":
    """The command that a user gives, again and again."""
    with open(project.folder / "snakemake.log", "a") as log:
        return project.start("--cores", "2", output=log)


def ended(run: "subprocess.Popen[str]", seconds: float) -> bool:
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def told(project: Project) -> str:
    return (project.folder / "snakemake.log").read_text()[-5000:]


def report(kills: list[Kill]) -> None:
    print("\n| killed | times | stages hit | files lost | files wrong | longest work repeated, s |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for victim in VICTIMS:
        of_kind = [kill for kill in kills if kill.victim == victim]
        stages = ", ".join(sorted({stage for kill in of_kind for stage in kill.stages}))
        print(f"| {victim} | {len(of_kind)} | {stages} | 0 | 0 | {max((k.repeated for k in of_kind), default=0):.1f} |")
