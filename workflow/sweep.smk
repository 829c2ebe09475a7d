# A sweep: one experiment many times, with keys varied, and a figure of one comparison over all (docs/sweeps.md).
# snakemake --cores 2 --snakefile workflow/sweep.smk --config sweep=FILE

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.snakefile).resolve().parents[1]))

from dilt.answers.sweep_tables import READ, table_of
from dilt.configuration import sharing, sweeps
from dilt.foundations.result_paths import Networks
from dilt.jobs.fingerprint import code_digest
from dilt.jobs.scheduling import start_at_once
from dilt.jobs.slurm_jobs import SlurmRun

if not config.get("sweep"):
    sys.exit("no sweep: name its file, as --config sweep=docs/evidence/rewinding/sweep.yaml")
FILE = Path(config["sweep"])
try:
    SWEEP, POINTS = sweeps.read(FILE)
except ValueError as error:
    sys.exit(str(error))
NAMES = [f"point_{number}" for number in range(1, len(POINTS) + 1)]

# Each point is the whole workflow as a module, under rule names of its own.
for name, point in zip(NAMES, POINTS):
    prefix = f"{name}_"

    module:
        name: name
        snakefile:
            "Snakefile"
        config:
            point.configuration

    use rule * from name as prefix*


rule sweep:
    """The comparison over all points: tables and a figure."""
    default_target: True
    input:
        [f"results/{point.experiment}/report.html" for point in POINTS],
        # Of points whose networks are removed in the end.
        removed=[
            f"{point.RESULTS}/{Networks.REMOVED.format(seed=seed)}"
            for point in map(globals().get, NAMES)
            if point.REMOVE_NETWORKS
            for seed in point.EXPERIMENT.seeds
        ],
        tables=[str(table_of(Path("results", point.experiment), table)) for point in POINTS for table in READ],
        file=str(FILE),
    output:
        tables=[str(table_of(Path("results", SWEEP.sweep), table)) for table in ("sweep", "sweep_by_seed")],
        figures=multiext(f"results/{SWEEP.sweep}/figures/sweep", ".svg", ".png"),
    log:
        f"results/{SWEEP.sweep}/logs/sweep.log",
    localrule: True
    params:
        code=code_digest("dilt.sweep"),
        answers=f"results/{SWEEP.sweep}",
    shell:
        "python -m dilt.sweep --file {input.file} --results results --answers {params.answers}"
        " --code {params.code} --log {log} > {log} 2>&1"


# What each point's workflow would do by itself, but for the measure of Snakemake's own time, which they share.
onstart:
    for name in NAMES:
        point = globals()[name]
        try:
            sharing.hold(Path(point.RESULTS))
        except ValueError as error:
            sys.exit(str(error))
        sharing.register(point.EXPERIMENT, Path(point.RESULTS))
        SlurmRun(Path(point.RESULTS, Networks.SLURM_RUN), log).start(logger.warning)
    start_at_once(workflow)


onsuccess:
    for name in NAMES:
        SlurmRun(Path(globals()[name].RESULTS, Networks.SLURM_RUN), log).end()
    sharing.release()


onerror:
    for name in NAMES:
        SlurmRun(Path(globals()[name].RESULTS, Networks.SLURM_RUN), log).end()
    sharing.release()
