# Names, paths and functions that the rules share. Longer Python lives in dilt/.

# Where results and logs lie, such as at.RUN_MASK and at.LOG["train"].
at = result_paths.below(networks="<results>", answers="<answers>")

GPUS = EXPERIMENT.jobs.gpus  # of a job that trains
THREADS = EXPERIMENT.jobs.threads  # of a process that runs networks
# Processes that decode images, in each job that decodes.
WORKERS = THREADS if EXPERIMENT.jobs.workers is None else EXPERIMENT.jobs.workers
ENVIRONMENT = "../../environment.yml"

REWINDING = ["pruning.rewind_epoch", "pruning.rewind_schedule"]
ALL_BUT_JOBS = [key for key in type(EXPERIMENT).model_fields if key != "jobs"]  # of the configuration

# The ends of commands: of every stage; of stages that go on from checkpoints; of stages that train.
LOGGED = "--code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
RESUMED = f"--threads {{threads}} --checkpoints {{params.checkpoints}} {LOGGED}"
TRAINED = f"--seed {{wildcards.seed}} --ranks {{resources.gpu}} {RESUMED}"


def with_first(folder, path):
    """A search path with a folder put first."""
    return os.pathsep.join(dict.fromkeys(filter(None, [str(folder), *path.split(os.pathsep)])))


# So that `python -m dilt.<stage>` runs this installation from any working directory and in cluster jobs; and what jobs
# read of the configuration by themselves.
os.environ.update(
    PYTHONPATH=with_first(ROOT, os.getenv("PYTHONPATH", "")),
    PATH=with_first(Path(sys.executable).parent, os.getenv("PATH", os.defpath)),
    DILT_CHECKPOINT_MINUTES=str(EXPERIMENT.jobs.checkpoint_minutes),
    DILT_JOBS_PER_GPU=str(EXPERIMENT.jobs.per_gpu),
    DILT_SNAKEMAKE=str(os.getpid()),
    DILT_SOURCES=sources_digest(),
    DILT_MEMORY_SHARE=str(EXPERIMENT.jobs.memory_share),
    DILT_TENSORBOARD=str(int(EXPERIMENT.jobs.tensorboard)),
    DILT_WORKERS=str(WORKERS),
    OMP_WAIT_POLICY="PASSIVE",  # threads that wait sleep: on a busy machine spinning ones cost several times the work
)

PARTITIONS = partition_names(EXPERIMENT.source)
SIBLINGS = [sibling(partition) for partition in PARTITIONS]
ASKED = asked_tickets(EXPERIMENT)
TRAJECTORIES = trajectory_names(PARTITIONS, ASKED.needs_splits)
SPLITS = splits(len(PARTITIONS)) if ASKED.needs_splits else []
REFERENCES = reference_names(PARTITIONS)
TARGETS = list(EXPERIMENT.targets)
PROTOCOLS = EXPERIMENT.transfer.protocols
SEEDS = EXPERIMENT.seeds
DRAWS = list(range(1, EXPERIMENT.tickets.draws + 1))  # of random tickets and other initialisations, in each seed
ROUNDS = list(range(1, EXPERIMENT.pruning.rounds + 1))
GEOMETRY_ROUND = ASKED.geometry_round  # of assemblies too
# LTH that is pruned to the core of a round in as many rounds: the round of the core, and each on the way.
TO_CORE = {"core_round": [], "round": []}
for core_round in ASKED.same_rounds:
    TO_CORE["core_round"] += [core_round] * core_round
    TO_CORE["round"] += range(1, core_round + 1)

# Whether the logits of networks on test images are kept.
KEEP_LOGITS = EXPERIMENT.evaluation.keep_logits

# What is grouped into one job unless jobs.group is apart: wildcards, with their values side by side.
TOGETHER = EXPERIMENT.jobs.group != "apart"
ROUNDS_TOGETHER = EXPERIMENT.jobs.group == "rounds"
EACH_RUN = {
    "coupling": ["independent"] * len(TRAJECTORIES) + ["cyclic"] * len(PARTITIONS),
    "trajectory": [*TRAJECTORIES, *PARTITIONS],
}
EACH_TRAJECTORY = {"trajectory": TRAJECTORIES}
EACH_TICKET, EACH_TRANSFERRED = (
    {"round": [round_ for round_, _ in tickets], "ticket": [ticket for _, ticket in tickets]}
    for tickets in (ASKED.trained, ASKED.transferred)
)
EACH_COMPARED = {"ticket": ASKED.compared}
EACH_RETRAINED = dict(zip(("partition", "assembly"), map(list, zip(*retrained_names(PARTITIONS)))))
# Other rewinding epochs of instability analysis, and what is trained from each.
REWOUND = EXPERIMENT.other_rewindings
EACH_REWOUND = {"trajectory": [*PARTITIONS, *SIBLINGS]}
# The representations whose layers are compared, for each seed: of tickets, then of references.
COMPARED = [
    *expand(at.TICKET_STORE, **EACH_COMPARED, allow_missing=True),
    *expand(at.REFERENCE_STORE, reference=REFERENCES, allow_missing=True),
]
# The parts that a seed's distances are measured in; none if one job measures all.
PARTS = list(range(1, EXPERIMENT.jobs.compare_jobs + 1)) if EXPERIMENT.jobs.compare_jobs > 1 else []

