rule represent:
    """Record representations of trained tickets: what their blocks answer to the probes."""
    input:
        **prepared("source", "validation"),
        weights=grouped(at.TICKET_WEIGHTS, EACH_COMPARED),
    output:
        stores=grouped(at.TICKET_STORE, EACH_COMPARED),
    log:
        grouped_log("represent", EACH_COMPARED),
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("represent"),
    params:
        **code("dilt.represent"),
        options=options("model", "training.precision", "representations"),
        tickets=grouped_names("{ticket}", EACH_COMPARED),
        checkpoints=checkpoints_of("represent"),
    shell:
        "python -m dilt.represent --data {input.dataset} --tickets {params.tickets} --weights {input.weights}"
        " --stores {output.stores}"
        f" {RESUMED}"


rule represent_references:
    """Record representations of the references: the dense network, untrained and trained on each partition."""
    input:
        **prepared("source", "validation"),
        theta0=at.THETA0,
        weights=independent(at.RUN_WEIGHTS, PARTITIONS, round=1),
    output:
        stores=expand(at.REFERENCE_STORE, reference=REFERENCES, allow_missing=True),
    log:
        at.LOG["represent_references"],
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("represent_references"),
    params:
        **code("dilt.represent"),
        options=options("model", "training.precision", "representations"),
        references=REFERENCES,
        checkpoints=checkpoints_of("represent_references", "seed-{seed}"),
    shell:
        "python -m dilt.represent --references --data {input.dataset} --tickets {params.references}"
        " --weights {input.theta0} {input.weights} --stores {output.stores}"
        f" {RESUMED}"


rule compare_part:
    """Measure one part of a seed's distances (jobs.compare_jobs); `compare` joins the parts."""
    input:
        stores=COMPARED,
    output:
        # Stands for the distances themselves, which lie with the checkpoints and are measured again if gone.
        part=at.DISTANCES_PART,
    log:
        at.LOG["compare_part"],
    conda:
        ENVIRONMENT
    threads: EXPERIMENT.jobs.compare_threads
    resources:
        **cpu_job("compare_part", runtime=120),
    params:
        **code("dilt.compare"),
        options=options("distances"),
        checkpoints=checkpoints_of("compare"),
    shell:
        "python -m dilt.compare --seed {wildcards.seed} --round {wildcards.round} --stores {input.stores}"
        " --part {wildcards.part} {wildcards.parts} --summary {output.part}"
        f" {RESUMED}"


rule compare:
    """Measure Gromov-Wasserstein distances and baselines, such as CKA, between every two layers of a seed."""
    input:
        stores=COMPARED,
        parts=expand(at.DISTANCES_PART, part=PARTS, parts=len(PARTS), allow_missing=True),
    output:
        distances=at.DISTANCES,
        subset_distances=at.SUBSET_DISTANCES,
        layers=at.LAYERS,
        summary=at.DISTANCES_SUMMARY,
    log:
        at.LOG["compare"],
    conda:
        ENVIRONMENT
    threads: EXPERIMENT.jobs.compare_threads
    resources:
        **cpu_job("compare", runtime=120),
    params:
        **code("dilt.compare"),
        options=options("distances"),
        # Shared with other experiments, so that distances over the same stores are not measured again.
        checkpoints=checkpoints_of("compare"),
    shell:
        "python -m dilt.compare --seed {wildcards.seed} --round {wildcards.round} --stores {input.stores}"
        " --distances {output.distances} --subset-distances {output.subset_distances} --layers {output.layers}"
        " --summary {output.summary}"
        f" {RESUMED}"


rule cluster:
    """Group layers into modules by spectral clustering of their distances; give the module verdict, against nulls."""
    input:
        distances=at.DISTANCES,
        subsets=at.SUBSET_DISTANCES,
        layers=at.LAYERS,
    output:
        clusters=at.CLUSTERS,
        stability=at.STABILITY,
        chains=at.CHAINS,
        eigenvalues=at.EIGENVALUES,
        summary=at.MODULES_SUMMARY,
    log:
        at.LOG["cluster"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("cluster", runtime=30),
    params:
        **code("dilt.cluster"),
        options=options("clustering"),
    shell:
        "python -m dilt.cluster --seed {wildcards.seed} --round {wildcards.round} --distances {input.distances}"
        " --subsets {input.subsets} --layers {input.layers} --clusters {output.clusters} --stability {output.stability}"
        " --chains {output.chains} --eigenvalues {output.eigenvalues} --summary {output.summary}"
        f" {LOGGED}"
