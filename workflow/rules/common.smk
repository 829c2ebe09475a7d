# Names, paths and helpers that the rules share. Longer Python lives in dilt/ and workflow/fingerprint.py.

# Processes that decode images, in each job that decodes.
WORKERS = EXPERIMENT.jobs.threads if EXPERIMENT.jobs.workers is None else EXPERIMENT.jobs.workers

# `python -m dilt.<stage>` is this installation's, from any working directory and in cluster jobs.
os.environ.update(
    PYTHONPATH=workflow.basedir,
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", os.defpath)]),
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
SCORES = ["csv", "correct.safetensors"]  # a table of test scores, and beside it which single images are right
# The rounds in which LTH is pruned to the core of the claim round, if a ticket is taken from there.
ROUNDS_TO_CORE = list(range(1, CLAIM_ROUND + 1)) if f"{SAME_ROUNDS}@core" in TICKETS else []
TO_CORE = f"same-rounds-{CLAIM_ROUND}/{FULL}"

# What can share a job (configuration: jobs.siblings): wildcards and their values side by side.
TOGETHER = EXPERIMENT.jobs.siblings == "together"
RUNS = {
    "coupling": ["independent"] * len(TRAJECTORIES) + ["cyclic"] * len(PARTITIONS),
    "trajectory": [*TRAJECTORIES, *PARTITIONS],
}
INDEPENDENT = {"trajectory": TRAJECTORIES}
EACH_TICKET = {"ticket": TICKETS}
RETRAINED = dict(zip(("partition", "assembly"), map(list, zip(*retrained_names(PARTITIONS)))))
TEMPLATES = sorted(
    f"dilt/reporting/templates/{file.name}" for file in Path(workflow.basedir, "dilt/reporting/templates").iterdir()
)
NUM_PARTS = EXPERIMENT.jobs.compare_jobs
PARTS = [f"{part}-of-{NUM_PARTS}" for part in range(1, NUM_PARTS + 1)] if NUM_PARTS > 1 else []


wildcard_constraints:
    dataset="|".join(["source", *map(re.escape, TARGETS)]),
    seed=r"\d+",
    coupling="independent|cyclic",
    trajectory="|".join(map(re.escape, TRAJECTORIES)),
    round=r"[1-9]\d*",
    ticket="|".join(map(re.escape, TICKETS)),
    partition="|".join(map(re.escape, PARTITIONS)),
    assembly="|".join(map(re.escape, dict.fromkeys(RETRAINED["assembly"]))),
    target="|".join(map(re.escape, TARGETS)),
    part=r"\d+",
    parts=r"\d+",


def siblings(pattern, names):
    """The files of all siblings when they share a job, else the pattern of one."""
    return expand(pattern, zip, **names, allow_missing=True) if TOGETHER else pattern


def sibling_names(pattern, names):
    """The names of the siblings in a job for its command line, as a function of its wildcards."""
    return lambda wildcards: (expand(pattern, zip, **names) if TOGETHER else pattern.format(**wildcards))


def job_file(pattern, names):
    """The log of a job; siblings that share a job share it under the name `all`."""
    return expand(pattern, **dict.fromkeys(names, "all"), allow_missing=True)[0] if TOGETHER else pattern


def mask_path(seed, coupling, trajectory, round_):
    """The mask that a run goes on from after a round: dense, its own, or COLT's consensus."""
    if round_ == 0:
        return f"<results>/seed-{seed}/dense.safetensors"
    run = "cyclic/consensus" if coupling == "cyclic" else f"independent/{trajectory}"
    return f"<results>/seed-{seed}/{run}/round-{round_}/mask.safetensors"


def weights_to_core(seed, round_):
    """The weights that LTH on its way to the core is pruned by; the first, dense training is that of LTH itself."""
    run = f"independent/{FULL}" if round_ == 1 else TO_CORE
    return f"<results>/seed-{seed}/{run}/round-{round_}/weights.safetensors"


def mask_to_core(wildcards):
    """The mask that LTH on its way to the core goes on from."""
    before = int(wildcards.round) - 1
    return f"<results>/seed-{wildcards.seed}/" + (
        f"{TO_CORE}/round-{before}/mask.safetensors" if before else "dense.safetensors"
    )


def masks_before(coupling=None):
    """The masks that the runs of a job are trained under, as an input function; of one coupling, or of the job's."""

    def masks(wildcards):
        if coupling == "cyclic":
            runs = [("cyclic", partition) for partition in PARTITIONS]
        elif TOGETHER:
            runs = [run for run in zip(*RUNS.values()) if coupling in (None, run[0])]
        else:
            runs = [(coupling or wildcards.coupling, wildcards.trajectory)]
        return [mask_path(wildcards.seed, *run, int(wildcards.round) - 1) for run in runs]

    return masks


def transferred():
    """The networks of a job that transfers tickets: of every protocol, ticket by ticket."""
    pattern = "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}/{protocol}.safetensors"
    return expand(siblings(pattern, EACH_TICKET), protocol=PROTOCOLS, allow_missing=True)


def trained_under_masks(trajectories):
    """What the next round trained under a round's masks, as an input function."""
    names = list(trajectories)
    return lambda wildcards: expand(
        "<results>/seed-{seed}/independent/{trajectory}/round-{after}/weights.safetensors",
        seed=wildcards.seed,
        trajectory=names,
        after=int(wildcards.round) + 1,
    )


# What a seed's distances are between: layers of tickets, then of references.
COMPARED = expand(
    "<results>/seed-{{seed}}/representations/{store}.zarr/zarr.json",
    store=[*(f"round-{{round}}/{name}" for name in TICKETS), *(f"references/{name}" for name in REFERENCES)],
)


def dataset_files(dataset, *splits):
    """The files that a stage opens of a prepared data set: test images only where it names them."""
    files = [f"{split}-{kind}.npy" for split in splits for kind in ("images", "labels")]
    return [f"<results>/data/{dataset}/{file}" for file in files]


def options(*keys):
    """What a stage reads of the configuration, as one JSON string: Snakemake compares strings reliably.

    Given by a function: in a plain string Snakemake takes what stands in braces for a wildcard.
    """
    read = section(EXPERIMENT, *keys)
    return lambda wildcards: read


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
