# Instability analysis: lines between the trajectories' networks, and trainings from theta0 of other rewinding epochs.


rule initialise_rewound:
    """Make theta0 of another rewinding epoch, for instability analysis."""
    input:
        **prepared("source", "train", "validation"),
        pretrained=EXPERIMENT.model.weights or [],
    output:
        theta0=at.REWOUND_THETA0,
    log:
        at.LOG["initialise_rewound"],
    conda:
        ENVIRONMENT
    threads: GPUS * THREADS
    resources:
        **gpu_job("initialise_rewound", gpus=GPUS),
    params:
        **code("dilt.initialise"),
        options=rewound_options("model", "training", *REWINDING, "pruning.exclude", "pruning.pattern"),
        checkpoints=checkpoints_of("initialise_rewound", "seed-{seed}/rewind-{rewind}"),
    shell:
        "python -m dilt.initialise --data {input.dataset} --theta0 {output.theta0}" f" {TRAINED}"


use rule train as train_rewound with:
    """Train partitions and siblings densely from theta0 of another rewinding epoch, for instability analysis."""
    input:
        **prepared("source", "train", "validation"),
        theta0=at.REWOUND_THETA0,
        masks=[at.DENSE_MASK] * (len(EACH_REWOUND["trajectory"]) if TOGETHER else 1),
    output:
        weights=grouped(at.REWOUND_WEIGHTS, EACH_REWOUND),
        metrics=grouped(at.REWOUND_METRICS, EACH_REWOUND),
    log:
        grouped_log("train_rewound", EACH_REWOUND),
    resources:
        **gpu_job("train_rewound", gpus=GPUS),
    params:
        options=rewound_options("model", "training", *REWINDING),
        runs=lambda wildcards: rewound_names(**wildcards),
        checkpoints=checkpoints_of("train_rewound", "seed-{seed}/rewind-{rewind}"),


rule measure_instability:
    """Measure errors on the lines from each partition's networks to its sibling's and to other partitions'."""
    input:
        **prepared("source", "train", "validation"),
        weights=of_lines(PARTITIONS),
        sibling_weights=of_lines(SIBLINGS),
    output:
        lines=at.LINES,
        barriers=at.BARRIERS,
    log:
        at.LOG["measure_instability"],
    conda:
        ENVIRONMENT
    threads: THREADS
    resources:
        **gpu_job("measure_instability"),
    params:
        **code("dilt.instability"),
        options=options("model", "training.precision", "training.batch_size", "instability.points"),
        partitions=PARTITIONS,
        rewind_epochs=[EXPERIMENT.pruning.rewind_epoch] * len(ROUNDS) + REWOUND,
        rounds=ROUNDS + [1] * len(REWOUND),
        checkpoints=checkpoints_of("measure_instability", "seed-{seed}"),
    shell:
        "python -m dilt.instability --seed {wildcards.seed} --data {input.dataset} --partitions {params.partitions}"
        " --rewind-epochs {params.rewind_epochs} --rounds {params.rounds} --weights {input.weights}"
        " --sibling-weights {input.sibling_weights} --lines {output.lines} --barriers {output.barriers}"
        f" {RESUMED}"
