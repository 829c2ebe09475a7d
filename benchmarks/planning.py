"""Time that Snakemake takes to plan an experiment of ImageNet size, and to see that a finished one is finished.

    python benchmarks/planning.py

plans `benchmarks/imagenet.yaml` with 1, 2 and 5 seeds (`--seeds` takes other numbers) in a copy of the project that is
deleted afterwards. An experiment is finished by making every output, a few bytes each, and having Snakemake record it.
CPU time is that of the Snakemake process; the command timed is `snakemake --dry-run --quiet rules host`.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Snakemake waits 0.1 s per job for file systems with coarse dates; here that would be minutes of doing nothing.
TOUCH = """
from snakemake.cli import main
from snakemake.executors.touch import Executor
Executor.SLEEPING_TIME = 0
main()
"""


def snakemake(folder: Path, seeds: int, *arguments: str, starter: tuple[str, ...] = ("-m", "snakemake")) -> str:
    """What Snakemake prints for an experiment of so many seeds."""
    configuration = ("--configfile", "benchmarks/imagenet.yaml", "--config", f"seeds={list(range(seeds))}")
    command = [sys.executable, *starter, *arguments, *configuration]
    return subprocess.run(
        command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ).stdout


def timed_plan(folder: Path, seeds: int) -> tuple[str, float, float]:
    """What a dry run prints, its CPU seconds and its wall seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    text = snakemake(folder, seeds, "--dry-run", "--quiet", "rules", "host")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return text, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def finish(folder: Path, seeds: int) -> int:
    """Make every output and Snakemake's record of it; the number of files."""
    lines = snakemake(folder, seeds, "--summary").splitlines()
    files = [line.partition("\t")[0] for line in lines if line.startswith("results/")]
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    snakemake(folder, seeds, "--touch", "--forceall", "--cores", "1", "--quiet", "all", starter=("-c", TOUCH))
    return len(files)


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 5], help="numbers of seeds to plan with")
    print("| seeds | jobs | files | plan, CPU s | wall s | CPU ms/job | finished, CPU s | wall s | CPU ms/job |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for seeds in parser.parse_args().seeds:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "project"
            shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("results", ".*", "__pycache__"))
            text, cpu, wall = timed_plan(folder, seeds)
            jobs = int(re.findall(r"^total +(\d+)$", text, re.MULTILINE)[-1])
            files = finish(folder, seeds)
            text, finished_cpu, finished_wall = timed_plan(folder, seeds)
            assert "Nothing to be done" in text, text
            assert "missing provenance" not in text, text
        print(
            f"| {seeds} | {jobs:,} | {files:,} | {cpu:.1f} | {wall:.1f} | {1000 * cpu / jobs:.1f}"
            f" | {finished_cpu:.1f} | {finished_wall:.1f} | {1000 * finished_cpu / jobs:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
