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
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("represent"),
    params:
        *fingerprint("dilt.represent"),
        options=options("model", "training.precision", "representations"),
        code=code_digest("dilt.represent"),
        tickets=sibling_names("{ticket}", EACH_TICKET),
        checkpoints=f"{RESULTS}/checkpoints/represent/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.represent --data {input.dataset} --tickets {params.tickets} --weights {input.weights}"
        " --stores {output.stores} --threads {threads} --checkpoints {params.checkpoints} --code {params.code}"
        " --options {params.options:q} --log {log} > {log} 2>&1"


rule represent_references:
    """Record what tickets are compared with: the dense network, untrained and trained on each partition."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        weights=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-1/weights.safetensors",
            partition=PARTITIONS,
        ),
    output:
        stores=expand(
            "<results>/seed-{{seed}}/representations/references/{reference}.zarr/zarr.json",
            reference=REFERENCES,
        ),
    log:
        "<logs>/represent_references/seed-{seed}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.threads
    resources:
        **gpu_job("represent_references"),
    params:
        *fingerprint("dilt.represent"),
        options=options("model", "training.precision", "representations"),
        code=code_digest("dilt.represent"),
        references=REFERENCES,
        checkpoints=f"{RESULTS}/checkpoints/represent_references/seed-{{seed}}",
    shell:
        "python -m dilt.represent --references --data {input.dataset} --tickets {params.references}"
        " --weights {input.theta0} {input.weights} --stores {output.stores} --threads {threads}"
        " --checkpoints {params.checkpoints} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule compare_part:
    """Measure one part of a seed's distances, for the job that joins them to find (jobs.compare_jobs)."""
    input:
        stores=COMPARED,
    output:
        # Stands for the distances, which are kept beside the checkpoints and measured again if they are gone.
        part="<answers>/seed-{seed}/geometry/round-{round}/parts/{part}-of-{parts}.json",
    log:
        "<answers>/logs/compare_part/seed-{seed}/round-{round}/{part}-of-{parts}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.compare_threads
    resources:
        **cpu_job("compare_part", runtime=120),
    params:
        *fingerprint("dilt.compare"),
        options=options("distances"),
        code=code_digest("dilt.compare"),
        checkpoints=f"{RESULTS}/checkpoints/compare/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.compare --seed {wildcards.seed} --round {wildcards.round} --stores {input.stores}"
        " --part {wildcards.part} {wildcards.parts} --summary {output.part} --threads {threads}"
        " --checkpoints {params.checkpoints} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule compare:
    """Measure Gromov-Wasserstein distances and their baselines between every two (ticket, layer) of a seed."""
    input:
        stores=COMPARED,
        parts=(
            expand(
                "<answers>/seed-{{seed}}/geometry/round-{{round}}/parts/{part}-of-{parts}.json",
                part=range(1, EXPERIMENT.jobs.compare_jobs + 1),
                parts=EXPERIMENT.jobs.compare_jobs,
            )
            if EXPERIMENT.jobs.compare_jobs > 1
            else []
        ),
    output:
        distances="<answers>/seed-{seed}/geometry/round-{round}/distances.csv",
        subset_distances="<answers>/seed-{seed}/geometry/round-{round}/subset_distances.csv",
        layers="<answers>/seed-{seed}/geometry/round-{round}/layers.csv",
        summary="<answers>/seed-{seed}/geometry/round-{round}/distances.json",
    log:
        "<answers>/logs/compare/seed-{seed}/round-{round}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.compare_threads
    resources:
        **cpu_job("compare", runtime=120),
    params:
        *fingerprint("dilt.compare"),
        options=options("distances"),
        code=code_digest("dilt.compare"),
        # Shared with other experiments: a matrix over the same stores is not computed again.
        checkpoints=f"{RESULTS}/checkpoints/compare/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.compare --seed {wildcards.seed} --round {wildcards.round} --stores {input.stores}"
        " --distances {output.distances} --subset-distances {output.subset_distances} --layers {output.layers}"
        " --summary {output.summary} --threads {threads} --checkpoints {params.checkpoints} --code {params.code}"
        " --options {params.options:q} --log {log} > {log} 2>&1"


rule cluster:
    """Group layers into modules by spectral clustering of their distances, and hold them against nulls."""
    input:
        distances="<answers>/seed-{seed}/geometry/round-{round}/distances.csv",
        subsets="<answers>/seed-{seed}/geometry/round-{round}/subset_distances.csv",
        layers="<answers>/seed-{seed}/geometry/round-{round}/layers.csv",
    output:
        clusters="<answers>/seed-{seed}/geometry/round-{round}/clusters.csv",
        consensus="<answers>/seed-{seed}/geometry/round-{round}/consensus.csv",
        chains="<answers>/seed-{seed}/geometry/round-{round}/chains.csv",
        eigenvalues="<answers>/seed-{seed}/geometry/round-{round}/eigenvalues.csv",
        summary="<answers>/seed-{seed}/geometry/round-{round}/summary.json",
    log:
        "<answers>/logs/cluster/seed-{seed}/round-{round}.log",
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
        " --subsets {input.subsets} --layers {input.layers} --clusters {output.clusters} --consensus {output.consensus}"
        " --chains {output.chains} --eigenvalues {output.eigenvalues} --summary {output.summary}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
