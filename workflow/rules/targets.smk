# Names for the command line, each for some stages' results: `snakemake tickets --cores 2`.


rule data:
    """Source and targets, prepared: split, and decoded or ready to be streamed."""
    input:
        **prepared(["source", *TARGETS], "train", "validation", "test"),
    localrule: True


rule trajectories:
    """Weights and masks of every trajectory and round."""
    input:
        expand([at.THETA0, at.DENSE_MASK], seed=SEEDS),
        expand(at.REINITIALISED, seed=SEEDS, draw=DRAWS),
        of_runs([at.RUN_WEIGHTS, at.RUN_METRICS, at.RUN_MASK]),
        expand(at.CONSENSUS_MASK, seed=SEEDS, round=ROUNDS),
        expand(to_core(at.TO_CORE_MASK), seed=SEEDS),
        expand([*to_core(at.TO_CORE_WEIGHTS, first=2), *to_core(at.TO_CORE_METRICS, first=2)], seed=SEEDS),
    localrule: True


rule instability:
    """Error barriers between partitions and siblings, by round and rewinding epoch."""
    input:
        expand(at.REWOUND_THETA0, seed=SEEDS, rewind=REWOUND),
        of_rewound([at.REWOUND_WEIGHTS, at.REWOUND_METRICS]),
        expand([at.LINES, at.BARRIERS], seed=SEEDS),
    localrule: True


rule tickets:
    """Trajectories, the tickets that are asked for, trained, and tables of densities and overlaps."""
    input:
        rules.trajectories.input,
        of_tickets([at.TICKET_MASK, at.TICKET_WEIGHTS, at.TICKET_METRICS], EACH_TICKET),
        expand([at.DENSITIES, at.OVERLAPS], seed=SEEDS),
        expand(rules.combine.input.saliencies, seed=SEEDS),
    localrule: True


rule representations:
    """Representations of the tickets that are compared, and of the references."""
    input:
        expand(at.TICKET_STORE, seed=SEEDS, round=GEOMETRY_ROUND, **EACH_COMPARED),
        expand(at.REFERENCE_STORE, seed=SEEDS, reference=REFERENCES),
    localrule: True


rule modules:
    """Distances between layers, their modules and the module verdicts."""
    input:
        expand([*rules.compare.output, *rules.cluster.output], seed=SEEDS, round=GEOMETRY_ROUND),
    localrule: True


rule assemblies:
    """Assemblies of core and specialists, retrained ones too, and their scores on every partition."""
    input:
        of_retrained([at.RETRAINED_WEIGHTS, at.RETRAINED_METRICS]),
        expand(at.ASSEMBLIES_FITTED, seed=SEEDS, round=GEOMETRY_ROUND),
        expand([at.ASSEMBLIES_SCORES, at.ASSEMBLIES_CORRECT], seed=SEEDS, round=GEOMETRY_ROUND),
    localrule: True


rule transfer:
    """The tickets that are asked for on targets, transferred to every target by every protocol."""
    input:
        expand(of_tickets(at.TRANSFERRED, EACH_TRANSFERRED), target=TARGETS, protocol=PROTOCOLS),
        expand(of_tickets([] if ROUNDS_TOGETHER else at.TRANSFER_DONE, EACH_TRANSFERRED), target=TARGETS),
    localrule: True


rule evaluation:
    """Scores of tickets on the test images of source and targets, which images they got right, and their logits."""
    input:
        expand([*TICKET_SCORES, *TRANSFER_SCORES], seed=SEEDS),
        of_tickets(at.TICKET_LOGITS, EACH_TICKET) if KEEP_LOGITS else [],
        expand(of_tickets(at.TRANSFER_LOGITS, EACH_TRANSFERRED), target=TARGETS) if KEEP_LOGITS else [],
    localrule: True


rule claims:
    """Verdicts and comparisons of the claims, and the tidy tables behind them."""
    input:
        expand(at.TABLE, table=TABLES),
        at.CLAIMS_LATEX,
    localrule: True


rule restore:
    """Results that are gone. What follows from them runs only if they come out different."""
    input:
        lambda wildcards: [file for file in rules.all.input if not Path(file).exists()],
    localrule: True
