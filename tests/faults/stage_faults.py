"""Faults of single stages: the job dies, or the power fails, at a random moment; then the same command again.

The stages are those of `tests/stage/small_run.py`. After each fault all files are looked at, those of other stages too.
"""

import importlib.metadata
import itertools
import os
import random
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pipeline
from small_run import Arguments

from tests.faults.attempts import DEAD, Attempt, Moment, attempt
from tests.faults.disks import Disk
from tests.faults.ledger import Fault

Job = Callable[[Path], Arguments]
JOBS: dict[str, tuple[str, Job]] = {
    "prepare": ("prepare", lambda results: pipeline.prepare(results, "held-out")),
    "initialise": ("initialise", pipeline.initialise),
    "train": ("train", lambda results: pipeline.train(results, 1)),
    "train, round 2": ("train", lambda results: pipeline.train(results, 2, ["independent/full", "cyclic/low"])),
    "prune": ("prune", lambda results: pipeline.prune(results, 1, "cyclic")),
    "prune to core": ("prune", lambda results: pipeline.prune_to_core(results, 2)),
    "instability": ("instability", pipeline.instability),
    "score": ("score", pipeline.score),
    "combine": ("combine", pipeline.combine),
    "train_ticket": ("train_ticket", lambda results: pipeline.train_ticket(results, pipeline.FEW)),
    "represent": ("represent", lambda results: pipeline.represent(results, pipeline.FEW)),
    "represent references": ("represent", pipeline.represent_references),
    "compare": ("compare", lambda results: pipeline.compare(results, pipeline.FEW) | {"threads": 2}),
    "cluster": ("cluster", pipeline.cluster),
    "assemble": ("assemble", pipeline.assemble),
    "retrain_assembly": ("retrain_assembly", pipeline.retrain_assembly),
    "evaluate_assemblies": ("evaluate_assemblies", pipeline.evaluate_assemblies),
    "transfer": ("transfer", lambda results: pipeline.transfer(results, pipeline.FEW)),
    "evaluate": ("evaluate", lambda results: pipeline.evaluate_transfer(results, pipeline.FEW)),
}


