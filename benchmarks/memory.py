"""Peak memory of a finished experiment's jobs beside what was predicted for them.

    snakemake --cores 2                      # first, from nothing: Snakemake notes each job's peak
    python benchmarks/memory.py config.yaml  # several files are read as Snakemake's --configfile reads them

Measured is the largest resident set of a rule's jobs, workers included. Snakemake looks every few seconds at first, so
jobs of less than that may have needed more than it saw.
"""

import argparse
import csv
from pathlib import Path

from dilt.config import Config, parse_config
from dilt.configuration_files import gather
from dilt.demand import predict
from dilt.gpus import installed_gpus


def measured(config: Config, rule: str) -> tuple[int, float] | None:
    """Jobs of a rule and the largest peak in MiB, or None if none was noted."""
    peaks = []
    for name in {config.shared, config.experiment}:
        folder = Path("results", name, "benchmarks")
        for file in [folder / f"{rule}.tsv", *(folder / rule).rglob("*.tsv")]:
            if file.exists():
                with file.open() as stream:
                    rows = list(csv.DictReader(stream, delimiter="\t"))
                peaks += [float(row["max_rss"]) for row in rows if row["max_rss"] != "NA"]
    return (len(peaks), max(peaks)) if peaks else None


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="CONFIG")
    config = parse_config(gather(parser.parse_args().files).values, across=False)
    print(f"{config.experiment}\n\n| rule | jobs | predicted, MiB | measured, MiB | ratio |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for rule, predicted in predict(config, gpu=bool(installed_gpus())).items():
        found = measured(config, rule)
        if found:
            print(f"| {rule} | {found[0]} | {predicted} | {found[1]:.0f} | {predicted / found[1]:.2f} |")


if __name__ == "__main__":
    main()
