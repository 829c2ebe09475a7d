"""Other executors than Slurm's: Grid Engine's profile by stand-ins of its commands; what lacks a shared file system."""

import os
import re
from pathlib import Path

import pytest

from tests.workflow.project import Project

PROFILE = (
    "--workflow-profile",
    "workflow/profiles/grid-engine",
    "--latency-wait",
    "2",
    "--max-status-checks-per-second",
    "9",
)
WEIGHTS = "results/digits/seed-0/independent/full/round-1/weights.safetensors"
# Jobs run as they are submitted, but the first that asks for a GPU is killed before it says a word.
COMMANDS = {
    "qsub": """\
echo "$@" >> submitted.txt
number=$(wc -l < submitted.txt)
if grep -q gpu=1 <<< "$*" && ! grep -q . killed.txt 2> /dev/null; then
    echo $number >> killed.txt
    status=137
else
    bash "${@: -1}" > "job-$number.txt" 2>&1
    status=$?
fi
printf 'jobnumber    %s\\nexit_status  %s   %s\\n' $number $status "(Killed)" > "account-$number.txt"
echo $number
""",
    "qstat": "exit 1",  # no job is left in the queue
    "qacct": 'cat "account-$2.txt"',
    "qdel": "exit 1",
}


@pytest.fixture
def grid(clean: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A clone where stand-ins of Grid Engine's commands are first on the search path."""
    project = clean.copy(tmp_path / "project")
    for name, text in COMMANDS.items():
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/bash\n{text}\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return project


def test_grid_engine_runs_jobs_and_starts_a_killed_one_again_with_more_time(grid: Project) -> None:
    said = grid.snakemake(WEIGHTS, *PROFILE, "--cores", "2").stderr
    assert (grid.folder / WEIGHTS).exists()
    jobs = [
        re.search(r"-N dilt-(\w+) -pe smp (\d) -l h_rt=0:(\d+):0,gpu=(\d) \S+/snakejob\S+\.sh$", line)
        for line in (grid.folder / "submitted.txt").read_text().splitlines()
    ]
    assert [job.groups() for job in jobs if job] == [
        *(("prepare", "1", "60", "0"), ("train", "1", "60", "1"), ("train", "1", "120", "1"))
    ]
    assert "Trying to restart job" in said


@pytest.mark.parametrize("words", [("--shared-fs-usage", "sources"), ("--default-storage-provider", "fs")])
def test_without_a_shared_file_system_a_line_says_that_there_has_to_be_one(
    clean: Project, words: tuple[str, ...]
) -> None:
    failed = clean.snakemake("--dry-run", *words, check=False)
    assert failed.returncode != 0
    said = (failed.stdout + failed.stderr).strip().splitlines()[-1]
    assert said.startswith("results/ has to lie where Snakemake and every job see it: take an executor with a shared")
