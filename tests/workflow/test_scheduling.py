"""On one machine Snakemake looks for jobs to start when one ends, and not again every second for each that ended."""

import re

from tests.workflow.project import Project


def test_no_number_of_jobs_in_a_time_is_kept_to(clean: Project, tmp_path) -> None:
    project = clean.copy(tmp_path / "project")
    done = project.snakemake("data", "--cores", "2", "--verbose")
    room = re.findall(r"'_job_count': (\d+)", done.stdout + done.stderr)
    assert len(room) >= 2, "Snakemake says no more how many jobs it may start"
    assert min(map(int, room)) > 1000, "a limit would be told here: 100 by default"
