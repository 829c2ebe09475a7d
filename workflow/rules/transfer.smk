# Included if a claim or the user asks for tickets on targets.


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
        # There if they were all trained, also when they were removed since. Jobs of several rules have other such files.
        done=[] if ROUNDS_TOGETHER else touch(grouped(at.TRANSFER_DONE, EACH_TRANSFERRED)),
    log:
        grouped_log("transfer_ticket", EACH_TRANSFERRED),
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("transfer_ticket", gpus=GPUS),
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


use rule evaluate_tickets as evaluate_transfer with:
    """Score tickets that were transferred to a target on its test images, once."""
    input:
        **prepared("{target}", "test"),
        networks=transferred(),
    output:
        scores=grouped(at.TRANSFER_SCORES, EACH_TRANSFERRED),
        correct=grouped(at.TRANSFER_CORRECT, EACH_TRANSFERRED),
        logits=grouped(at.TRANSFER_LOGITS, EACH_TRANSFERRED) if KEEP_LOGITS else [],
    log:
        grouped_log("evaluate_transfer", EACH_TRANSFERRED),
    resources:
        **gpu_job("evaluate_transfer"),
    params:
        options=options("model", "transfer.training.precision"),
        kind="transfer",
