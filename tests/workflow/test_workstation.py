"""Jobs on a workstation with two GPUs, which are pretended."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.pretended import GPUS, pretend_gpus
from tests.workflow.project import Project

PROFILE = "workflow/profiles/local"
SETTING = "# resources: {gpu: 2}"
ROUND_1 = [f"results/digits/seed-0/independent/{name}/round-1/weights.safetensors" for name in ("low", "high", "full")]
APART = ("--config", 'jobs={"group": "apart"}')
WORKFLOW = f"""
rule all:
    input:
        expand("{{job}}.gpu", job=range(6)),
        expand("{{job}}.cpu", job=range(6)),

rule gpu:
    output: "{{job}}.gpu"
    resources: gpu=1
    shell: "{sys.executable} compute.py > {{output}}"

rule cpu:
    output: "{{job}}.cpu"
    shell: "sleep 0.3; touch {{output}}"
"""
COMPUTE = """
import os, time
from dilt.jobs.gpus import claim_gpus
claim_gpus()
start = time.monotonic()
time.sleep(0.3)
print(os.environ["CUDA_VISIBLE_DEVICES"], start, time.monotonic())
"""


@pytest.fixture
def workstation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on a machine with two GPUs, with a workflow of short jobs."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pretend_gpus(tmp_path / "nvml")), str(ROOT)]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for variable in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "Snakefile").write_text(WORKFLOW)
    (tmp_path / "compute.py").write_text(COMPUTE)
    return tmp_path


def snakemake(folder: Path, *arguments: str) -> list[list[str]]:
    """Run the workflow of short jobs with four cores; what ran at a time."""
    command = [sys.executable, "-m", "snakemake", "--cores", "4", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return list(running(done.stderr))


def running(log: str) -> Iterator[list[str]]:
    """The rules of the jobs that run at a time, after each start in Snakemake's log."""
    jobs: dict[str, str] = {}
    rule = ""
    for found in re.finditer(r"^(?:local)?rule (\w+):$|^    jobid: (\d+)$|^Finished jobid: (\d+) ", log, re.MULTILINE):
        name, started, finished = found.groups()
        rule = name or rule
        if started:
            jobs[started] = rule
            yield list(jobs.values())
        elif finished:
            del jobs[finished]


def test_the_local_profile_gives_gpus_to_so_many_jobs_and_the_other_cores_to_others(workstation: Path) -> None:
    setting = (ROOT / PROFILE / "config.yaml").read_text().replace(SETTING, SETTING.removeprefix("# "))
    (workstation / PROFILE).mkdir(parents=True)
    (workstation / PROFILE / "config.yaml").write_text(setting)
    at_a_time = snakemake(workstation, "--workflow-profile", PROFILE)
    assert max(rules.count("gpu") for rules in at_a_time) == 2
    assert ["cpu", "cpu", "gpu", "gpu"] in map(sorted, at_a_time)


def test_without_a_profile_jobs_wait_rather_than_share_a_gpu(workstation: Path) -> None:
    at_a_time = snakemake(workstation)
    assert max(rules.count("gpu") for rules in at_a_time) > 2, "nothing but the claims keeps them apart"
    times: dict[str, list[tuple[float, float]]] = {gpu: [] for gpu in GPUS}
    for output in workstation.glob("*.gpu"):
        gpu, start, end = output.read_text().splitlines()[-1].split()
        times[gpu].append((float(start), float(end)))
    assert sum(map(len, times.values())) == 6
    for intervals in map(sorted, times.values()):
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(intervals))


def test_trainings_keep_to_the_gpus_of_the_local_profile(workstation: Path, clean: Project) -> None:
    project = clean.copy(workstation / "project")
    project.environment = {"PYTHONPATH": str(workstation / "nvml")}
    project.edit(f"{PROFILE}/config.yaml", SETTING, SETTING.removeprefix("# "))
    done = project.snakemake(*ROUND_1, "--cores", "4", "--workflow-profile", PROFILE, *APART)
    at_a_time = list(running(done.stderr))
    assert max(rules.count("train") for rules in at_a_time) == 2
    assert max(rules.count("train") + rules.count("initialise") for rules in at_a_time) == 2
