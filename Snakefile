# dilt: Disentangled Lottery Tickets, from a data set to answered claims.
# Here: what is built, in the order in which it is built. How it is built: workflow/rules/.

import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version
from snakemake_interface_executor_plugins.settings import SharedFSUsage

min_version("9.14")
sys.path.insert(0, str(Path(workflow.snakefile).resolve().parent))  # dilt beside this file, or else the installed one

from dilt.answers.gathering import TABLES
from dilt.assemblies.names import retrained_names
from dilt.configuration import sharing
from dilt.configuration.job_memory import of_job, predict
from dilt.configuration.derived_names import asked_tickets, partition_names
from dilt.configuration.rule_options import data_files, data_section, section
from dilt.configuration.reading import parse_config
from dilt.configuration.rules_in_turn import IN_TURN, InTurns
from dilt.configuration.yaml_files import gather, retyped
from dilt.foundations import result_paths
from dilt.foundations.dates import date_now
from dilt.foundations.result_paths import Networks
from dilt.geometry.reference_networks import reference_names
from dilt.jobs.fingerprint import ROOT, code_digest, file_digest, fingerprint, sources_digest
from dilt.jobs.gpus import installed_gpus
from dilt.jobs.scheduling import start_at_once
from dilt.jobs.slurm_jobs import SlurmRun
from dilt.jobs.usage import Usage, path_beside
from dilt.settings.training import read_length
from dilt.reporting.drawing import FIGURES
from dilt.tickets.names import CRITERIA
from dilt.tickets.trajectories import FULL, sibling, splits, trajectory_names

# Checkpoints, chunks of arrays and what grouped jobs hand on lie below results/ undeclared, where storage providers would
# not bring them along.
shared = workflow.storage_settings
if shared.default_storage_provider or SharedFSUsage.INPUT_OUTPUT not in shared.shared_fs_usage:
    sys.exit(
        "results/ has to lie where Snakemake and every job see it: take an executor with a shared file system, leave "
        "input-output in --shared-fs-usage, and give no --default-storage-provider (docs/executors.md)"
    )

# A configuration that is given on the command line lies over the defaults of the settings, not over this one.
if not workflow.configfiles:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# The configuration, and the two folders of results: RESULTS has the networks and what is measured on each, which
# experiments can share; ANSWERS has an experiment's own answers.
try:
    if __name__:  # a module of another workflow, which gives the configuration
        given, files = retyped(config), f"config of the module {__name__}"
    else:
        # Read anew, since Snakemake accepts a key twice, and reads 1e-5, and numbers inside --config, as text.
        given = gather([Path(file) for file in workflow.configfiles], workflow.config_settings.config_args or [])
        files = " + ".join(map(os.path.relpath, workflow.configfiles))
        config.update(given.values)
    EXPERIMENT = parse_config(given.values, files, workflow.is_main_process, given.written)
    RESULTS = f"results/{EXPERIMENT.shared}"
    ANSWERS = f"results/{EXPERIMENT.experiment}"
    sharing.check(EXPERIMENT, Path(RESULTS), recorded=Path(".snakemake/metadata").exists())
except ValueError as error:
    sys.exit(str(error))


pathvars:
    results=RESULTS,
    answers=ANSWERS,


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/trajectories.smk"
include: "workflow/rules/instability.smk"
include: "workflow/rules/colt.smk"
include: "workflow/rules/saliencies.smk"
include: "workflow/rules/tickets.smk"
include: "workflow/rules/assembly.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/evaluation.smk"


if ASKED.transferred:

    include: "workflow/rules/transfer.smk"


if ROUNDS_TOGETHER:

    include: "workflow/rules/rounds.smk"


include: "workflow/rules/claims.smk"
include: "workflow/rules/targets.smk"


if REMOVE_NETWORKS:

    include: "workflow/rules/removal.smk"


# Every stage's outputs stand here, not only the last ones: otherwise, if a stage failed after its inputs changed, older
# results of the stages after it would pass for current. Networks that are removed in the end are left out: each job that
# makes some also makes what stays and stands here.
rule all:
    """Everything."""
    default_target: True
    input:
        rules.data.input,
        kept(rules.tickets.input),
        kept(rules.instability.input),
        rules.representations.input,
        rules.modules.input,
        kept(rules.assemblies.input),
        kept(rules.transfer.input),
        rules.evaluation.input,
        rules.claims.input,
        rules.report.output,
        expand(at.REMOVED, seed=SEEDS) if REMOVE_NETWORKS else [],


# Not called in dry runs, nor by the Snakemake inside a Slurm job.
onstart:
    try:
        sharing.hold(Path(RESULTS))
        sharing.register(EXPERIMENT, Path(RESULTS))
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(
            f"{error.filename}: {error.strerror}; results belong there, so make it a folder that can be written"
        )
    if told := date_now(Path(RESULTS), Path(ANSWERS)):
        logger.warning(told)
    SlurmRun(Path(RESULTS, Networks.SLURM_RUN), log).start(logger.warning)
    start_at_once(workflow)
    # Measures this process until it ends. The path is absolute, as the process may end in another folder (--directory).
    Usage(path_beside(Path(ANSWERS, result_paths.LOGS_OF_ANSWERS["snakemake"]).absolute()), is_job=False)


onsuccess:
    SlurmRun(Path(RESULTS, Networks.SLURM_RUN), log).end()
    sharing.release()


onerror:
    SlurmRun(Path(RESULTS, Networks.SLURM_RUN), log).end()
    sharing.release()
