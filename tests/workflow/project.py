"""A copy of the project in a folder of its own, in which tests run, edit and break things."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.conftest import ROOT

SOURCES = ("Snakefile", "config.yaml", "environment.yml", "dilt", "profiles", "workflow")
TINY = """\
seeds: [0]
source: {partitions: {by: classes, classes: {low: ["0", "1", "2"], high: ["3", "4", "5"]}}}
model: {name: mlp, arguments: {width: 12, depth: 2}}
training: {epochs: 1, batch_size: 64, optimizer: sgd, warmup_epochs: 0, learning_rate: 0.1}
pruning: {rounds: 2, rate: 0.5}
tickets: {rounds: [1], claim_rounds: {C1: 1, C2: 1, C3: 1}}
transfer:
  protocols: [retrain, finetune, linear]
  training: {epochs: 1, batch_size: 64, learning_rate: 0.1}
  finetune_learning_rate: 0.02
  penalties: [0.1]
representations: {probes: 12}
clustering: {subsamples: 2, shuffles: 19}
jobs: {group: together}
"""


class Project:
    """The project's files in a folder, and Snakemake run there."""

    def __init__(self, folder: Path, *overlays: str) -> None:
        self.folder = folder
        self.configuration = ["config.yaml", "tiny.yaml", *overlays]
        self.environment: dict[str, str] = {}

    @classmethod
    def create(cls, folder: Path) -> "Project":
        """A fresh clone with the tiny configuration and no results."""
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / name)
        (folder / "tiny.yaml").write_text(TINY)
        return cls(folder)

    def note_opened_files(self) -> None:
        """From now on let jobs note which results they open."""
        shutil.copy(Path(__file__).with_name("noting.py"), self.folder / "sitecustomize.py")

    def opened(self) -> set[tuple[str, str]]:
        """The results that stages opened, to read or to write: pairs of stage and path."""
        lines = (self.folder / "opened.txt").read_text().splitlines()
        return {(stage.removeprefix("dilt."), path) for stage, _, path in (line.partition(" ") for line in lines)}

    def copy(self, folder: Path) -> "Project":
        """Everything, results and Snakemake's records too, dates kept."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, *self.configuration[2:])

    def start(self, *arguments: str, output: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start Snakemake on the configuration, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *arguments, "--configfile", *self.configuration],
            cwd=self.folder,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | self.environment,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the configuration; its output is in stdout and stderr."""
        return finish(self.start(*arguments), check)

    def planned(self, *arguments: str) -> dict[str, int]:
        """What a dry run would run: rule to number of jobs, target rules aside."""
        done = self.snakemake(*arguments, "--dry-run", "--quiet", "rules", "host")
        return self.jobs(done.stdout + done.stderr)

    @staticmethod
    def jobs(said: str) -> dict[str, int]:
        """The table of jobs that a dry run printed: rule to number of jobs, target rules aside."""
        table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", said, re.MULTILINE | re.DOTALL)
        rows = [line.split() for line in table[1].splitlines()] if table else []
        return {rule: int(count) for rule, count in rows if rule not in ("all", "restore")}

    def newest_log(self) -> str:
        """What Snakemake wrote in its newest run."""
        return max((self.folder / ".snakemake/log").iterdir(), key=lambda log: log.name).read_text()

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} no longer has {old!r}"
        path.write_text(text.replace(old, new))

    def results(self) -> dict[str, bytes]:
        """Every result by path, without logs and what tells of times."""
        root = self.folder / "results" / "digits"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
            and not path.relative_to(root).parts[0].startswith(("logs", "report"))
            and path.name != "runtime.csv"
        }


def finish(running: subprocess.Popen[str], check: bool = True, seconds: int = 600) -> subprocess.CompletedProcess[str]:
    """What became of a started Snakemake; it is killed, with its local jobs, when it takes too long."""
    try:
        stdout, stderr = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        stdout, stderr = running.communicate()
        stderr += f"\nkilled after {seconds} s"
    arguments = " ".join(running.args[2:])
    if check and running.returncode:
        raise AssertionError(f"{arguments} failed:\n{stdout[-3000:]}\n{stderr[-6000:]}")
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)