# Whether a seed's networks are removed once all that reads them was made (removal.smk).
REMOVE_NETWORKS = EXPERIMENT.jobs.keep == "masks"

# Jobs that do several rules' work (rounds.smk).
JOBS_IN_TURN = InTurns({"<results>": RESULTS, "<answers>": ANSWERS})


wildcard_constraints:
    dataset="|".join(["source", *map(re.escape, TARGETS)]),
    seed=r"\d+",
    coupling="independent|cyclic",
    trajectory="|".join(map(re.escape, TRAJECTORIES)),
    round=r"[1-9]\d*",
    core_round=r"[1-9]\d*",
    ticket="|".join(map(re.escape, ASKED.tickets)),
    partition="|".join(map(re.escape, PARTITIONS)),
    assembly="|".join(map(re.escape, dict.fromkeys(EACH_RETRAINED["assembly"]))),
    target="|".join(map(re.escape, TARGETS)),
    rewind=r"\d+(it)?",
    part=r"\d+",
    parts=r"\d+",


def rule_called(name):
    """A rule of this experiment; None where it has none of that name."""
    try:
        return getattr(rules, name)
    except (AttributeError, WorkflowError):  # Snakemake's own error is no AttributeError
        return None


def in_turn(job):
    """The job that does what its rules would, after those whose results it reads; of targets once for each."""
    parts = [
        (name, rule, {"round": GEOMETRY_ROUND, "target": target})
        for name in IN_TURN[job]
        if (rule := rule_called(name))
        for target in (TARGETS if "target" in rule.rule.wildcard_names else [None])
    ]
    return JOBS_IN_TURN.job(f"{RESULTS}/{Networks.DIGESTS}".replace("{job}", job), *parts)


def of_seeds(patterns):
    """Files of every seed that are read together, or the files of digests that stand for them and are not removed."""
    return expand(patterns if REMOVE_NETWORKS else JOBS_IN_TURN.standing_for(patterns), seed=SEEDS)


def grouped(patterns, names):
    """The files of all that are grouped into one job; the pattern itself where each has a job of its own."""
    return expand(patterns, zip, **names, allow_missing=True) if TOGETHER else patterns


def grouped_names(pattern, names):
    """The names of what is grouped into a job, for its command line, as a function of its wildcards."""
    return lambda wildcards: (expand(pattern, zip, **names) if TOGETHER else pattern.format(**wildcards))


def grouped_log(rule_name, names):
    """The log of a job; if trainings are grouped into it, they share one log, named `all`."""
    together = dict.fromkeys(names, "all") if TOGETHER else {}
    return expand(at.LOG[rule_name], **together, allow_missing=True)


def independent(pattern, trajectories, **wildcards):
    """Files of independent runs, by trajectory."""
    return expand(pattern, coupling="independent", trajectory=trajectories, **wildcards, allow_missing=True)


def cyclic(pattern, partitions, **wildcards):
    """Files of the runs that COLT couples, by partition."""
    return expand(pattern, coupling="cyclic", trajectory=partitions, **wildcards, allow_missing=True)


def kept(files):
    """Files without the networks that are removed in the end."""
    return [file for file in files if not (REMOVE_NETWORKS and result_paths.is_trained(file))]


def below_results(files, wildcards):
    """A seed's files below the folder of results."""
    return [re.sub(f"^(<results>|{RESULTS})/", "", file) for file in expand(files, seed=wildcards.seed)]


def to_core(pattern, first=1):
    """Files of LTH on its way to the core of every round that asks for it, from a round of the way on."""
    files = expand(pattern, zip, **TO_CORE, allow_missing=True)
    return [file for file, round_ in zip(files, TO_CORE["round"]) if round_ >= first]


def of_rounds(pattern):
    """A seed's files of every run, of the first round, then of the second, and so on."""
    files = expand(pattern, zip, **EACH_RUN, allow_missing=True)
    return [file for round_ in ROUNDS for file in expand(files, round=round_, allow_missing=True)]


def of_runs(patterns):
    """Files of every run of the experiment."""
    files = expand(patterns, zip, **EACH_RUN, allow_missing=True)
    return expand(files, seed=SEEDS, round=ROUNDS)


def of_tickets(patterns, tickets):
    """Files of every seed's tickets, of those that are trained or of those that are transferred."""
    return expand(expand(patterns, zip, **tickets, allow_missing=True), seed=SEEDS, allow_missing=True)


def of_rewound(patterns):
    """Files of every network that is trained for instability analysis alone."""
    return expand(patterns, seed=SEEDS, rewind=REWOUND, round=1, **EACH_REWOUND)


