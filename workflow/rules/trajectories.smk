# Iterative magnitude pruning: theta0, and the rounds of training and pruning of every trajectory.


rule initialise:
    """Make a seed's theta0, which its trajectories and tickets share, and other initialisations for controls."""
    input:
        **prepared("source", "train", "validation"),
        pretrained=EXPERIMENT.model.weights or [],
    output:
        theta0=at.THETA0,
        reinitialised=expand(at.REINITIALISED, draw=DRAWS, allow_missing=True),
        dense=at.DENSE_MASK,
    log:
        at.LOG["initialise"],
    # It takes seconds, unless late rewinding has theta0 trained first.
    localrule: EXPERIMENT.pruning.rewind_epoch == 0
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("initialise", gpus=GPUS),
    params:
        **code("dilt.initialise"),
        options=options("model", "training", *REWINDING, "pruning.exclude", "pruning.pattern"),
        checkpoints=checkpoints_of("initialise", "seed-{seed}"),
    shell:
        "python -m dilt.initialise --data {input.dataset} --theta0 {output.theta0}"
        " --reinitialised {output.reinitialised} --dense {output.dense}"
        f" {TRAINED}"


rule train:
    """Train trajectories for a round: theta0 under the masks of the round before."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        masks=masks_before(),
    output:
        weights=grouped(at.RUN_WEIGHTS, EACH_RUN),
        metrics=grouped(at.RUN_METRICS, EACH_RUN),
    log:
        grouped_log("train", EACH_RUN),
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("train", gpus=GPUS),
    params:
        **code("dilt.train"),
        options=options("model", "training", *REWINDING),
        runs=grouped_names("{coupling}/{trajectory}", EACH_RUN),
        checkpoints=checkpoints_of("train"),
    shell:
        "python -m dilt.train --data {input.dataset} --theta0 {input.theta0} --round {wildcards.round}"
        " --runs {params.runs} --masks {input.masks} --weights {output.weights} --metrics {output.metrics}"
        f" {TRAINED}"


rule prune:
    """Prune the trajectories of the independent coupling, each by itself."""
    input:
        weights=grouped(independent(at.RUN_WEIGHTS, "{trajectory}"), EACH_TRAJECTORY),
        masks=masks_before("independent"),
    output:
        masks=grouped(independent(at.RUN_MASK, "{trajectory}"), EACH_TRAJECTORY),
    log:
        grouped_log("prune", EACH_TRAJECTORY),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("prune", runtime=10),
    params:
        **code("dilt.prune"),
        options=options("pruning.rate", "pruning.scope", "pruning.pattern"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}" f" {LOGGED}"
