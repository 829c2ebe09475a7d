rule score:
    """Rank theta0's weights without training them, for control tickets: by SNIP, GraSP and SynFlow."""
    input:
        **prepared("source", "train"),
        theta0=at.THETA0,
    output:
        saliencies=expand(at.SALIENCIES, criterion=CRITERIA, allow_missing=True),
    log:
        at.LOG["score"],
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("score"),
    params:
        **code("dilt.score"),
        options=options("model", "pruning.exclude", "pruning.pattern"),
        criteria=CRITERIA,
    shell:
        "python -m dilt.score --data {input.dataset} --theta0 {input.theta0} --seed {wildcards.seed}"
        " --criteria {params.criteria} --saliencies {output.saliencies} --threads {threads}"
        f" {LOGGED}"
