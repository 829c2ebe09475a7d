# One name per stage family, to be given on the command line: `snakemake tickets --cores 2`.


rule data:
    """Prepared source and target data."""
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
    """Trajectories, every round's tickets with densities and overlaps, and the trained ones."""
    input:
        rules.trajectories.input,
        expand(at.TICKET_MASK, seed=SEEDS, round=ROUNDS, ticket=TICKETS),
        expand([at.DENSITIES, at.OVERLAPS], seed=SEEDS, round=ROUNDS),
        expand([at.TICKET_WEIGHTS, at.TICKET_METRICS], seed=SEEDS, round=TICKET_ROUNDS, ticket=TICKETS),
    localrule: True


rule representations:
    """Activations of every ticket at the claim round, and of what tickets are compared with."""
    input:
        expand(at.TICKET_STORE, seed=SEEDS, round=CLAIM_ROUND, ticket=TICKETS),
        expand(at.REFERENCE_STORE, seed=SEEDS, reference=REFERENCES),
    localrule: True


rule modules:
    """Distances between layers, and the modules that they form."""
    input:
        expand([*rules.compare.output, *rules.cluster.output], seed=SEEDS, round=CLAIM_ROUND),
    localrule: True


rule assemblies:
    """Core and specialists put together, and their scores on every partition."""
    input:
        of_retrained([at.RETRAINED_WEIGHTS, at.RETRAINED_METRICS]),
        expand(at.ASSEMBLIES_FITTED, seed=SEEDS, round=CLAIM_ROUND),
        expand([at.ASSEMBLIES_SCORES, at.ASSEMBLIES_CORRECT], seed=SEEDS, round=CLAIM_ROUND),
    localrule: True


rule transfer:
    """Every ticket adapted to every target by every protocol."""
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
    """Scores of tickets on test images of source and targets, and which single images they have right."""
    input:
        rules.summarise.input.ticket_scores,
        rules.summarise.input.transfer,
    localrule: True


rule claims:
    """The claim table, and the tidy tables behind it."""
    input:
        expand(at.TABLE, table=TABLES),
        at.CLAIMS_LATEX,
    localrule: True


rule restore:
    """Results that are gone, but not what follows from them: that runs only if they come out different."""
    input:
        lambda wildcards: [file for file in rules.all.input if not Path(file).exists()],
    localrule: True
