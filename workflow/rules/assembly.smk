rule assemble:
    """Put core and specialists together into assemblies; fit what reads them out on each partition: heads, norms."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        masks=independent(at.RUN_MASK, PARTITIONS),
        sibling_masks=independent(at.RUN_MASK, SIBLINGS),
        weights=trained_under_masks(PARTITIONS),
        sibling_weights=trained_under_masks(SIBLINGS),
    output:
        fitted=at.ASSEMBLIES_FITTED,
    log:
        at.LOG["assemble"],
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("assemble"),
    params:
        **code("dilt.assemble"),
        options=options("model", "training.precision", "transfer.penalties", "pruning.pattern"),
        partitions=PARTITIONS,
        checkpoints=checkpoints_of("assemble"),
    shell:
        "python -m dilt.assemble --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --round {wildcards.round} --partitions {params.partitions} --masks {input.masks}"
        " --sibling-masks {input.sibling_masks} --weights {input.weights} --sibling-weights {input.sibling_weights}"
        " --fitted {output.fitted}"
        f" {RESUMED}"


rule retrain_assembly:
    """Retrain assemblies: theta0 under the assembled mask, on the classes of one partition."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.THETA0,
        masks=independent(at.RUN_MASK, PARTITIONS),
    output:
        weights=grouped(at.RETRAINED_WEIGHTS, EACH_RETRAINED),
        metrics=grouped(at.RETRAINED_METRICS, EACH_RETRAINED),
    log:
        grouped_log("retrain_assembly", EACH_RETRAINED),
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("retrain_assembly", gpus=GPUS),
    params:
        **code("dilt.retrain_assembly"),
        options=options("model", "training", *REWINDING, "pruning.pattern"),
        partitions=PARTITIONS,
        runs=grouped_names("{partition}/{assembly}", EACH_RETRAINED),
        checkpoints=checkpoints_of("retrain_assembly"),
    shell:
        "python -m dilt.retrain_assembly --data {input.dataset} --theta0 {input.theta0} --round {wildcards.round}"
        " --partitions {params.partitions} --masks {input.masks} --runs {params.runs}"
        " --weights {output.weights} --metrics {output.metrics}"
        f" {TRAINED}"


rule evaluate_assemblies:
    """Score every assembly on its partition's test images, once."""
    input:
        **prepared("source", "test"),
        theta0=at.THETA0,
        masks=independent(at.RUN_MASK, PARTITIONS),
        sibling_masks=independent(at.RUN_MASK, SIBLINGS),
        weights=trained_under_masks(PARTITIONS),
        sibling_weights=trained_under_masks(SIBLINGS),
        fitted=at.ASSEMBLIES_FITTED,
        retrained=expand(at.RETRAINED_WEIGHTS, zip, **EACH_RETRAINED, allow_missing=True),
    output:
        scores=at.ASSEMBLIES_SCORES,
        correct=at.ASSEMBLIES_CORRECT,
    log:
        at.LOG["evaluate_assemblies"],
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("evaluate_assemblies"),
    params:
        **code("dilt.evaluate_assemblies"),
        options=options("model", "training.precision", "pruning.pattern"),
        partitions=PARTITIONS,
    shell:
        "python -m dilt.evaluate_assemblies --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --round {wildcards.round} --partitions {params.partitions} --masks {input.masks}"
        " --sibling-masks {input.sibling_masks} --weights {input.weights} --sibling-weights {input.sibling_weights}"
        " --fitted {input.fitted} --retrained {input.retrained} --scores {output.scores} --correct {output.correct}"
        " --threads {threads}"
        f" {LOGGED}"
