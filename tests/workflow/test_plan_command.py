"""What ``dilt plan`` says of an experiment is what Snakemake would do, and what a finished run took."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

import pandas as pd

from tests.workflow.project import Project


def plan(project: Project, *arguments: str) -> str:
    command = [sys.executable, "-m", "dilt.plan", *project.configuration, *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


def jobs(said: str) -> Mapping[str, tuple[int, int]]:
    """Of every rule the number of jobs, and of those that are left."""
    table = said.partition("\njobs ")[2].partition("\n\n")[0]
    return {
        rule: (int(all_), int(left)) for rule, all_, left in re.findall(r"^(\w+) +(\d+) +(\d+)", table, re.MULTILINE)
    }


def test_of_a_clean_clone_all_is_left_and_no_time_is_known(clean):
    said = plan(clean, "--sd", "3")
    planned = clean.planned()
    assert jobs(said) == {rule: (n, n) for rule, n in planned.items()} | {"all": (sum(planned.values()),) * 2}
    assert "Time: unknown" in said
    assert re.search(r"^trajectories +18 +18 ", said, re.MULTILINE), "nine runs of two rounds, of an epoch each"
    assert "one seed has no verdict" in said


def test_of_a_finished_experiment_nothing_is_left_and_its_time_is_what_it_took(finished):
    said = plan(finished)
    runtime = pd.read_csv(finished.folder / "results/digits/tables/runtime.csv").set_index("stage")
    found = jobs(said)
    assert {left for _, left in found.values()} == {0}
    assert {rule: number for rule, (number, _) in found.items() if rule != "all"} == finished_jobs(runtime)
    told = re.search(r"^train +\d+ +\d+ +(\d+) s", said, re.MULTILINE)
    assert abs(int(told[1]) - runtime.loc["train", "cpu_s"]) <= 1


def finished_jobs(runtime: pd.DataFrame) -> dict[str, int]:
    """The numbers of jobs that a finished run recorded, Snakemake itself aside."""
    return {rule: int(n) for rule, n in runtime["jobs"].items() if n and rule not in ("snakemake", "all")}
