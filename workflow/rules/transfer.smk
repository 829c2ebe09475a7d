rule transfer_ticket:
    """Transfer tickets to a target by every protocol: retrain, finetune, linear head."""
    input:
        **prepared("{target}", "train", "validation"),
        theta0=at.THETA0,
        reinitialised=expand(at.REINITIALISED, draw=DRAWS, allow_missing=True),
        masks=grouped(at.TICKET_MASK, EACH_TRANSFERRED),
        weights=grouped(at.TICKET_WEIGHTS, EACH_TRANSFERRED),
    output:
        networks=transferred(),
    log:
        grouped_log("transfer_ticket", EACH_TRANSFERRED),
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("transfer_ticket", GPUS),
    params:
        **code("dilt.transfer"),
        options=options("model", "transfer"),
        tickets=grouped_names("{round}/{ticket}", EACH_TRANSFERRED),
        checkpoints=checkpoints_of("transfer_ticket", "seed-{seed}"),
    shell:
        "python -m dilt.transfer --data {input.dataset} --theta0 {input.theta0}"
        " --reinitialised {input.reinitialised} --tickets {params.tickets}"
        " --masks {input.masks} --weights {input.weights} --networks {output.networks}"
        f" {TRAINED}"
