rule assemble:
    """Put core and specialists together without retraining; fit what reads them out on each partition."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        masks=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{{round}}/mask.safetensors",
            partition=PARTITIONS,
        ),
        sibling_masks=expand(
            "<results>/seed-{{seed}}/independent/{trajectory}/round-{{round}}/mask.safetensors",
            trajectory=map(sibling, PARTITIONS),
        ),
        weights=trained_under_masks(PARTITIONS),
        sibling_weights=trained_under_masks(map(sibling, PARTITIONS)),
    output:
        fitted="<results>/seed-{seed}/assembly/round-{round}/fitted.safetensors",
    log:
        "<logs>/assemble/seed-{seed}/round-{round}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("assemble"),
    params:
        *fingerprint("dilt.assemble"),
        options=options("model", "training.precision", "transfer.penalties"),
        code=code_digest("dilt.assemble"),
        partitions=PARTITIONS,
        checkpoints=f"{RESULTS}/checkpoints/assemble/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.assemble --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --round {wildcards.round} --partitions {params.partitions} --masks {input.masks}"
        " --sibling-masks {input.sibling_masks} --weights {input.weights} --sibling-weights {input.sibling_weights}"
        " --fitted {output.fitted} --threads {threads} --checkpoints {params.checkpoints} --code {params.code}"
        " --options {params.options:q} --log {log} > {log} 2>&1"


rule retrain_assembly:
    """Train core and specialists put together from theta0, on the classes of one partition."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        masks=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{{round}}/mask.safetensors",
            partition=PARTITIONS,
        ),
    output:
        weights=siblings(
            "<results>/seed-{seed}/assembly/round-{round}/{partition}/{assembly}/weights.safetensors",
            RETRAINED,
        ),
        metrics=siblings(
            "<results>/seed-{seed}/assembly/round-{round}/{partition}/{assembly}/metrics.csv",
            RETRAINED,
        ),
    log:
        job_file(
            "<logs>/retrain_assembly/seed-{seed}/round-{round}/{partition}/{assembly}.log",
            RETRAINED,
        ),
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("retrain_assembly", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.retrain_assembly"),
        options=options("model", "training"),
        code=code_digest("dilt.retrain_assembly"),
        partitions=PARTITIONS,
        runs=sibling_names("{partition}/{assembly}", RETRAINED),
        checkpoints=f"{RESULTS}/checkpoints/retrain_assembly/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.retrain_assembly --data {input.dataset} --theta0 {input.theta0} --round {wildcards.round}"
        " --partitions {params.partitions} --masks {input.masks} --runs {params.runs}"
        " --weights {output.weights} --metrics {output.metrics}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule evaluate_assemblies:
    """Score every assembly on its partition's test images, which are read once."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "test"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        masks=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{{round}}/mask.safetensors",
            partition=PARTITIONS,
        ),
        sibling_masks=expand(
            "<results>/seed-{{seed}}/independent/{trajectory}/round-{{round}}/mask.safetensors",
            trajectory=map(sibling, PARTITIONS),
        ),
        weights=trained_under_masks(PARTITIONS),
        sibling_weights=trained_under_masks(map(sibling, PARTITIONS)),
        fitted="<results>/seed-{seed}/assembly/round-{round}/fitted.safetensors",
        retrained=expand(
            "<results>/seed-{{seed}}/assembly/round-{{round}}/{partition}/{assembly}/weights.safetensors",
            zip,
            **RETRAINED,
        ),
    output:
        scores="<results>/seed-{seed}/assembly/round-{round}.csv",
        correct="<results>/seed-{seed}/assembly/round-{round}.correct.safetensors",
    log:
        "<logs>/evaluate_assemblies/seed-{seed}/round-{round}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("evaluate_assemblies"),
    params:
        *fingerprint("dilt.evaluate_assemblies"),
        options=options("model", "training.precision"),
        code=code_digest("dilt.evaluate_assemblies"),
        partitions=PARTITIONS,
    shell:
        "python -m dilt.evaluate_assemblies --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --round {wildcards.round} --partitions {params.partitions} --masks {input.masks}"
        " --sibling-masks {input.sibling_masks} --weights {input.weights} --sibling-weights {input.sibling_weights}"
        " --fitted {input.fitted} --retrained {input.retrained} --scores {output.scores} --correct {output.correct}"
        " --threads {threads} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
