# Scores on test images, which no other stage opens but evaluate_assemblies (assembly.smk).


rule evaluate_tickets:
    """Score tickets that were trained on the source on its test images, once."""
    input:
        **prepared("source", "test"),
        networks=grouped(at.TICKET_WEIGHTS, EACH_TICKET),
    output:
        scores=grouped(at.TICKET_SCORES, EACH_TICKET),
        correct=grouped(at.TICKET_CORRECT, EACH_TICKET),
        logits=grouped(at.TICKET_LOGITS, EACH_TICKET) if KEEP_LOGITS else [],
    log:
        grouped_log("evaluate_tickets", EACH_TICKET),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("evaluate_tickets"),
    params:
        **code("dilt.evaluate"),
        options=options("model", "training.precision", "evaluation.corruptions", "evaluation.severity"),
        kind="tickets",
    shell:
        "python -m dilt.evaluate --kind {params.kind} --data {input.dataset} --networks {input.networks}"
        " --scores {output.scores} --correct {output.correct} --logits {output.logits} --threads {threads}"
        f" {LOGGED}"
