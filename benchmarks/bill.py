"""Whether the bill is right: what jobs and Snakemake tell that they took, against what the system tells of them all.

Runs the smallest configuration in a clone of this commit, undisturbed, and stopped on the way and gone on with,
each as a process whose end gives the CPU seconds of itself and of all that it awaited, as ``time`` does.

    python benchmarks/bill.py

Exits with 1 where the two differ by more than 5 %.
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = 0.05
RUN = ("--cores", "2", "--configfile", "config.yaml", "workflow/presets/smallest.yaml", "--quiet", "all")


def cpu_seconds(folder: Path, stop_when: Path | None = None) -> float:
    """Run Snakemake to its end, or ask it to stop when a file is there; CPU seconds of it and its descendants."""
    command = [sys.executable, "-m", "snakemake", *RUN]
    process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)})
    while stop_when is not None and not stop_when.exists():
        time.sleep(0.2)
    if stop_when is not None:
        process.send_signal(signal.SIGINT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if stop_when is None and process.returncode:
        sys.exit(f"the run in {folder} failed")
    return used.ru_utime + used.ru_stime


def told(results: Path) -> float:
    """CPU seconds of all usage tables."""
    tables = [list(csv.DictReader(path.open())) for path in results.rglob("*.usage.csv")]
    return sum(float(row["cpu_s"]) for table in tables for row in table)


def in_report(results: Path) -> float:
    """CPU seconds of runtime.csv, which was written before the report's and Snakemake's end."""
    rows = csv.DictReader((results / "tables/runtime.csv").open())
    return next(float(row["cpu_s"]) for row in rows if row["stage"] == "all")


def main() -> None:
    """Run, compare, print a line for each case."""
    fine = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        results = folder / "results/smallest"
        for case, stops in (("undisturbed", False), ("stopped and gone on with", True)):
            shutil.rmtree(results, ignore_errors=True)
            shutil.rmtree(folder / ".snakemake", ignore_errors=True)
            taken = cpu_seconds(folder, results / "seed-0/independent/full/round-1/mask.safetensors") if stops else 0.0
            taken += cpu_seconds(folder)
            difference = told(results) / taken - 1
            fine = fine and abs(difference) <= ALLOWED
            print(
                f"{case}: {taken:.1f} CPU s by the system, {told(results):.1f} by the usage tables "
                f"({difference:+.1%}), {in_report(results):.1f} in runtime.csv",
                flush=True,
            )
    sys.exit(not fine)


if __name__ == "__main__":
    main()
