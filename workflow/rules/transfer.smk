rule assemble:
    """Put core and specialists together without retraining, and score them on each partition."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "test"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        masks=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{{round}}/mask.safetensors",
            partition=PARTITIONS,
        ),
        weights=lambda wildcards: expand(
            "<results>/seed-{seed}/independent/{partition}/round-{after}/weights.safetensors",
            seed=wildcards.seed,
            partition=PARTITIONS,
            after=int(wildcards.round) + 1,
        ),
    output:
        scores="<results>/seed-{seed}/assembly/round-{round}.csv",
    log:
        "<logs>/assemble/seed-{seed}/round-{round}.log",
    benchmark:
        "<benchmarks>/assemble/seed-{seed}/round-{round}.tsv"
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("assemble"),
    params:
        *fingerprint("dilt.assemble"),
        options=options("model", "training.precision"),
        code=code_digest("dilt.assemble"),
        partitions=PARTITIONS,
        checkpoints=f"{RESULTS}/checkpoints/assemble/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.assemble --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --round {wildcards.round} --partitions {params.partitions} --masks {input.masks} --weights {input.weights}"
        " --scores {output.scores} --threads {threads} --checkpoints {params.checkpoints} --code {params.code}"
        " --options {params.options:q} > {log} 2>&1"


rule transfer_ticket:
    """Judge tickets on targets by retraining, fine-tuning and a linear probe."""
    input:
        dataset="<results>/data/{target}/dataset.json",
        arrays=dataset_files("{target}", "train", "validation", "test"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        reinitialised="<results>/seed-{seed}/reinitialised.safetensors",
        masks=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/mask.safetensors",
            EACH_TICKET,
        ),
        weights=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/weights.safetensors",
            EACH_TICKET,
        ),
    output:
        scores=siblings(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.csv",
            EACH_TICKET,
        ),
    log:
        job_file(
            "<logs>/transfer_ticket/seed-{seed}/round-{round}/{target}/{ticket}.log",
            EACH_TICKET,
        ),
    benchmark:
        job_file(
            "<benchmarks>/transfer_ticket/seed-{seed}/round-{round}/{target}/{ticket}.tsv",
            EACH_TICKET,
        )
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("transfer_ticket", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.transfer"),
        options=options("model", "transfer"),
        code=code_digest("dilt.transfer"),
        tickets=sibling_names("{ticket}", EACH_TICKET),
        checkpoints=f"{RESULTS}/checkpoints/transfer_ticket/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.transfer --data {input.dataset} --theta0 {input.theta0}"
        " --reinitialised {input.reinitialised} --round {wildcards.round} --tickets {params.tickets} --masks {input.masks} --weights {input.weights} --scores {output.scores}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} > {log} 2>&1"
