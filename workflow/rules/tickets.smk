rule initialise:
    """Make a seed's theta0, which its trajectories and tickets share, and another initialisation for controls."""
    input:
        **prepared("source", "train", "validation"),
        pretrained=EXPERIMENT.model.weights or [],
    output:
        theta0=at.THETA0,
        reinitialised=at.REINITIALISED,
        dense=at.DENSE_MASK,
    log:
        at.LOG["initialise"],
    # It takes seconds, unless late rewinding has theta0 trained first.
    localrule: EXPERIMENT.pruning.rewind_epoch == 0
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("initialise", GPUS),
    params:
        **code("dilt.initialise"),
        options=options("model", "training", "pruning.rewind_epoch", "pruning.exclude"),
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
        **gpu_job("train", GPUS),
    params:
        **code("dilt.train"),
        options=options("model", "training"),
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
        options=options("pruning.rate", "pruning.scope"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}" f" {LOGGED}"


rule prune_to_consensus:
    """Prune the trajectories of the cyclic coupling and intersect their masks: COLT's consensus, where all go on."""
    input:
        weights=cyclic(at.RUN_WEIGHTS, PARTITIONS),
        masks=masks_before("cyclic"),
    output:
        masks=cyclic(at.RUN_MASK, PARTITIONS),
        consensus=at.CONSENSUS_MASK,
    log:
        at.LOG["prune_to_consensus"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("prune_to_consensus", runtime=10),
    params:
        **code("dilt.prune"),
        options=options("pruning.rate", "pruning.scope"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}"
        " --intersection {output.consensus}"
        f" {LOGGED}"


use rule train as train_to_core with:
    """Train LTH for a round on its way to the core's number of weights, in as many rounds as the core took."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        masks=mask_to_core,
    output:
        weights=to_core(at.TO_CORE_WEIGHTS),
        metrics=to_core(at.TO_CORE_METRICS),
    log:
        to_core(at.LOG["train_to_core"]),
    resources:
        **gpu_job("train_to_core", GPUS),
    params:
        runs=f"same-rounds-{CLAIM_ROUND}/{FULL}",
        checkpoints=checkpoints_of("train_to_core"),


rule prune_to_core:
    """Prune LTH for a round on its way to exactly the core's number of weights, by the same rate in each."""
    input:
        weights=lambda wildcards: weights_to_core(wildcards.seed, int(wildcards.round)),
        mask=mask_to_core,
        partitions=independent(at.RUN_MASK, PARTITIONS, round=CLAIM_ROUND),
    output:
        mask=to_core(at.TO_CORE_MASK),
    log:
        to_core(at.LOG["prune_to_core"]),
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("prune_to_core", runtime=10),
    params:
        **code("dilt.prune"),
        options=options("pruning.rate", "pruning.scope"),
        rounds=CLAIM_ROUND,
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.mask} --pruned {output.mask}"
        " --core-of {input.partitions} --rounds {params.rounds}"
        f" {LOGGED}"


rule combine:
    """Make every ticket of a round, matched ones too, from the trajectories' masks; tell densities and overlaps."""
    input:
        theta0=at.THETA0,
        dense=at.DENSE_MASK,
        partition_masks=independent(at.RUN_MASK, PARTITIONS, round=ROUNDS),
        partition_weights=independent(at.RUN_WEIGHTS, PARTITIONS, round=ROUNDS),
        sibling_masks=independent(at.RUN_MASK, SIBLINGS, round=ROUNDS),
        sibling_weights=independent(at.RUN_WEIGHTS, SIBLINGS, round=ROUNDS),
        same_rounds_masks=to_core(at.TO_CORE_MASK, round=ROUNDS_TO_CORE),
        same_rounds_weights=[weights_to_core("{seed}", round_) for round_ in ROUNDS_TO_CORE],
        lth_masks=independent(at.RUN_MASK, FULL, round=ROUNDS),
        lth_weights=independent(at.RUN_WEIGHTS, FULL, round=ROUNDS),
        colt_masks=expand(at.CONSENSUS_MASK, round=ROUNDS, allow_missing=True),
        colt_weights=cyclic(at.RUN_WEIGHTS, PARTITIONS, round=ROUNDS),
    output:
        tickets=expand(at.TICKET_MASK, ticket=TICKETS, allow_missing=True),
        densities=at.DENSITIES,
        overlaps=at.OVERLAPS,
    log:
        at.LOG["combine"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("combine", runtime=20),
    params:
        **code("dilt.combine"),
        options=options("pruning.scope"),
        partitions=PARTITIONS,
        names=TICKETS,
    shell:
        "python -m dilt.combine --seed {wildcards.seed} --round {wildcards.round} --partitions {params.partitions}"
        " --theta0 {input.theta0} --dense {input.dense}"
        " --partition-masks {input.partition_masks} --partition-weights {input.partition_weights}"
        " --sibling-masks {input.sibling_masks} --sibling-weights {input.sibling_weights}"
        " --lth-masks {input.lth_masks} --lth-weights {input.lth_weights}"
        " --colt-masks {input.colt_masks} --colt-weights {input.colt_weights}"
        " --same-rounds-masks {input.same_rounds_masks} --same-rounds-weights {input.same_rounds_weights}"
        " --names {params.names} --tickets {output.tickets}"
        " --densities {output.densities} --overlaps {output.overlaps}"
        f" {LOGGED}"


rule train_ticket:
    """Train tickets: theta0 under their masks, on all source classes."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        reinitialised=at.REINITIALISED,
        masks=grouped(at.TICKET_MASK, EACH_TICKET),
    output:
        weights=grouped(at.TICKET_WEIGHTS, EACH_TICKET),
        metrics=grouped(at.TICKET_METRICS, EACH_TICKET),
    log:
        grouped_log("train_ticket", EACH_TICKET),
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("train_ticket", GPUS),
    params:
        **code("dilt.train_ticket"),
        options=options("model", "training"),
        tickets=grouped_names("{ticket}", EACH_TICKET),
        checkpoints=checkpoints_of("train_ticket"),
    shell:
        "python -m dilt.train_ticket --data {input.dataset} --theta0 {input.theta0}"
        " --reinitialised {input.reinitialised} --round {wildcards.round} --tickets {params.tickets}"
        " --masks {input.masks} --weights {output.weights} --metrics {output.metrics}"
        f" {TRAINED}"
