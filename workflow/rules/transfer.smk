rule transfer_ticket:
    """Adapt tickets to targets by retraining, fine-tuning and a linear probe."""
    input:
        dataset="<results>/data/{target}/dataset.json",
        arrays=dataset_files("{target}", "train", "validation"),
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
        networks=transferred(),
    log:
        job_file(
            "<logs>/transfer_ticket/seed-{seed}/round-{round}/{target}/{ticket}.log",
            EACH_TICKET,
        ),
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
        " --reinitialised {input.reinitialised} --round {wildcards.round} --tickets {params.tickets} --masks {input.masks}"
        " --weights {input.weights} --networks {output.networks}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
