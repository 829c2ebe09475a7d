# Names, paths and functions that the rules share. Longer Python lives in dilt/.

# Where results and logs lie: at.RUN_MASK, at.LOG["train"].
at = result_paths.below(networks="<results>", answers="<answers>")

GPUS = EXPERIMENT.jobs.gpus  # of a job that trains
THREADS = EXPERIMENT.jobs.threads  # of a process that runs networks
# Processes that decode images, in each job that decodes.
WORKERS = THREADS if EXPERIMENT.jobs.workers is None else EXPERIMENT.jobs.workers
ENVIRONMENT = "../../environment.yml"

ALL_BUT_JOBS = [key for key in type(EXPERIMENT).model_fields if key != "jobs"]  # of the configuration

# How commands end: of every stage; of one that goes on from its checkpoints; of one that trains.
LOGGED = "--code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
RESUMED = f"--threads {{threads}} --checkpoints {{params.checkpoints}} {LOGGED}"
TRAINED = f"--seed {{wildcards.seed}} --ranks {{resources.gpu}} {RESUMED}"


def with_first(folder, path):
    """A search path with another folder before its own."""
    return os.pathsep.join(dict.fromkeys(filter(None, [str(folder), *path.split(os.pathsep)])))


# `python -m dilt.<stage>` is this installation's, from any working directory and in cluster jobs.
os.environ.update(
    PYTHONPATH=with_first(ROOT, os.getenv("PYTHONPATH", "")),
    PATH=with_first(Path(sys.executable).parent, os.getenv("PATH", os.defpath)),
    DILT_CHECKPOINT_MINUTES=str(EXPERIMENT.jobs.checkpoint_minutes),
    DILT_JOBS_PER_GPU=str(EXPERIMENT.jobs.per_gpu),
    DILT_SNAKEMAKE=str(os.getpid()),
    DILT_SOURCES=sources_digest(),
    DILT_MEMORY_SHARE=str(EXPERIMENT.jobs.memory_share),
    DILT_WORKERS=str(WORKERS),
    OMP_WAIT_POLICY="PASSIVE",  # threads that wait sleep: on a busy machine spinning ones cost several times the work
)

PARTITIONS = partition_names(EXPERIMENT.source)
SIBLINGS = [sibling(partition) for partition in PARTITIONS]
TRAJECTORIES = trajectory_names(PARTITIONS)
TICKETS = ticket_names(EXPERIMENT)
REFERENCES = reference_names(PARTITIONS)
TARGETS = list(EXPERIMENT.targets)
PROTOCOLS = EXPERIMENT.transfer.protocols
SEEDS = EXPERIMENT.seeds
ROUNDS = list(range(1, EXPERIMENT.pruning.rounds + 1))
TICKET_ROUNDS = EXPERIMENT.tickets.rounds
CLAIM_ROUND = EXPERIMENT.tickets.claim_round
# The rounds in which LTH is pruned to the core of the claim round, if a ticket is taken from there.
ROUNDS_TO_CORE = list(range(1, CLAIM_ROUND + 1)) if f"{SAME_ROUNDS}@core" in TICKETS else []

# What can share a job (configuration: jobs.group): wildcards and their values side by side.
TOGETHER = EXPERIMENT.jobs.group == "together"
EACH_RUN = {
    "coupling": ["independent"] * len(TRAJECTORIES) + ["cyclic"] * len(PARTITIONS),
    "trajectory": [*TRAJECTORIES, *PARTITIONS],
}
EACH_TRAJECTORY = {"trajectory": TRAJECTORIES}
EACH_TICKET = {"ticket": TICKETS}
EACH_RETRAINED = dict(zip(("partition", "assembly"), map(list, zip(*retrained_names(PARTITIONS)))))
# What a seed's distances are between: layers of tickets, then of references.
COMPARED = [
    *expand(at.TICKET_STORE, ticket=TICKETS, allow_missing=True),
    *expand(at.REFERENCE_STORE, reference=REFERENCES, allow_missing=True),
]
# The parts that the measuring of a seed's distances is cut into.
PARTS = list(range(1, EXPERIMENT.jobs.compare_jobs + 1)) if EXPERIMENT.jobs.compare_jobs > 1 else []


wildcard_constraints:
    dataset="|".join(["source", *map(re.escape, TARGETS)]),
    seed=r"\d+",
    coupling="independent|cyclic",
    trajectory="|".join(map(re.escape, TRAJECTORIES)),
    round=r"[1-9]\d*",
    ticket="|".join(map(re.escape, TICKETS)),
    partition="|".join(map(re.escape, PARTITIONS)),
    assembly="|".join(map(re.escape, dict.fromkeys(EACH_RETRAINED["assembly"]))),
    target="|".join(map(re.escape, TARGETS)),
    part=r"\d+",
    parts=r"\d+",


def grouped(patterns, names):
    """The files of all that share a job, or the pattern of one where each has its own."""
    return expand(patterns, zip, **names, allow_missing=True) if TOGETHER else patterns


def grouped_names(pattern, names):
    """The names of what shares a job for its command line, as a function of its wildcards."""
    return lambda wildcards: (expand(pattern, zip, **names) if TOGETHER else pattern.format(**wildcards))


def grouped_log(rule_name, names):
    """The log of a job; what shares a job shares it under the name `all`."""
    together = dict.fromkeys(names, "all") if TOGETHER else {}
    return expand(at.LOG[rule_name], **together, allow_missing=True)


