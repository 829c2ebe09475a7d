"""Faults of whole runs: Snakemake, one of its jobs or the machine dies at a random moment; then the same command again.

Which process dies, and that none works on as an orphan, is `tests/workflow/test_kills.py`'s; here all is written down.
"""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

from dilt.foundations import storage
from tests.faults.disks import Disk
from tests.faults.ledger import Fault
from tests.workflow.project import Project
from tests.workflow.test_kills import LONGER, VICTIMS, ended, jobs_of, kill, started, told, unsaved


def faults(folder: Path, disk: Disk | None = None) -> Generator[Fault]:
    """Faults without end: runs are begun one after another, and hit until they end.

    A run's last faults are told when it has ended, as only then is known whether its results are wrong.
    """
    fresh = Project.create(folder / "fresh")
    (fresh.folder / "longer.yaml").write_text(LONGER)
    fresh = Project(fresh.folder, "longer.yaml")
    whole = fresh.copy(folder / "undisturbed")
    with started(whole) as run:
        assert run.wait(1200) == 0, told(whole)
    undisturbed = whole.results()
    for number in range(10**6):
        project = fresh.copy(folder / f"run-{number}")
        if disk:
            os.sync()
        yield from _hit_until_done(project, undisturbed, disk)
        shutil.rmtree(project.folder)


def _hit_until_done(project: Project, undisturbed: dict[str, bytes], disk: Disk | None) -> Generator[Fault]:
    hits: list[Fault] = []
    # Work that was finished before some fault: its file, and which file that first was.
    finished: dict[Path, int] = {}
    at_the_cut: dict[Path, int] = {}
    while True:
        with started(project) as run:
            if ended(run, random.uniform(2, 14)):
                break
            seconds = time.monotonic()
            hits.append(_cut(project, run, disk, at_the_cut) if disk else _killed(project, run))
            finished = (at_the_cut if disk else finished_work(project)) | finished
            print(f"{hits[-1]} ({time.monotonic() - seconds:.0f} s)", flush=True)
        if hits[-1].victim != "Ctrl-C":
            project.snakemake("--unlock")
    assert hits or run.returncode == 0, told(project)
    failed = [] if run.returncode == 0 else [f"the same command failed: {told(project)[-500:]}"]
    found = project.results()
    wrong = [path for path in found if found[path] != undisturbed.get(path)]
    wrong += [path for path in undisturbed if path not in found]
    again = [f"{path.name} was done again" for path, inode in finished.items() if _inode(path) != inode]
    for number, hit in enumerate(hits):
        last = number == len(hits) - 1
        lost, differ = (again + failed, wrong) if last else ([], [])
        lost += [hit.outcome] if hit.lost else []
        told_ = "; ".join([*lost, *(f"{path} differs" for path in differ)]).replace("\n", " ") or "as undisturbed"
        yield Fault(hit.kind, hit.stage, hit.victim, hit.moment, len(lost), len(differ), hit.repeated, told_)


def _killed(project: Project, run: subprocess.Popen[str]) -> Fault:
    begun = _seconds(run)
    victim = random.choice(VICTIMS)
    try:
        found = kill(project, run, victim)
    except AssertionError as orphan:
        return Fault("kill, whole runs", "", victim, f"{begun:.2f} s", 1, 0, 0.0, str(orphan))
    stages = " ".join(sorted(set(found.stages)))
    return Fault("kill, whole runs", stages, victim, f"{begun:.2f} s", 0, 0, found.repeated)


def _cut(project: Project, run: subprocess.Popen[str], disk: Disk, finished: dict[Path, int]) -> Fault:
    """The machine dies: all processes at once, and what was not on the disk.

    Args:
        finished: takes the work that was finished before.
    """
    begun, jobs = _seconds(run), jobs_of(run)
    repeated = max((unsaved(project, job) for job in jobs), default=0.0)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    for job in jobs:
        job.process.wait(30)
    finished |= finished_work(project, before=time.time() - 0.5)  # what is younger may not have been said to be kept
    disk.cut(also_written=random.choice([0.0, 0.0, 0.3]))
    stages = " ".join(sorted({job.stage for job in jobs}))
    return Fault("power cut, whole runs", stages, "the machine", f"{begun:.2f} s", 0, 0, repeated)


def finished_work(project: Project, before: float = float("inf")) -> dict[Path, int]:
    """The files of finished work that lie among the checkpoints since some time, with their inodes.

    Work that is done again is a new file.
    """
    found = {}
    for path in project.folder.glob("results/*/checkpoints/**/*.safetensors"):
        if path.stat().st_mtime < before and storage.read_tensors(path)[1].get("finished"):
            found[path] = path.stat().st_ino
    return found


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _seconds(run: subprocess.Popen[str]) -> float:
    import psutil

    return time.time() - psutil.Process(run.pid).create_time()
