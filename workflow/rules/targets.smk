# Names for the command line, each for some stages' results: `snakemake tickets --cores 2`.


rule data:
    """Source and targets, prepared: split, and decoded or ready to be streamed."""
    input:
        **prepared(["source", *TARGETS], "train", "validation", "test"),
    localrule: True


rule trajectories:
    """Weights and masks of every trajectory and round."""
    input:
        expand([at.THETA0, at.REINITIALISED, at.DENSE_MASK], seed=SEEDS),
        of_runs([at.RUN_WEIGHTS, at.RUN_METRICS, at.RUN_MASK]),
        expand(at.CONSENSUS_MASK, seed=SEEDS, round=ROUNDS),
        to_core(at.TO_CORE_MASK, seed=SEEDS, round=ROUNDS_TO_CORE),
        to_core([at.TO_CORE_WEIGHTS, at.TO_CORE_METRICS], seed=SEEDS, round=ROUNDS_TO_CORE[1:]),
    localrule: True


rule tickets:
    """Trajectories, the tickets of every round with densities and overlaps, and the trained tickets."""
    input:
        rules.trajectories.input,
        expand(at.TICKET_MASK, seed=SEEDS, round=ROUNDS, ticket=TICKETS),
        expand([at.DENSITIES, at.OVERLAPS], seed=SEEDS, round=ROUNDS),
        expand([at.TICKET_WEIGHTS, at.TICKET_METRICS], seed=SEEDS, round=TICKET_ROUNDS, ticket=TICKETS),
    localrule: True


rule representations:
    """Representations of every ticket at the claim round, and of the references."""
    input:
        expand(at.TICKET_STORE, seed=SEEDS, round=CLAIM_ROUND, ticket=TICKETS),
        expand(at.REFERENCE_STORE, seed=SEEDS, reference=REFERENCES),
    localrule: True


rule modules:
    """Distances between layers, their modules and the module verdicts."""
    input:
        expand([*rules.compare.output, *rules.cluster.output], seed=SEEDS, round=CLAIM_ROUND),
    localrule: True


rule assemblies:
    """Assemblies of core and specialists, retrained ones too, and their scores on every partition."""
    input:
        of_retrained([at.RETRAINED_WEIGHTS, at.RETRAINED_METRICS]),
        expand(at.ASSEMBLIES_FITTED, seed=SEEDS, round=CLAIM_ROUND),
        expand([at.ASSEMBLIES_SCORES, at.ASSEMBLIES_CORRECT], seed=SEEDS, round=CLAIM_ROUND),
    localrule: True


rule transfer:
    """Every ticket transferred to every target by every protocol."""
    input:
        expand(
            at.TRANSFERRED,
            seed=SEEDS,
            round=CLAIM_ROUND,
            target=TARGETS,
            ticket=TICKETS,
            protocol=PROTOCOLS,
        ),
    localrule: True


rule evaluation:
    """Scores of tickets on the test images of source and targets, and which single images they got right."""
    input:
        rules.summarise.input.ticket_scores,
        rules.summarise.input.transfer,
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