class Bench:
    """A finished run in a folder, in which one stage after another is begun anew, hit, and finished.

    Args:
        folder: where the run is to be; on a `Disk`, whose power is cut.
        finished: a finished run, which is left as it is.
    """

    def __init__(self, folder: Path, finished: Path, disk: Disk | None = None) -> None:
        self.results, self.disk = folder / "seed-0", disk
        shutil.copytree(finished, self.results, ignore=shutil.ignore_patterns("checkpoints"))
        self.expected = contents(self.results)
        self._undisturbed: dict[str, Attempt] = {}
        self._written: dict[str, list[Path]] = {}
        os.sync()

    def hit(self, name: str) -> Fault | None:
        """Begin a job anew, let a fault befall it, give the same command again, and say what that cost.

        None if the job had ended before.
        """
        stage, job = JOBS[name]
        undisturbed = self._measured(name)
        os.environ["DILT_CHECKPOINT_MINUTES"] = random.choice(["0", "0.001", "5"])
        self._begin_anew(name)
        moment = Moment.anywhere(undisturbed)
        inner = name == "compare" and moment.seconds is not None and random.random() < 0.5
        victim = "the machine" if self.disk else "a process of the job" if inner else "a job"
        died = attempt(stage, job(self.results), moment, victim)
        if died.code == 0 and victim != "a process of the job":
            return None
        if self.disk:
            self.disk.cut(also_written=random.choice([0.0, 0.0, 0.3]))
        faults = [f"{died.code}: {died.said[-300:]}"] if died.code not in (0, 1, DEAD) else []
        wrong = [f"{path} stood there damaged" for path in self._differing()]
        lost = [f"{path} was on the disk and is not" for path in died.files if not path.exists()]
        if random.random() < 0.5:  # as Snakemake does, if it knows that the job did not end
            for path in self._written[name]:
                path.unlink(missing_ok=True)
        again = attempt(stage, job(self.results))
        if again.code:
            lost.append(f"the same command failed: {again.said[-400:]}")
            again = attempt(stage, job(self.results))
        lost += [f"{piece} was done again" for piece in died.finished if piece not in again.given_again]
        wrong += self._wrong()
        kind = f"power cut, {self.disk.kind}" if self.disk else "kill"
        told = "; ".join(faults + lost + wrong).replace("\n", " ") or "as undisturbed"
        return Fault(kind, stage, victim, str(moment), len(lost) + len(faults), len(wrong), died.unsaved, told)

    def fill(self, name: str) -> Fault | None:
        """Do a job anew on a full disk, and again when there is room; None if what was left was room enough."""
        assert self.disk
        stage, job = JOBS[name]
        os.environ["DILT_CHECKPOINT_MINUTES"] = "0"
        self._measured(name)
        self._begin_anew(name)
        room = int(2 ** random.uniform(2, 8))
        with self.disk.full_but_for(room):
            died = attempt(stage, job(self.results))
        if died.code == 0:
            return None
        lines = [line for line in died.said.splitlines() if "error: " in line]
        plain = died.code == 1 and len(lines) == 1 and "make room, then run again" in lines[0]
        lost = [] if plain else [f"not told in one line: {died.said[-400:]}"]
        wrong = [f"{path} stood there damaged" for path in self._differing()]
        again = attempt(stage, job(self.results))
        lost += [f"the same command failed: {again.said[-400:]}"] if again.code else []
        lost += [f"{piece} was done again" for piece in died.finished if piece not in again.given_again]
        wrong += self._wrong()
        told = "; ".join(lost + wrong).replace("\n", " ") or "as undisturbed"
        return Fault("full disk", stage, "a job", f"{room} kB left", len(lost), len(wrong), died.unsaved, told)

    def update(self, name: str) -> Fault | None:
        """Kill a job, and go on with it after an update of torch: all that it writes is of one version."""
        stage, job = JOBS[name]
        undisturbed = self._measured(name)
        os.environ["DILT_CHECKPOINT_MINUTES"] = "0"
        self._begin_anew(name)
        moment = Moment.anywhere(undisturbed)
        died = attempt(stage, job(self.results), moment)
        if died.code == 0:
            return None
        with mock.patch("tests.faults.attempts.prepare_process", pretend_update):
            again = attempt(stage, job(self.results))
        lost = [f"the same command failed: {again.said[-400:]}"] if again.code else []
        wrong = [f"{piece} is of the version before" for piece in again.given_again]
        wrong += ["goes on from a state of the version before"] if "goes on from" in again.said else []
        own = ("torch 99.0", f"torch {importlib.metadata.version('torch')}")
        for path in self._written[name]:
            if stage.startswith("evaluate") and path.suffix == ".csv":
                continue  # scores tell what their networks were made with
            text = path.read_bytes().decode(errors="replace")
            if own[1] in text and own[0] not in text:
                wrong.append(f"{path} is of the version before")
        # The next one begins with files of the version that is expected.
        for path in self._written[name]:
            path.unlink(missing_ok=True)
        shutil.rmtree(self.results / "checkpoints", ignore_errors=True)
        attempt(stage, job(self.results))
        wrong += self._wrong()
        told = "; ".join(lost + wrong).replace("\n", " ") or "begun anew, of one version"
        return Fault("update of torch", stage, "a job", str(moment), len(lost), len(wrong), died.unsaved, told)

    def _wrong(self) -> list[str]:
        left = [path for path in self.results.rglob("*.partial") if "checkpoints" not in path.parts]
        return [f"{path} differs" for path in self._differing(all_of_them=True)] + [f"{path} is left" for path in left]

    def _measured(self, name: str) -> Attempt:
        """An attempt that nothing befalls, with as many checkpoints as can be; and which files the job writes."""
        if name not in self._undisturbed:
            os.environ["DILT_CHECKPOINT_MINUTES"] = "0"
            stage, job = JOBS[name]
            self._begin_anew(name)
            found = attempt(stage, job(self.results))
            assert found.code == 0, found.said
            assert not self._differing(all_of_them=True), self._differing(all_of_them=True)
            self._undisturbed[name] = found
            ours = [path for path in found.files if self.results in path.parents and "checkpoints" not in path.parts]
            self._written[name] = [path for path in ours if not path.name.startswith(".") and path.is_file()]
            self._written[name] += [path / "zarr.json" for path in ours if path.suffix == ".zarr"]
        return self._undisturbed[name]

    def _begin_anew(self, name: str) -> None:
        """Take back what a job has made."""
        shutil.rmtree(self.results / "checkpoints", ignore_errors=True)
        for path in self._written.get(name, []):
            if random.random() < 0.8 or path.name == "zarr.json":  # else it is replaced by the same, as after an edit
                shutil.rmtree(path.parent) if path.name == "zarr.json" else path.unlink()
        if self.disk:
            os.sync()

    def _differing(self, all_of_them: bool = False) -> list[str]:
        """Files that are not what they are in the finished run; what is not there counts only with all of them."""
        found = contents(self.results)
        differing = [path for path in found if self.expected.get(path, b"") != found[path]]
        return differing + [path for path in self.expected if all_of_them and path not in found]


def contents(results: Path) -> dict[str, bytes]:
    """Every result by path; what is only begun or kept (checkpoints, parts of stores) is none."""
    found = {}
    for path in results.rglob("*"):
        place = path.relative_to(results)
        begun = any(part.endswith(".partial") for part in place.parts)
        whole = all((folder / "zarr.json").exists() for folder in path.parents if folder.suffix == ".zarr")
        if path.is_file() and place.parts[0] != "checkpoints" and not begun and whole:
            found[str(place)] = path.read_bytes()
    return found


def pretend_update() -> None:
    """From now on this process finds another version of torch installed."""
    found = importlib.metadata.version
    importlib.metadata.version = lambda name: "99.0" if name == "torch" else found(name)


def make_finished(results: Path) -> None:
    """A finished run of all stages."""
    with small_chunks():
        pipeline.run_all(results)


def faults(bench: Bench, kind: str) -> Generator[Fault]:
    """Faults without end, of one stage after another; ``kind`` is the method of `Bench` that brings them about."""
    names = list(JOBS)
    random.shuffle(names)  # what is stopped early has seen all of them alike
    for name in itertools.cycle(names):
        with small_chunks():
            fault = getattr(bench, kind)(name)
        if fault:
            yield fault


@contextmanager
def small_chunks() -> Iterator[None]:
    """Representations are written in several pieces, with checkpoints between, though probes are few."""
    with (
        mock.patch("dilt.geometry.recording.BATCH", 5),
        mock.patch("dilt.geometry.zarr_stores.CHUNK_ROWS", 10),
    ):
        yield
