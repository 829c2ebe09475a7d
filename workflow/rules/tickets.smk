rule initialise:
    """Draw theta0 of a seed, shared by all its trajectories and tickets, and another initialisation for controls."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        pretrained=EXPERIMENT.model.weights or [],
    output:
        theta0="<results>/seed-{seed}/theta0.safetensors",
        reinitialised="<results>/seed-{seed}/reinitialised.safetensors",
        dense="<results>/seed-{seed}/dense.safetensors",
    log:
        "<logs>/initialise/seed-{seed}.log",
    # Seconds, unless it trains first.
    localrule: EXPERIMENT.pruning.rewind_epoch == 0
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("initialise", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.initialise"),
        options=options("model", "training", "pruning.rewind_epoch", "pruning.exclude"),
        code=code_digest("dilt.initialise"),
        checkpoints=f"{RESULTS}/checkpoints/initialise/seed-{{seed}}",
    shell:
        "python -m dilt.initialise --data {input.dataset} --theta0 {output.theta0}"
        " --reinitialised {output.reinitialised} --dense {output.dense} --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule train:
    """Train trajectories for one round, from theta0 under the masks of the round before."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        masks=masks_before(),
    output:
        weights=siblings(
            "<results>/seed-{seed}/{coupling}/{trajectory}/round-{round}/weights.safetensors",
            RUNS,
        ),
        metrics=siblings(
            "<results>/seed-{seed}/{coupling}/{trajectory}/round-{round}/metrics.csv",
            RUNS,
        ),
    log:
        job_file("<logs>/train/seed-{seed}/{coupling}/{trajectory}/round-{round}.log", RUNS),
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("train", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.train"),
        options=options("model", "training"),
        code=code_digest("dilt.train"),
        runs=sibling_names("{coupling}/{trajectory}", RUNS),
        checkpoints=f"{RESULTS}/checkpoints/train/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.train --data {input.dataset} --theta0 {input.theta0} --round {wildcards.round}"
        " --runs {params.runs} --masks {input.masks} --weights {output.weights} --metrics {output.metrics}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule prune:
    """Prune independent trajectories, each on its own."""
    input:
        weights=siblings(
            "<results>/seed-{seed}/independent/{trajectory}/round-{round}/weights.safetensors",
            INDEPENDENT,
        ),
        masks=masks_before("independent"),
    output:
        masks=siblings(
            "<results>/seed-{seed}/independent/{trajectory}/round-{round}/mask.safetensors",
            INDEPENDENT,
        ),
    log:
        job_file(
            "<logs>/prune/seed-{seed}/independent/{trajectory}/round-{round}.log",
            INDEPENDENT,
        ),
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("prune", runtime=10),
    params:
        *fingerprint("dilt.prune"),
        code=code_digest("dilt.prune"),
        options=options("pruning.rate", "pruning.scope"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule prune_to_consensus:
    """Prune the partitions of the cyclic coupling and intersect them: all go on from COLT's consensus."""
    input:
        weights=expand(
            "<results>/seed-{{seed}}/cyclic/{partition}/round-{{round}}/weights.safetensors",
            partition=PARTITIONS,
        ),
        masks=masks_before("cyclic"),
    output:
        masks=expand(
            "<results>/seed-{{seed}}/cyclic/{partition}/round-{{round}}/mask.safetensors",
            partition=PARTITIONS,
        ),
        consensus="<results>/seed-{seed}/cyclic/consensus/round-{round}/mask.safetensors",
    log:
        "<logs>/prune_to_consensus/seed-{seed}/round-{round}.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("prune_to_consensus", runtime=10),
    params:
        *fingerprint("dilt.prune"),
        code=code_digest("dilt.prune"),
        options=options("pruning.rate", "pruning.scope"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}"
        " --intersection {output.consensus} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule train_to_core:
    """Train LTH for a further round on its way to the core, in as many rounds as the core was found in."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        mask=mask_to_core,
    output:
        weights=f"<results>/seed-{{seed}}/{TO_CORE}/round-{{round}}/weights.safetensors",
        metrics=f"<results>/seed-{{seed}}/{TO_CORE}/round-{{round}}/metrics.csv",
    log:
        f"<logs>/train_to_core/seed-{{seed}}/{TO_CORE}/round-{{round}}.log",
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("train_to_core", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.train"),
        options=options("model", "training"),
        code=code_digest("dilt.train"),
        run=TO_CORE,
        checkpoints=f"{RESULTS}/checkpoints/train_to_core/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.train --data {input.dataset} --theta0 {input.theta0} --round {wildcards.round}"
        " --runs {params.run} --masks {input.mask} --weights {output.weights} --metrics {output.metrics}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule prune_to_core:
    """Prune LTH on its way to exactly the core's number of weights, by the same rate in every round."""
    input:
        weights=lambda wildcards: weights_to_core(wildcards.seed, int(wildcards.round)),
        mask=mask_to_core,
        partitions=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{round}/mask.safetensors",
            partition=PARTITIONS,
            round=CLAIM_ROUND,
        ),
    output:
        mask=f"<results>/seed-{{seed}}/{TO_CORE}/round-{{round}}/mask.safetensors",
    log:
        f"<logs>/prune_to_core/seed-{{seed}}/{TO_CORE}/round-{{round}}.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("prune_to_core", runtime=10),
    params:
        *fingerprint("dilt.prune"),
        code=code_digest("dilt.prune"),
        options=options("pruning.rate", "pruning.scope"),
        rounds=CLAIM_ROUND,
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.mask} --pruned {output.mask}"
        " --core-of {input.partitions} --rounds {params.rounds}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule combine:
    """Make every ticket of a round from the trajectories' masks, and the controls that match them."""
    input:
        theta0="<results>/seed-{seed}/theta0.safetensors",
        dense="<results>/seed-{seed}/dense.safetensors",
        partition_masks=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{round}/mask.safetensors",
            partition=PARTITIONS,
            round=ROUNDS,
        ),
        partition_weights=expand(
            "<results>/seed-{{seed}}/independent/{partition}/round-{round}/weights.safetensors",
            partition=PARTITIONS,
            round=ROUNDS,
        ),
        sibling_masks=expand(
            "<results>/seed-{{seed}}/independent/{trajectory}/round-{round}/mask.safetensors",
            trajectory=SIBLINGS,
            round=ROUNDS,
        ),
        sibling_weights=expand(
            "<results>/seed-{{seed}}/independent/{trajectory}/round-{round}/weights.safetensors",
            trajectory=SIBLINGS,
            round=ROUNDS,
        ),
        same_rounds_masks=expand(
            f"<results>/seed-{{{{seed}}}}/{TO_CORE}/round-{{round}}/mask.safetensors",
            round=ROUNDS_TO_CORE,
        ),
        same_rounds_weights=[weights_to_core("{seed}", round_) for round_ in ROUNDS_TO_CORE],
        lth_masks=expand(
            "<results>/seed-{{seed}}/independent/full/round-{round}/mask.safetensors",
            round=ROUNDS,
        ),
        lth_weights=expand(
            "<results>/seed-{{seed}}/independent/full/round-{round}/weights.safetensors",
            round=ROUNDS,
        ),
        colt_masks=expand(
            "<results>/seed-{{seed}}/cyclic/consensus/round-{round}/mask.safetensors",
            round=ROUNDS,
        ),
        colt_weights=expand(
            "<results>/seed-{{seed}}/cyclic/{partition}/round-{round}/weights.safetensors",
            partition=PARTITIONS,
            round=ROUNDS,
        ),
    output:
        tickets=expand(
            "<results>/seed-{{seed}}/tickets/round-{{round}}/{ticket}/mask.safetensors",
            ticket=TICKETS,
        ),
        densities="<results>/seed-{seed}/tickets/round-{round}/densities.csv",
        overlaps="<results>/seed-{seed}/tickets/round-{round}/overlaps.csv",
    log:
        "<logs>/combine/seed-{seed}/round-{round}.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("combine", runtime=20),
    params:
        *fingerprint("dilt.combine"),
        code=code_digest("dilt.combine"),
        options=options("pruning.scope"),
        partitions=PARTITIONS,
        names=TICKETS,
    shell:
        "python -m dilt.combine --seed {wildcards.seed} --round {wildcards.round} --partitions {params.partitions}"
        " --theta0 {input.theta0} --dense {input.dense}"
        " --partition-masks {input.partition_masks} --partition-weights {input.partition_weights}"
        " --sibling-masks {input.sibling_masks} --sibling-weights {input.sibling_weights}"
        " --lth-masks {input.lth_masks} --lth-weights {input.lth_weights}"
        " --colt-masks {input.colt_masks} --colt-weights {input.colt_weights}"
        " --same-rounds-masks {input.same_rounds_masks} --same-rounds-weights {input.same_rounds_weights}"
        " --names {params.names} --tickets {output.tickets}"
        " --densities {output.densities} --overlaps {output.overlaps}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule train_ticket:
    """Train tickets from theta0 on all source classes."""
    input:
        dataset="<results>/data/source/dataset.json",
        arrays=dataset_files("source", "train", "validation"),
        theta0="<results>/seed-{seed}/theta0.safetensors",
        reinitialised="<results>/seed-{seed}/reinitialised.safetensors",
        masks=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/mask.safetensors",
            EACH_TICKET,
        ),
    output:
        weights=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/weights.safetensors",
            EACH_TICKET,
        ),
        metrics=siblings(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/metrics.csv",
            EACH_TICKET,
        ),
    log:
        job_file("<logs>/train_ticket/seed-{seed}/round-{round}/{ticket}.log", EACH_TICKET),
    conda:
        "../../environment.yml"
    threads: EXPERIMENT.jobs.gpus * EXPERIMENT.jobs.threads
    resources:
        **gpu_job("train_ticket", EXPERIMENT.jobs.gpus),
    params:
        *fingerprint("dilt.train_ticket"),
        options=options("model", "training"),
        code=code_digest("dilt.train_ticket"),
        tickets=sibling_names("{ticket}", EACH_TICKET),
        checkpoints=f"{RESULTS}/checkpoints/train_ticket/seed-{{seed}}/round-{{round}}",
    shell:
        "python -m dilt.train_ticket --data {input.dataset} --theta0 {input.theta0}"
        " --reinitialised {input.reinitialised} --round {wildcards.round} --tickets {params.tickets} --masks {input.masks}"
        " --weights {output.weights} --metrics {output.metrics}"
        " --seed {wildcards.seed} --ranks {resources.gpu} --threads {threads} --checkpoints {params.checkpoints}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