def of_lines(trajectories):
    """The networks that lines are drawn between: the trajectories' of every round, then those of other rewindings."""
    own = [file for round_ in ROUNDS for file in independent(at.RUN_WEIGHTS, trajectories, round=round_)]
    return own + expand(at.REWOUND_WEIGHTS, rewind=REWOUND, trajectory=trajectories, round=1, allow_missing=True)


def of_retrained(patterns):
    """Files of every assembly that the experiment retrains."""
    files = expand(patterns, zip, **EACH_RETRAINED, allow_missing=True)
    return expand(files, seed=SEEDS, round=GEOMETRY_ROUND)


def mask_after(round_, seed, coupling, trajectory):
    """The mask that a run goes on from after a round: the dense one, its own, or COLT's consensus."""
    if round_ == 0:
        return at.DENSE_MASK.format(seed=seed)
    place = at.CONSENSUS_MASK if coupling == "cyclic" else at.RUN_MASK
    return place.format(seed=seed, coupling=coupling, trajectory=trajectory, round=round_)


def masks_before(coupling=None):
    """The masks that a job's runs are trained under, as an input function.

    Args:
        coupling: of the runs; None for that in the job's wildcards, or for both where runs are grouped.
    """

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
    return place.format(seed=wildcards.seed, core_round=wildcards.core_round, round=before)


def weights_to_core(seed, core_round, round_):
    """The weights that LTH on its way to the core is pruned by; its first training, which is dense, is LTH's own."""
    if round_ == 1:
        return at.RUN_WEIGHTS.format(seed=seed, coupling="independent", trajectory=FULL, round=1)
    return at.TO_CORE_WEIGHTS.format(seed=seed, core_round=core_round, round=round_)


def trained_under_masks(trajectories):
    """The weights trained under a round's masks, which the next round trains, as an input function."""
    return lambda wildcards: independent(
        at.RUN_WEIGHTS, trajectories, seed=wildcards.seed, round=int(wildcards.round) + 1
    )


def transferred():
    """The networks of a job that transfers tickets: one for each ticket and protocol."""
    return expand(grouped(at.TRANSFERRED, EACH_TRANSFERRED), protocol=PROTOCOLS, allow_missing=True)


def prepared(dataset, *splits):
    """A prepared data set and those of its files that a stage opens: test images only if it names that split."""
    return {
        "dataset": expand(at.DATASET, dataset=dataset),
        "arrays": expand(at.DATASET_ARRAY, dataset=dataset, split=splits, kind=["images", "labels"]),
    }


def code(module):
    """Digests of a stage's modules, so that it reruns when one changes. `code`, of all of them, marks checkpoints."""
    modules = {entry.partition(":")[0]: entry for entry in fingerprint(module)}
    return {**modules, "code": code_digest(module)}


def options(*keys):
    """What a stage reads of the configuration, as one JSON string, since Snakemake compares strings reliably.

    A function gives it, since in a plain string Snakemake takes what stands in braces for a wildcard.
    """
    read = section(EXPERIMENT, *keys)
    return lambda wildcards: read


def rewound_names(rewind, trajectory=EACH_REWOUND["trajectory"], **others):
    """The names of networks that are trained for instability analysis alone; of all in a job without a trajectory."""
    return expand("rewind-{rewind}/{trajectory}", rewind=rewind, trajectory=trajectory)


def rewound_options(*keys):
    """As `options`, with the rewinding epoch of the job's wildcards."""

    def read(wildcards):
        pruning = EXPERIMENT.pruning.model_copy(update={"rewind_epoch": read_length(wildcards.rewind)})
        return section(EXPERIMENT.model_copy(update={"pruning": pruning}), *keys)

    return read


def template_digests():
    """Digests of the files that the report's page is made from."""
    folder = ROOT / "dilt/reporting/templates"
    return [file_digest(f"dilt/reporting/templates/{file.name}") for file in sorted(folder.iterdir())]


def checkpoints_of(rule_name, jobs="seed-{seed}/round-{round}"):
    """The folder of a rule's checkpoints: one for each seed and round by default, shared by the rule's jobs there."""
    return str(Path(RESULTS, Networks.CHECKPOINTS.format(rule=rule_name), jobs))


def gpu_job(*rule_names, gpus=1):
    """Resources of a job that trains or runs networks: GPUs, and memory and time as in `cpu_job`."""
    return {"gpu": gpus, **cpu_job(*rule_names, runtime=EXPERIMENT.jobs.runtime, mem_mb=EXPERIMENT.jobs.mem_mb)}


def cpu_job(*rule_names, runtime, mem_mb=None):
    """Resources of a job, which may do several rules' work in turn; they grow with each attempt.

    Args:
        runtime: minutes.
        mem_mb: megabytes of memory; None: as predicted.
    """
    return {
        "mem_mb": lambda wildcards, attempt: (mem_mb or of_job(demands(), rule_names)) * attempt,
        "runtime": lambda wildcards, attempt: runtime * attempt,
    }


@cache
def demands():
    """The memory predicted for every rule. Only once a job needs it, since it can take looking through a network."""
    return predict(EXPERIMENT, gpu=workflow.non_local_exec or bool(installed_gpus()))
