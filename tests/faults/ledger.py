"""What became of each fault: a row of a CSV that only grows, so that hours of faults can be stopped and resumed."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One fault and what it cost.

    Attributes:
        kind: such as "kill" or "power cut, ext4".
        stage: that was at work, or several.
        victim: what was hit.
        moment: when: seconds after the start, or the call on the file system.
        lost: pieces of finished work that had to be done again, and runs that the same command did not go on with.
        wrong: files that differ from those of an undisturbed run, or that were taken though damaged or mixed.
        repeated: seconds of work that was done again, since it had last been saved.
        outcome: "as undisturbed", or which pieces and files.
    """

    kind: str
    stage: str
    victim: str
    moment: str
    lost: int
    wrong: int
    repeated: float
    outcome: str = "as undisturbed"


COLUMNS = [field.name for field in fields(Fault)]


def add(path: Path, fault: Fault) -> None:
    """Append a fault; it is on the disk then."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(fault) | {"repeated": f"{fault.repeated:.2f}"})
        file.flush()
        os.fsync(file.fileno())


def read(paths: Iterable[Path]) -> list[Fault]:
    """The faults of some tables; a last line that was cut off is left out."""
    found = []
    for path in paths:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if None not in row.values():
                    numbers = {"lost": int(row["lost"]), "wrong": int(row["wrong"]), "repeated": float(row["repeated"])}
                    found.append(Fault(**row | numbers))
    return found


def table(faults: Iterable[Fault]) -> str:
    """A row for each kind and victim, in Markdown: how often, stages, lost, wrong, longest work repeated."""
    kinds: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in faults:
        kinds[fault.kind, fault.victim].append(fault)
    lines = [
        "| fault | of | times | stages | lost | wrong | longest work repeated, s |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (kind, victim), some in sorted(kinds.items()):
        lines.append(_row(kind, victim, some))
    lines.append(_row("all", "", [fault for some in kinds.values() for fault in some]))
    return "\n".join(lines)


def _row(kind: str, victim: str, faults: list[Fault]) -> str:
    stages = {stage for fault in faults for stage in fault.stage.split()}
    lost, wrong = (sum(getattr(fault, what) for fault in faults) for what in ("lost", "wrong"))
    repeated = max((fault.repeated for fault in faults), default=0.0)
    return f"| {kind} | {victim} | {len(faults)} | {len(stages)} | {lost} | {wrong} | {repeated:.1f} |"
