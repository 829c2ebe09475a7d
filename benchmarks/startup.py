"""Share of the jobs' time that is process start-up, stage by stage.

Run an experiment anew with Python's own import timer on, then read its logs:

    PYTHONPROFILEIMPORTTIME=1 snakemake --cores 2 --forceall --quiet rules host
    python benchmarks/startup.py results/digits

Start-up is the time that imports took in every job's log, the whole is the time that each job tells beside it:
both wall time of processes with one thread each, so leave the machine alone meanwhile. Snakemake's own start is not in
it.
"""

import argparse
import re
from collections import defaultdict
from pathlib import Path

from dilt.jobs import usage

IMPORT = re.compile(r"^import time: +(\d+) \|", re.MULTILINE)


def import_seconds(log: Path) -> float:
    """Seconds spent importing, from the lines of ``-X importtime`` in a job's log."""
    return sum(int(microseconds) for microseconds in IMPORT.findall(log.read_text())) / 1e6


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="folder of the experiment, such as results/digits")
    results = parser.parse_args().results
    totals: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for log in sorted((results / "logs").rglob("*.log")):
        row = totals[log.relative_to(results / "logs").with_suffix("").parts[0]]
        row[0] += 1
        row[1] += float(usage.read(usage.path_beside(log))[-1]["wall_s"])
        row[2] += import_seconds(log)
    whole = [sum(row[index] for row in totals.values()) for index in range(3)]
    print("| stage | jobs | jobs s | imports s | share |\n| --- | ---: | ---: | ---: | ---: |")
    for stage, (jobs, seconds, imports) in [*sorted(totals.items(), key=lambda item: -item[1][1]), ("all", whole)]:
        print(f"| {stage} | {jobs:.0f} | {seconds:.1f} | {imports:.1f} | {imports / seconds:.0%} |")


if __name__ == "__main__":
    main()
