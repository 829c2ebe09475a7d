# Included if jobs.group is rounds: the rounds of a seed's trajectories in one job, instead of a few for each round.


ruleorder: train_rounds > train > prune > prune_to_consensus > train_to_core > prune_to_core


rule train_rounds:
    """Train and prune a seed's trajectories, round after round; then LTH on its way to cores."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        dense=at.DENSE_MASK,
    output:
        weights=of_rounds(at.RUN_WEIGHTS),
        metrics=of_rounds(at.RUN_METRICS),
        masks=of_rounds(at.RUN_MASK),
        consensus=expand(at.CONSENSUS_MASK, round=ROUNDS, allow_missing=True),
        to_core_weights=to_core(at.TO_CORE_WEIGHTS, first=2),
        to_core_metrics=to_core(at.TO_CORE_METRICS, first=2),
        to_core_masks=to_core(at.TO_CORE_MASK),
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
        core_rounds=ASKED.same_rounds,
        checkpoints=checkpoints_of("train_rounds", "seed-{seed}"),
    shell:
        "python -m dilt.train_rounds --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
        " --runs {params.runs} --weights {output.weights} --metrics {output.metrics}"
        " --masks {output.masks} --consensus {output.consensus} --core-rounds {params.core_rounds}"
        " --to-core-weights {output.to_core_weights} --to-core-metrics {output.to_core_metrics}"
        " --to-core-masks {output.to_core_masks}"
        f" {TRAINED}"
