rule represent:
    """Record the activations of trained tickets' blocks on one fixed set of probe images."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "validation"),
        weights=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/weights.safetensors",
            EACH_TICKET,
        ),
    output:
        # A store is declared by its root metadata, which carries the digest of its arrays.
        stores=siblings(
            "<results>/seed-{seed}/representations/round-{round}/{ticket}.zarr/zarr.json",
            EACH_TICKET,
        ),
    log:
        job_file("<logs>/represent/seed-{seed}/round-{round}/{ticket}.log", EACH_TICKET),
    benchmark:
        job_file(
            "<benchmarks>/represent/seed-{seed}/round-{round}/{ticket}.tsv",
            EACH_TICKET,
        )
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("represent"),
    params:
        *fingerprint("dilt.represent"),
        options=options(
            "model",
            "training.precision",
            "representations.probes",
            "representations.layers",
        ),
        code=code_digest("dilt.represent"),
        tickets=sibling_names("{ticket}", EACH_TICKET),
        checkpoints=f"{RESULTS}/checkpoints/represent/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.represent --data {input.dataset} --tickets {params.tickets} --weights {input.weights}"
        " --stores {output.stores} --threads {threads} --checkpoints {params.checkpoints} --code {params.code}"
        " --options {params.options:q} > {log} 2>&1"


rule compare:
    """Measure Gromov-Wasserstein distance and linear CKA between every two (ticket, layer) of a seed."""
    input:
        stores=expand(
            "<results>/seed-{{seed}}/representations/round-{{round}}/{ticket}.zarr/zarr.json",
            ticket=TICKETS,
        ),
    output:
        distances="<answers>/seed-{seed}/geometry/round-{round}/distances.csv",
        summary="<answers>/seed-{seed}/geometry/round-{round}/distances.json",
    log:
        "<answers>/logs/compare/seed-{seed}/round-{round}.log",
    benchmark:
        "<answers>/benchmarks/compare/seed-{seed}/round-{round}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("compare", runtime=120),
    params:
        *fingerprint("dilt.compare"),
        options=options("distances.cost", "distances.scaling"),
        code=code_digest("dilt.compare"),
        # Shared with other experiments: a matrix over the same stores is not computed again.
        checkpoints=f"{RESULTS}/checkpoints/compare/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.compare --seed {wildcards.seed} --round {wildcards.round} --stores {input.stores}"
        " --distances {output.distances} --summary {output.summary} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} > {log} 2>&1"


rule cluster:
    """Group layers into modules by spectral clustering of their distances."""
    input:
        distances="<answers>/seed-{seed}/geometry/round-{round}/distances.csv",
    output:
        modules="<answers>/seed-{seed}/geometry/round-{round}/modules.csv",
        eigenvalues="<answers>/seed-{seed}/geometry/round-{round}/eigenvalues.csv",
        summary="<answers>/seed-{seed}/geometry/round-{round}/summary.json",
    log:
        "<answers>/logs/cluster/seed-{seed}/round-{round}.log",
    benchmark:
        "<answers>/benchmarks/cluster/seed-{seed}/round-{round}.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("cluster", runtime=30),
    params:
        *fingerprint("dilt.cluster"),
        code=code_digest("dilt.cluster"),
        options=options("clustering"),
    shell:
        "python -m dilt.cluster --seed {wildcards.seed} --round {wildcards.round} --distances {input.distances}"
        " --modules {output.modules} --eigenvalues {output.eigenvalues} --summary {output.summary}"
        " --code {params.code} --options {params.options:q} > {log} 2>&1"
