"""The slurm profile on a real Slurm with two make-believe GPUs, by Slurm's own records."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from dilt.configuration.job_memory import predict
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import gather
from tests.workflow.project import Project, finish
from tests.workflow.slurm_cluster import SlurmCluster, SlurmJob

MISSING = ", ".join(SlurmCluster.missing())
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"no {MISSING}: on Debian, apt-get install slurmctld slurmd slurm-client"
)

# What a real cluster does not need: it has accounting, and jobs that last.
PROFILE = ("--workflow-profile", "workflow/profiles/slurm", "--slurm-status-command", "squeue")
PROFILE += ("--slurm-init-seconds-before-status-checks", "2")
GPUS = 2
TRAINING = "results/digits/seed-0/independent/full/round-1/weights.safetensors"
TRAINING_LOG = "results/digits/logs/train/seed-0/independent/full/round-1.log"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[SlurmCluster]:
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"), GPUS)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@dataclass
class Runs:
    """What two simultaneous runs left: the whole pipeline, and a training that its time limit ended once."""

    pipeline: Project
    pipeline_jobs: list[SlurmJob]
    limited: Project
    limited_jobs: list[SlurmJob]


@pytest.fixture(scope="module")
def runs(clean, finished, slurm, tmp_path_factory) -> Runs:
    """Together they want three GPUs at once: the pipeline alone wants two."""
    folder = tmp_path_factory.mktemp("runs")
    pipeline = clean.copy(folder / "pipeline")
    limited = held_training(finished.copy(folder / "limited"), until="loop.step")
    pipeline.environment = limited.environment = slurm.environment
    running = limited.start(*training(runtime=1))
    try:
        pipeline.snakemake(*PROFILE)
        # Snakemake asks ever more rarely whether a job has ended; its records tell at once.
        wait("a job with more time", running, lambda: slurm.jobs(limited.folder)[-1].state == "COMPLETED")
    finally:
        running.kill()
        running.communicate()
    return Runs(pipeline, slurm.jobs(pipeline.folder), limited, slurm.jobs(limited.folder))


def held_training(project: Project, until: str) -> Project:
    """Take back the result that `training` asks for, and hold trainings until a condition, or until they are stopped.

    Thus they last as long as a test wants, on any machine.
    """
    line = "        for ends_epoch in usage.training(_steps(loop), len(devices)):\n"
    hold = f"        while not ({until}) and not checkpoint.stopping():\n            time.sleep(0.1)\n"
    project.edit("dilt/training/session.py", line, hold + line)
    project.edit("dilt/training/session.py", "import math\n", "import math\nimport os\n")
    (project.folder / TRAINING).unlink()
    (project.folder / TRAINING_LOG).unlink(missing_ok=True)
    return project


def training(runtime: int = 60) -> tuple[str, ...]:
    """Arguments for one training alone; code that a test has edited is no reason for more."""
    jobs = f'jobs={{"group": "apart", "runtime": {runtime}}}'
    return (TRAINING, *PROFILE, "--rerun-triggers", "mtime", "--config", jobs)


def wait(what: str, running: subprocess.Popen[str], reached: Callable[[], bool], seconds: int = 400) -> None:
    """Return once something is reached while a Snakemake runs."""
    deadline = time.monotonic() + seconds
    while not reached():
        if running.poll() is not None or time.monotonic() > deadline:
            running.kill()
            raise AssertionError(f"no {what} after {seconds} s or until Snakemake ended:\n{running.communicate()}")
        time.sleep(0.2)


def test_slurm_gives_the_same_files(runs, finished):
    results, expected = runs.pipeline.results(), finished.results()
    assert results.keys() == expected.keys()
    assert [path for path in results if results[path] != expected[path]] == []


def test_what_runs_networks_reserves_one_gpu_and_nothing_else_does(runs):
    networks = {"train", "train_ticket", "represent", "represent_references", "transfer_ticket"}
    networks.add("measure_instability")
    networks |= {"assemble", "retrain_assembly", "evaluate_tickets", "evaluate_transfer", "evaluate_assemblies"}
    gpus = {(job.rule, job.gpus) for job in runs.pipeline_jobs}
    assert gpus == {(rule, 1) for rule in networks} | {("prepare", 0), ("compare", 0)}, "the rest takes seconds: local"


def test_gpus_are_never_shared(runs):
    jobs = [job for job in runs.pipeline_jobs + runs.limited_jobs if job.gpus]
    simultaneous = {job: [j for j in jobs if j.span[0] <= job.span[0] < j.span[1]] for job in jobs}
    assert max(map(len, simultaneous.values())) == GPUS, simultaneous


def test_memory_and_time_are_asked_for(runs):
    values = gather([runs.pipeline.folder / file for file in runs.pipeline.configuration]).values
    predicted = predict(parse_config(values, across=False), gpu=True)
    asked = {job.rule: (job.megabytes, job.minutes) for job in runs.pipeline_jobs}
    assert asked["train"] == (predicted["train"], 60), "as jobs.runtime says"
    assert asked["prepare"] == (predicted["prepare"], 60)
    assert asked["compare"] == (predicted["compare"], 120)


def test_a_job_ended_by_its_time_limit_comes_back_with_more_time_and_goes_on(runs):
    *ended, last = runs.limited_jobs
    assert ended
    assert {job.state for job in ended} == {"TIMEOUT"}
    assert last.state == "COMPLETED"
    assert [job.minutes for job in runs.limited_jobs] == list(range(1, len(runs.limited_jobs) + 1))
    assert "goes on from step" in (runs.limited.folder / TRAINING_LOG).read_text()


def test_after_a_killed_snakemake_nothing_is_computed_twice_at_once(finished, slurm, tmp_path):
    """SIGKILL of Snakemake alone, while its job runs in Slurm; then the same command again."""
    project = held_training(finished.copy(tmp_path / "project"), until='os.path.exists("go")')
    project.environment = slurm.environment
    killed = project.start(*training())
    log = project.folder / TRAINING_LOG
    wait("training", killed, lambda: log.exists() and "# python" in log.read_text())
    os.killpg(killed.pid, signal.SIGKILL)
    finish(killed, check=False)

    project.snakemake("--unlock")
    again = project.start(*training())
    (left,) = slurm.jobs(project.folder)
    line = f"Slurm still has jobs of an earlier Snakemake: {left.number}. Waiting"
    wait(f"line {line!r}", again, lambda: line in project.newest_log())
    assert [job.state for job in slurm.jobs(project.folder)] == ["RUNNING"]
    (project.folder / "go").touch()
    finish(again)
    first, second = slurm.jobs(project.folder)
    assert first.state == second.state == "COMPLETED"
    assert first.span[1] <= second.span[0]
    assert "finished before" in log.read_text(), "the job that runs again gives what the first one kept"
    assert project.planned(*training()) == {}


def test_preemption_and_the_failure_of_a_node_take_no_retry_and_no_saved_work(finished, slurm, tmp_path):
    """One training, which makes room for another job within its grace time, and then loses its node."""
    project = held_training(finished.copy(tmp_path / "project"), until='os.path.exists("go")')
    project.environment = slurm.environment
    running = project.start(*training())
    log = project.folder / TRAINING_LOG

    def job() -> SlurmJob:
        (only,) = slurm.jobs(project.folder)
        return only

    def told(words: str) -> bool:
        return log.exists() and words in log.read_text()

    wait("training", running, lambda: told("not used"))  # the finished checkpoint, of the code before the edit
    urgent = ("sbatch", "--parsable", "--partition=urgent", f"--gres=gpu:{GPUS}", "--output=/dev/null")
    other = slurm.ask(*urgent, "--wrap=sleep 1000").strip()
    wait("preemption", running, lambda: told("preempted; Slurm starts job"))
    wait("place in the queue", running, lambda: job().state == "PENDING")
    # Slurm would wait for two minutes; within the same second its node would still refuse the job.
    slurm.ask("scontrol", "update", f"jobid={job().number}", "starttime=now+15")
    slurm.ask("scancel", other)
    wait("training that goes on", running, lambda: told("goes on from step"))
    slurm.fail_node()
    log.unlink()
    (project.folder / "go").touch()
    slurm.start_node()
    finish(running)  # after the two minutes, as by then Slurm has told the node to end what ran there
    assert job().state == "COMPLETED"
    assert job().record["Restarts"] == "2", "by Slurm, as one job: Snakemake submitted none again"
    assert told("goes on from step")
    assert project.planned(*training()) == {}
