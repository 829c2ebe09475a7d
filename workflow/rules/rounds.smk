# Included if jobs.group is rounds: a seed's work in a few jobs, for networks that train in seconds.


rule train_rounds:
    """Train and prune a seed's trajectories, round after round."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        dense=at.DENSE_MASK,
    output:
        weights=of_rounds(at.RUN_WEIGHTS),
        metrics=of_rounds(at.RUN_METRICS),
        masks=of_rounds(at.RUN_MASK),
        consensus=expand(at.CONSENSUS_MASK, round=ROUNDS, allow_missing=True),
    log:
        at.LOG["train_rounds"],
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("train_rounds", gpus=GPUS),
    params:
        **code("dilt.train_rounds"),
        options=options("model", "training", *REWINDING, "pruning.rate", "pruning.scope", "pruning.pattern"),
        runs=expand("{coupling}/{trajectory}", zip, **EACH_RUN),
        checkpoints=checkpoints_of("train_rounds", "seed-{seed}"),
    shell:
        "python -m dilt.train_rounds --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
        " --runs {params.runs} --weights {output.weights} --metrics {output.metrics}"
        " --masks {output.masks} --consensus {output.consensus}"
        f" {TRAINED}"


if ASKED.same_rounds:

    rule train_rounds_to_core:
        """Train and prune LTH on its way to the cores' numbers of weights, in as many rounds as each core took."""
        input:
            **prepared("source", "train", "validation"),
            theta0=at.THETA0,
            dense=at.DENSE_MASK,
            lth=independent(at.RUN_WEIGHTS, FULL, round=1),
            partitions=[
                file for round_ in ASKED.same_rounds for file in independent(at.RUN_MASK, PARTITIONS, round=round_)
            ],
        output:
            weights=to_core(at.TO_CORE_WEIGHTS, first=2),
            metrics=to_core(at.TO_CORE_METRICS, first=2),
            masks=to_core(at.TO_CORE_MASK),
        log:
            at.LOG["train_rounds_to_core"],
        conda:
            ENVIRONMENT
        threads: GPUS * THREADS
        resources:
            **gpu_job("train_rounds_to_core", gpus=GPUS),
        params:
            **code("dilt.train_rounds_to_core"),
            options=options("model", "training", *REWINDING, "pruning.rate", "pruning.scope", "pruning.pattern"),
            core_rounds=ASKED.same_rounds,
            checkpoints=checkpoints_of("train_rounds_to_core", "seed-{seed}"),
        shell:
            "python -m dilt.train_rounds_to_core --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
            " --lth-weights {input.lth} --core-rounds {params.core_rounds} --partition-masks {input.partitions}"
            " --weights {output.weights} --metrics {output.metrics} --masks {output.masks}"
            f" {TRAINED}"


TRAJECTORIES_TRAINED = in_turn("train_trajectories")
TRAJECTORIES_MEASURED = in_turn("measure_trajectories")
TICKETS_MADE = in_turn("make_tickets")
TICKETS_USED = in_turn("use_tickets")
EVALUATED = in_turn("evaluate")


ruleorder: train_trajectories > initialise > train_rounds > train > prune > prune_to_consensus
ruleorder: measure_trajectories > measure_instability > represent_references > assemble > retrain_assembly
ruleorder: make_tickets > train_to_core > prune_to_core > combine > train_ticket
ruleorder: use_tickets > represent
ruleorder: evaluate > evaluate_tickets > evaluate_assemblies


# An order names only rules that there are.
if ASKED.same_rounds:

    ruleorder: make_tickets > train_rounds_to_core > train_to_core > prune_to_core


if ASKED.transferred:

    ruleorder: use_tickets > transfer_ticket
    ruleorder: evaluate > evaluate_transfer


rule train_trajectories:
    """Make a seed's theta0; train and prune its trajectories, round after round."""
    input:
        TRAJECTORIES_TRAINED.input,
    output:
        TRAJECTORIES_TRAINED.output,
    log:
        TRAJECTORIES_TRAINED.log,
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job(*TRAJECTORIES_TRAINED.names, gpus=GPUS),
    params:
        **TRAJECTORIES_TRAINED.params,
    shell:
        TRAJECTORIES_TRAINED.shell


rule measure_trajectories:
    """Measure a seed's trajectories: instability, references' representations, assemblies, retrained ones too."""
    input:
        TRAJECTORIES_MEASURED.input,
    output:
        TRAJECTORIES_MEASURED.output,
    log:
        TRAJECTORIES_MEASURED.log,
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job(*TRAJECTORIES_MEASURED.names, gpus=GPUS),
    params:
        **TRAJECTORIES_MEASURED.params,
    shell:
        TRAJECTORIES_MEASURED.shell


rule make_tickets:
    """Make every ticket of a seed, LTH in as many rounds as the core took among them, and train them."""
    input:
        TICKETS_MADE.input,
    output:
        TICKETS_MADE.output,
    log:
        TICKETS_MADE.log,
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job(*TICKETS_MADE.names, gpus=GPUS),
    params:
        **TICKETS_MADE.params,
    shell:
        TICKETS_MADE.shell


rule use_tickets:
    """Record representations of a seed's tickets, and transfer tickets to the targets."""
    input:
        TICKETS_USED.input,
    output:
        TICKETS_USED.output,
    log:
        TICKETS_USED.log,
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job(*TICKETS_USED.names, gpus=GPUS),
    params:
        **TICKETS_USED.params,
    shell:
        TICKETS_USED.shell


rule evaluate:
    """Score a seed's tickets, transferred ones too, and its assemblies on test images, once."""
    input:
        EVALUATED.input,
    output:
        EVALUATED.output,
    log:
        EVALUATED.log,
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job(*EVALUATED.names, gpus=GPUS),
    params:
        **EVALUATED.params,
    shell:
        EVALUATED.shell
