rule prepare:
    """Look up, restrict and split a data set; decode it once, unless it is to be streamed."""
    output:
        dataset="<results>/data/{dataset}/dataset.json",
        arrays=expand(
            "<results>/data/{{dataset}}/{split}-{kind}.npy",
            split=["train", "validation", "test"],
            kind=["images", "labels"],
        ),
    log:
        "<logs>/prepare/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: max(1, WORKERS)
    resources:
        **cpu_job("prepare", runtime=60),
    params:
        *fingerprint("dilt.prepare"),
        code=code_digest("dilt.prepare"),
        options=lambda wildcards: data_section(EXPERIMENT, wildcards.dataset),
        files=lambda wildcards: data_files(EXPERIMENT, wildcards.dataset),
    shell:
        "python -m dilt.prepare --dataset {output.dataset} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
