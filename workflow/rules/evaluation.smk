# Scores on test images. No other stage opens these.


rule evaluate_tickets:
    """Score tickets trained on the source, once, on its test images."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "test"),
        networks=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/weights.safetensors",
            EACH_TICKET,
        ),
    output:
        scores=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/scores.csv",
            EACH_TICKET,
        ),
        correct=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/scores.correct.safetensors",
            EACH_TICKET,
        ),
    log:
        job_file("<logs>/evaluate_tickets/seed-{seed}/round-{round}/{ticket}.log", EACH_TICKET),
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("evaluate_tickets"),
    params:
        *fingerprint("dilt.evaluate"),
        options=options("model", "training.precision"),
        code=code_digest("dilt.evaluate"),
    shell:
        "python -m dilt.evaluate --kind tickets --data {input.dataset} --networks {input.networks}"
        " --scores {output.scores} --correct {output.correct} --threads {threads}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule evaluate_transfer:
    """Score tickets adapted to a target, once, on its test images."""
    input:
        dataset="<results>/data/{target}/dataset.json",
        arrays=dataset_files("{target}", "test"),
        networks=transferred(),
    output:
        scores=siblings(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.csv",
            EACH_TICKET,
        ),
        correct=siblings(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.correct.safetensors",
            EACH_TICKET,
        ),
    log:
        job_file(
            "<logs>/evaluate_transfer/seed-{seed}/round-{round}/{target}/{ticket}.log",
            EACH_TICKET,
        ),
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("evaluate_transfer"),
    params:
        *fingerprint("dilt.evaluate"),
        options=options("model", "transfer.training.precision"),
        code=code_digest("dilt.evaluate"),
    shell:
        "python -m dilt.evaluate --kind transfer --data {input.dataset} --networks {input.networks}"
        " --scores {output.scores} --correct {output.correct} --threads {threads}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
