"""How the cost of a whole experiment grows with its seeds, rounds, tickets, classes and images, each alone.

    nice -n 10 python benchmarks/growth.py                      # each doubled, once: ten minutes of an idle core
    python benchmarks/growth.py --factors images seeds --by 2 4 --repeats 2
    python benchmarks/growth.py --kept growth.csv               # goes on with a table of measurements, and shows it
    python benchmarks/growth.py --plan                          # plans alone, of larger experiments with a job for each

A small experiment on pictures drawn for it is the base. It is run as a whole in a clone of this commit: once as it is,
and once with each factor times 2. An exponent is log2 of what that took over what the base took: 1 grows in proportion,
0 not at all. What a job needs to start is in it, so small experiments have lower exponents than large ones.

- seeds: replicates. rounds: of pruning, the claims' rounds staying. tickets: rounds at which tickets are trained, fewer
  than those of pruning.
- classes: as many images of each class, so fewer in each; the rest of the images is another factor, images.

Seconds are of the CPU, of all jobs (their usage tables) and of Snakemake; with repeats the least counts, as other work
only adds. Disk counts a file with several names once. A plan is a dry run, before the run and after it.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dilt.jobs import usage

ROOT = Path(__file__).resolve().parent.parent
BASE = {"seeds": 1, "rounds": 5, "tickets": 2, "classes": 8, "images": 640}  # images of the source: all splits together
LARGER = {"seeds": 2, "rounds": 8, "tickets": 3, "classes": 8, "images": 640}  # that are planned
SIDE = 12  # pixels
MEASURES = {
    "jobs_s": "jobs, CPU s",
    "snakemake_s": "Snakemake, CPU s",
    "plan_s": "plan, CPU s",
    "finished_s": "plan when finished, CPU s",
    "peak_mb": "peak of a job, MB",
    "disk_mb": "disk, MB",
    "files": "files",
}
Measured = dict[str, Any]


def draw(folder: Path, classes: int, images: int) -> None:
    """Pictures of so many classes, as many of each: a pattern for each class, shifted, and noise."""
    from PIL import Image

    draws = np.random.default_rng(0)
    for number in range(classes):
        home = folder / f"train/class-{number:02d}"
        home.mkdir(parents=True)
        pattern = draws.normal(128, 40, (SIDE, SIDE))
        for image in range(images // classes):
            shifted = np.roll(pattern, draws.integers(-1, 2, 2), (0, 1)) + draws.normal(0, 40, pattern.shape)
            Image.fromarray(shifted.clip(0, 255).astype(np.uint8)).save(home / f"{image:05d}.png")


def configuration(sizes: Mapping[str, int], folder: Path, group: str) -> dict[str, Any]:
    """The experiment: two partitions, one target."""
    claims = min(2, sizes["tickets"])
    return {
        "experiment": "growth",
        "seeds": list(range(sizes["seeds"])),
        "source": {
            "name": "folder",
            "root": str(folder / "source"),
            "test_share": 0.3,
            "partitions": {"by": "contiguous", "count": 2},
        },
        "targets": {"target": {"name": "folder", "root": str(folder / "target"), "test_share": 0.3}},
        "model": {"name": "mlp", "arguments": {"width": 64, "depth": 4}},
        "training": {"epochs": 20, "batch_size": 32, "optimizer": "adamw", "learning_rate": 0.003},
        "pruning": {"rounds": sizes["rounds"], "rate": 0.3},
        "tickets": {
            "rounds": list(range(1, sizes["tickets"] + 1)),
            "claim_rounds": {"C1": claims, "C2": claims, "C3": claims},
        },
        "representations": {"probes": 48},
        "clustering": {"shuffles": 19, "subsamples": 5},
        "jobs": {"group": group},
    }


class Experiment:
    """An experiment of so many seeds, rounds and so on, in a clone of this commit that is deleted afterwards.

    Args:
        group: how its work is cut into jobs, as jobs.group has it.
    """

    def __init__(self, scratch: Path, sizes: Mapping[str, int], group: str = "rounds") -> None:
        self._clone = scratch / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, self._clone], check=True)
        draw(scratch / "source", sizes["classes"], sizes["images"])
        draw(scratch / "target", 4, 160)
        self._file = scratch / "growth.json"  # JSON is YAML
        self._file.write_text(json.dumps(configuration(sizes, scratch, group)))

    def snakemake(self, *options: str) -> tuple[str, float]:
        """What Snakemake prints, and the CPU seconds of it and of all that it started."""
        command = [sys.executable, "-m", "snakemake", "--configfile", str(self._file), "--quiet", "rules", "host"]
        environment = os.environ | {"PYTHONPATH": str(self._clone)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, *options], cwd=self._clone, env=environment, text=True, capture_output=True, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{done.stdout}{done.stderr}")
        return done.stdout + done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def run(self) -> Measured:
        """Plan it, run it, plan it again."""
        _, plan = self.snakemake("--dry-run")
        self.snakemake("--cores", "1")
        told, finished = self.snakemake("--dry-run")
        assert "Nothing to be done" in told, told
        results = self._clone / "results/growth"
        seconds: dict[str, float] = defaultdict(float)
        peak = 0.0
        for table in results.rglob("*.usage.csv"):
            for row in usage.read(table):
                seconds[table.relative_to(results / "logs").with_suffix("").with_suffix("").parts[0]] += float(
                    row["cpu_s"]
                )
                if table.name != "snakemake.usage.csv":
                    peak = max(peak, float(row["peak_memory_mb"]))
        own = seconds.pop("snakemake")
        held = {(status.st_dev, status.st_ino): status.st_blocks * 512 for status in _statuses(results)}
        whole = {"jobs_s": sum(seconds.values()), "snakemake_s": own, "plan_s": plan, "finished_s": finished}
        return {
            **{name: round(value, 2) for name, value in whole.items()},
            "peak_mb": round(peak, 1),
            "disk_mb": round(sum(held.values()) / 2**20, 2),
            "files": len(held),
            "stages": json.dumps({stage: round(took, 2) for stage, took in sorted(seconds.items())}),
        }


def _statuses(folder: Path) -> Iterable[os.stat_result]:
    return (path.stat() for path in folder.rglob("*") if path.is_file())


def measure(kept: Path, factors: Sequence[str], by: Sequence[int], repeats: int) -> list[dict[str, str]]:
    """The measurements that a table lacks are taken and added to it; gives all of its rows."""
    columns = ["factor", "times", "repeat", *MEASURES, "stages"]
    for repeat in range(repeats):
        for factor, times in [("base", 1), *((factor, times) for times in by for factor in factors)]:
            if any(
                (row["factor"], row["times"], row["repeat"]) == (factor, str(times), str(repeat)) for row in _rows(kept)
            ):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                sizes = BASE if factor == "base" else BASE | {factor: BASE[factor] * times}
                found = Experiment(Path(scratch), sizes).run()
            new = not kept.exists()
            with kept.open("a", newline="") as file:
                table = csv.DictWriter(file, columns, lineterminator="\n")
                if new:
                    table.writeheader()
                table.writerow({"factor": factor, "times": times, "repeat": repeat, **found})
            print(f"{factor} x {times}: {found}", file=sys.stderr, flush=True)
    return _rows(kept)


def _rows(kept: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(kept.open(newline=""))) if kept.exists() else []


def least(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, int], dict[str, float]]:
    """Of the repeats of each factor and number of times, the least of every measure."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in rows:
        known = found.setdefault((row["factor"], int(row["times"])), {})
        for name in MEASURES:
            known[name] = min(known.get(name, math.inf), float(row[name]))
    return found


