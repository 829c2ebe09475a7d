# Tickets and their matched controls: made of the trajectories' masks, and trained.


use rule train as train_to_core with:
    """Train LTH for a round on its way to the core's number of weights, in as many rounds as the core took."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        masks=mask_to_core,
    output:
        weights=at.TO_CORE_WEIGHTS,
        metrics=at.TO_CORE_METRICS,
    log:
        at.LOG["train_to_core"],
    resources:
        **gpu_job("train_to_core", gpus=GPUS),
    params:
        runs=f"same-rounds-{{core_round}}/{FULL}",
        checkpoints=checkpoints_of("train_to_core", "seed-{seed}/same-rounds-{core_round}/round-{round}"),


rule prune_to_core:
    """Prune LTH for a round on its way to exactly the core's number of weights, by the same rate in each."""
    input:
        weights=lambda wildcards: weights_to_core(wildcards.seed, wildcards.core_round, int(wildcards.round)),
        mask=mask_to_core,
        partitions=lambda wildcards: independent(
            at.RUN_MASK, PARTITIONS, seed=wildcards.seed, round=wildcards.core_round
        ),
    output:
        mask=at.TO_CORE_MASK,
    log:
        at.LOG["prune_to_core"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("prune_to_core", runtime=10),
    params:
        **code("dilt.prune"),
        options=options("pruning.rate", "pruning.scope", "pruning.pattern"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.mask} --pruned {output.mask}"
        " --core-of {input.partitions} --rounds {wildcards.core_round}"
        f" {LOGGED}"


rule combine:
    """Make every ticket of a seed, matched ones too, from the trajectories' masks; tell densities and overlaps."""
    input:
        dataset=expand(at.DATASET, dataset="source"),
        theta0=at.THETA0,
        dense=at.DENSE_MASK,
        partition_masks=independent(at.RUN_MASK, PARTITIONS, round=ROUNDS),
        partition_weights=independent(at.RUN_WEIGHTS, PARTITIONS, round=ROUNDS),
        sibling_masks=independent(at.RUN_MASK, SIBLINGS, round=ROUNDS),
        sibling_weights=independent(at.RUN_WEIGHTS, SIBLINGS, round=ROUNDS),
        split_masks=independent(at.RUN_MASK, SPLITS, round=ROUNDS),
        split_weights=independent(at.RUN_WEIGHTS, SPLITS, round=ROUNDS),
        saliencies=expand(at.SALIENCIES, criterion=CRITERIA if ASKED.needs_saliencies else [], allow_missing=True),
        same_rounds_masks=expand(at.TO_CORE_MASK, zip, **TO_CORE, allow_missing=True),
        same_rounds_weights=[weights_to_core("{seed}", *way) for way in zip(*TO_CORE.values())],
        lth_masks=independent(at.RUN_MASK, FULL, round=ROUNDS),
        lth_weights=independent(at.RUN_WEIGHTS, FULL, round=ROUNDS),
        colt_masks=expand(at.CONSENSUS_MASK, round=ROUNDS, allow_missing=True),
        colt_weights=cyclic(at.RUN_WEIGHTS, PARTITIONS, round=ROUNDS),
    output:
        tickets=expand(at.TICKET_MASK, zip, **EACH_TICKET, allow_missing=True),
        densities=at.DENSITIES,
        overlaps=at.OVERLAPS,
    log:
        at.LOG["combine"],
    # Which weights are on a path is found by running the network, which takes seconds a ticket for a large one.
    localrule: EXPERIMENT.model.name == "mlp"
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **cpu_job("combine", runtime=20 * len(ASKED.rounds)),
    params:
        **code("dilt.combine"),
        options=options("pruning.scope", "pruning.pattern", "tickets.define", "tickets.match", "model"),
        partitions=PARTITIONS,
        names=expand("{round}/{ticket}", zip, **EACH_TICKET),
        same_rounds=ASKED.same_rounds,
        splits=SPLITS,
        criteria=CRITERIA if ASKED.needs_saliencies else [],
    shell:
        "python -m dilt.combine --seed {wildcards.seed} --threads {threads} --partitions {params.partitions}"
        " --data {input.dataset} --theta0 {input.theta0} --dense {input.dense}"
        " --partition-masks {input.partition_masks} --partition-weights {input.partition_weights}"
        " --sibling-masks {input.sibling_masks} --sibling-weights {input.sibling_weights}"
        " --lth-masks {input.lth_masks} --lth-weights {input.lth_weights}"
        " --colt-masks {input.colt_masks} --colt-weights {input.colt_weights}"
        " --splits {params.splits} --split-masks {input.split_masks} --split-weights {input.split_weights}"
        " --criteria {params.criteria} --saliencies {input.saliencies}"
        " --same-rounds {params.same_rounds}"
        " --same-rounds-masks {input.same_rounds_masks} --same-rounds-weights {input.same_rounds_weights}"
        " --names {params.names} --tickets {output.tickets}"
        " --densities {output.densities} --overlaps {output.overlaps}"
        f" {LOGGED}"


rule train_ticket:
    """Train tickets: theta0 under their masks, on all source classes."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        reinitialised=expand(at.REINITIALISED, draw=DRAWS, allow_missing=True),
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
        **gpu_job("train_ticket", gpus=GPUS),
    params:
        **code("dilt.train_ticket"),
        options=options("model", "training", *REWINDING),
        tickets=grouped_names("{round}/{ticket}", EACH_TICKET),
        checkpoints=checkpoints_of("train_ticket", "seed-{seed}"),
    shell:
        "python -m dilt.train_ticket --data {input.dataset} --theta0 {input.theta0}"
        " --reinitialised {input.reinitialised} --tickets {params.tickets}"
        " --masks {input.masks} --weights {output.weights} --metrics {output.metrics}"
        f" {TRAINED}"
