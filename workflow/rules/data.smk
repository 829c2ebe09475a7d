rule prepare:
    """Find a data set's images, choose classes, split them; decode them once, unless they are to be streamed."""
    output:
        **prepared("{dataset}", "train", "validation", "test"),
    log:
        at.LOG["prepare"],
    conda:
        ENVIRONMENT
    threads: max(1, WORKERS)
    resources:
        **cpu_job("prepare", runtime=60),
    params:
        **code("dilt.prepare"),
        options=lambda wildcards: data_section(EXPERIMENT, wildcards.dataset),
        files=lambda wildcards: data_files(EXPERIMENT, wildcards.dataset),
    shell:
        "python -m dilt.prepare --dataset {output.dataset}" f" {LOGGED}"