def table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Markdown: what each took, with its exponent in parentheses."""
    found = least(rows)
    base = found["base", 1]
    lines = [
        f"| factor | {' | '.join(MEASURES.values())} |",
        f"| --- |{' ---: |' * len(MEASURES)}",
        f"| base | {' | '.join(f'{base[name]:,.4g}' for name in MEASURES)} |",
    ]
    for (factor, times), measures in found.items():
        if factor != "base":
            cells = (f"{took:,.4g} ({_exponent(base[name], took, times)})" for name, took in measures.items())
            lines.append(f"| {factor} x {times} | {' | '.join(cells)} |")
    return lines


def stages(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Markdown: CPU seconds and exponents of the stages, those that take most of the base first."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in rows:
        known = found.setdefault((row["factor"], int(row["times"])), {})
        for stage, took in json.loads(row["stages"]).items():
            known[stage] = min(known.get(stage, math.inf), took)
    base = found.pop(("base", 1))
    lines = [
        f"| stage | base, CPU s | {' | '.join(f'{factor} x {times}' for factor, times in found)} |",
        f"| --- | ---: |{' ---: |' * len(found)}",
    ]
    for stage, took in sorted(base.items(), key=lambda item: -item[1]):
        cells = (_exponent(took, measures.get(stage, 0.0), times) for (_, times), measures in found.items())
        lines.append(f"| {stage} | {took:.1f} | {' | '.join(cells)} |")
    return lines


def _exponent(before: float, after: float, times: int) -> str:
    return f"{math.log(after / before, times):.2f}" if before and after else ""


def plans(factors: Sequence[str], by: Sequence[int]) -> Iterable[str]:
    """Markdown: jobs and CPU seconds of plans of the larger experiment, in which each training has a job."""
    yield "| factor | jobs | exponent | plan, CPU s | exponent |\n| --- | ---: | ---: | ---: | ---: |"
    base: tuple[int, float] | None = None
    for factor, times in [("base", 1), *((factor, times) for times in by for factor in factors)]:
        with tempfile.TemporaryDirectory() as scratch:
            sizes = LARGER if factor == "base" else LARGER | {factor: LARGER[factor] * times}
            told, took = Experiment(Path(scratch), sizes, "apart").snakemake("--dry-run")
        jobs = int(next(line.split()[1] for line in reversed(told.splitlines()) if line.startswith("total ")))
        if base is None:
            base = jobs, took
            yield f"| base | {jobs:,} | | {took:.1f} | |"
        else:
            growth = (_exponent(*pair, times) for pair in zip(base, (jobs, took), strict=True))
            yield f"| {factor} x {times} | {jobs:,} | {next(growth)} | {took:.1f} | {next(growth)} |"


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--factors", nargs="+", choices=list(BASE), default=list(BASE))
    parser.add_argument("--by", type=int, nargs="+", default=[2], metavar="TIMES")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--kept", type=Path, metavar="CSV", help="table of measurements to go on with")
    parser.add_argument("--plan", action="store_true", help="plan larger experiments instead")
    arguments = parser.parse_args()
    if arguments.plan:
        for line in plans(arguments.factors, arguments.by):
            print(line, flush=True)
        return
    with tempfile.TemporaryDirectory() as scratch:
        kept = arguments.kept or Path(scratch) / "growth.csv"
        rows = measure(kept, arguments.factors, arguments.by, arguments.repeats)
    print("\n".join([*table(rows), "", *stages(rows)]))


if __name__ == "__main__":
    main()