def independent(pattern, trajectories, **wildcards):
    """Files of independent runs, trajectory by trajectory."""
    return expand(pattern, coupling="independent", trajectory=trajectories, **wildcards, allow_missing=True)


def cyclic(pattern, partitions, **wildcards):
    """Files of runs that COLT couples, partition by partition."""
    return expand(pattern, coupling="cyclic", trajectory=partitions, **wildcards, allow_missing=True)


def to_core(pattern, **wildcards):
    """Files of LTH on its way to the core."""
    return expand(pattern, claim_round=CLAIM_ROUND, **wildcards, allow_missing=True)


def of_runs(patterns):
    """Files of every run of the experiment."""
    files = expand(patterns, zip, **EACH_RUN, allow_missing=True)
    return expand(files, seed=SEEDS, round=ROUNDS)


def of_retrained(patterns):
    """Files of every assembly that the experiment retrains."""
    files = expand(patterns, zip, **EACH_RETRAINED, allow_missing=True)
    return expand(files, seed=SEEDS, round=CLAIM_ROUND)


def mask_after(round_, seed, coupling, trajectory):
    """The mask that a run goes on from after a round: dense, its own, or COLT's consensus."""
    if round_ == 0:
        return at.DENSE_MASK.format(seed=seed)
    place = at.CONSENSUS_MASK if coupling == "cyclic" else at.RUN_MASK
    return place.format(seed=seed, coupling=coupling, trajectory=trajectory, round=round_)


def masks_before(coupling=None):
    """The masks that the runs of a job are trained under, as an input function; of one coupling, or of the job's."""

    def masks(wildcards):
        if coupling == "cyclic":
            runs = [("cyclic", partition) for partition in PARTITIONS]
        elif TOGETHER:
            runs = [run for run in zip(*EACH_RUN.values()) if coupling in (None, run[0])]
        else:
            runs = [(coupling or wildcards.coupling, wildcards.trajectory)]
        return [mask_after(int(wildcards.round) - 1, wildcards.seed, *run) for run in runs]

    return masks


def mask_to_core(wildcards):
    """The mask that LTH on its way to the core goes on from."""
    before = int(wildcards.round) - 1
    place = at.TO_CORE_MASK if before else at.DENSE_MASK
    return place.format(seed=wildcards.seed, claim_round=CLAIM_ROUND, round=before)


def weights_to_core(seed, round_):
    """The weights that LTH on its way to the core is pruned by; the first, dense training is that of LTH itself."""
    if round_ == 1:
        return at.RUN_WEIGHTS.format(seed=seed, coupling="independent", trajectory=FULL, round=1)
    return at.TO_CORE_WEIGHTS.format(seed=seed, claim_round=CLAIM_ROUND, round=round_)


def trained_under_masks(trajectories):
    """What the next round trained under a round's masks, as an input function."""
    return lambda wildcards: independent(
        at.RUN_WEIGHTS, trajectories, seed=wildcards.seed, round=int(wildcards.round) + 1
    )


def transferred():
    """The networks of a job that transfers tickets: of every protocol, ticket by ticket."""
    return expand(grouped(at.TRANSFERRED, EACH_TICKET), protocol=PROTOCOLS, allow_missing=True)


def prepared(dataset, *splits):
    """A prepared data set and the files of it that a stage opens: test images only where it names them."""
    return {
        "dataset": expand(at.DATASET, dataset=dataset),
        "arrays": expand(at.DATASET_ARRAY, dataset=dataset, split=splits, kind=["images", "labels"]),
    }


def code(module):
    """Digests of a stage's modules: a job reruns when one has changed. All in one word, `code`, go with its checkpoints."""
    modules = {entry.partition(":")[0]: entry for entry in fingerprint(module)}
    return {**modules, "code": code_digest(module)}


def options(*keys):
    """What a stage reads of the configuration, as one JSON string: Snakemake compares strings reliably.

    Given by a function: in a plain string Snakemake takes what stands in braces for a wildcard.
    """
    read = section(EXPERIMENT, *keys)
    return lambda wildcards: read


def template_digests():
    """Digests of the files that the report's page is made from."""
    folder = ROOT / "dilt/reporting/templates"
    return [file_digest(f"dilt/reporting/templates/{file.name}") for file in sorted(folder.iterdir())]


def checkpoints_of(rule_name, jobs="seed-{seed}/round-{round}"):
    """The folder of a job's checkpoints, by default one for each seed and round, which all its jobs share."""
    return str(Path(RESULTS, Networks.CHECKPOINTS.format(rule=rule_name), jobs))


def gpu_job(rule_name, gpus=1):
    """Resources of a job that trains or runs networks: its GPUs; memory and time as `cpu_job`."""
    return {"gpu": gpus, **cpu_job(rule_name, EXPERIMENT.jobs.runtime, EXPERIMENT.jobs.mem_mb)}


def cpu_job(rule_name, runtime, mem_mb=None):
    """Resources of a job: memory in MB, by default as predicted, and time in minutes, growing with each attempt."""
    return {
        "mem_mb": lambda wildcards, attempt: (mem_mb or demands()[rule_name]) * attempt,
        "runtime": lambda wildcards, attempt: runtime * attempt,
    }


@cache
def demands():
    """The memory predicted for every rule, once a job needs to know: for that a network may have to be looked through."""
    return predict(EXPERIMENT, gpu=workflow.non_local_exec or bool(installed_gpus()))
