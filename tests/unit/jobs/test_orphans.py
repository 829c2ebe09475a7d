"""Jobs do not outlive the Snakemake that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

JOB = """
import signal, sys, time
from dilt.jobs.orphans import end_with_snakemake
signal.signal(signal.SIGTERM, lambda *_: (print("saved", flush=True), sys.exit(143)))
end_with_snakemake()
print("working", flush=True)
time.sleep({seconds})
print("done", flush=True)
"""
# As Snakemake does it: a shell between the workflow and the job, and the workflow's process ID in the environment.
WORKFLOW = """
import os, subprocess, sys, time
os.environ["DILT_SNAKEMAKE"] = str(os.getpid())
subprocess.Popen(["bash", "-c", f'set -e; "{{sys.executable}}" "{job}"; true'])
time.sleep(600)
"""


def test_a_job_is_asked_to_stop_when_its_workflow_is_killed(tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    job.write_text(JOB.format(seconds=600))
    code = WORKFLOW.format(job=job)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as workflow:
        assert workflow.stdout is not None
        assert workflow.stdout.readline() == "working\n"
        workflow.send_signal(signal.SIGKILL)
        said = workflow.stdout.read()  # until the job, which has the same standard output, has ended too
    assert said == f"the Snakemake that started this job (process {workflow.pid}) is gone\nsaved\n"


def test_a_pasted_command_of_a_dead_workflow_runs_to_its_end(tmp_path: Path) -> None:
    job = tmp_path / "job.py"
    job.write_text(JOB.format(seconds=1.5))
    environment = os.environ | {"DILT_SNAKEMAKE": "999999999"}
    ran = subprocess.run([sys.executable, job], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "working\ndone\n"
