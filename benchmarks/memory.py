"""Peak memory of a finished experiment's jobs beside what was predicted for them.

    snakemake --cores 2                      # first, from nothing: each job notes its peak
    python benchmarks/memory.py config.yaml  # several files are read as Snakemake's --configfile reads them

Measured is the largest peak of a rule's jobs: of one process, or of a job's processes together as seen every ten
seconds.
"""

import argparse
from pathlib import Path

from dilt.configuration.job_memory import predict
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import gather
from dilt.jobs import usage
from dilt.jobs.gpus import installed_gpus
from dilt.settings.experiment import Config


def measured(config: Config, rule: str) -> tuple[int, float] | None:
    """Jobs of a rule and the largest peak in MiB, or None if none was noted."""
    peaks = []
    for name in {config.shared, config.experiment}:
        logs = Path("results", name, "logs")
        for table in [logs / f"{rule}.usage.csv", *(logs / rule).rglob("*.usage.csv")]:
            peaks += [float(row["peak_memory_mb"]) for row in usage.read(table)]
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
