# Included if jobs.group is rounds: the rounds of a seed's trajectories in one job, instead of a few for each round.


ruleorder: train_rounds > train > prune > prune_to_consensus


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
        **gpu_job("train_rounds", GPUS),
    params:
        **code("dilt.train_rounds"),
        options=options("model", "training", *REWINDING, "pruning.rate", "pruning.scope"),
        runs=expand("{coupling}/{trajectory}", zip, **EACH_RUN),
        checkpoints=checkpoints_of("train_rounds", "seed-{seed}"),
    shell:
        "python -m dilt.train_rounds --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
        " --runs {params.runs} --weights {output.weights} --metrics {output.metrics}"
        " --masks {output.masks} --consensus {output.consensus}"
        f" {TRAINED}"


if ASKED.same_rounds:

    ruleorder: train_rounds_to_core > train_to_core > prune_to_core

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
            **gpu_job("train_rounds_to_core", GPUS),
        params:
            **code("dilt.train_rounds_to_core"),
            options=options("model", "training", *REWINDING, "pruning.rate", "pruning.scope"),
            core_rounds=ASKED.same_rounds,
            checkpoints=checkpoints_of("train_rounds_to_core", "seed-{seed}"),
        shell:
            "python -m dilt.train_rounds_to_core --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
            " --lth-weights {input.lth} --core-rounds {params.core_rounds} --partition-masks {input.partitions}"
            " --weights {output.weights} --metrics {output.metrics} --masks {output.masks}"
            f" {TRAINED}"
