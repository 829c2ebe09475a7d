# One name per stage family, to be given on the command line: `snakemake tickets --cores 2`.


rule data:
    """Prepared source and target data."""
    input:
        expand("<results>/data/{dataset}/dataset.json", dataset=["source", *TARGETS]),
        [file for dataset in ["source", *TARGETS] for file in dataset_files(dataset, "train", "validation", "test")],
    localrule: True


rule trajectories:
    """Weights and masks of every trajectory and round."""
    input:
        expand(
            "<results>/seed-{seed}/{file}.safetensors",
            seed=SEEDS,
            file=["theta0", "reinitialised", "dense"],
        ),
        expand(
            "<results>/seed-{seed}/{run}/round-{round}/{file}",
            seed=SEEDS,
            run=expand("{coupling}/{trajectory}", zip, **RUNS),
            round=ROUNDS,
            file=["weights.safetensors", "metrics.csv", "mask.safetensors"],
        ),
        expand(
            "<results>/seed-{seed}/cyclic/consensus/round-{round}/mask.safetensors",
            seed=SEEDS,
            round=ROUNDS,
        ),
        expand(
            f"<results>/seed-{{seed}}/{TO_CORE}/round-{{round}}/mask.safetensors",
            seed=SEEDS,
            round=ROUNDS_TO_CORE,
        ),
        expand(
            f"<results>/seed-{{seed}}/{TO_CORE}/round-{{round}}/{{file}}",
            seed=SEEDS,
            round=ROUNDS_TO_CORE[1:],
            file=["weights.safetensors", "metrics.csv"],
        ),
    localrule: True


rule tickets:
    """Trajectories, every round's tickets with densities and overlaps, and the trained ones."""
    input:
        rules.trajectories.input,
        expand(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/mask.safetensors",
            seed=SEEDS,
            round=ROUNDS,
            ticket=TICKETS,
        ),
        expand(
            "<results>/seed-{seed}/tickets/round-{round}/{table}.csv",
            seed=SEEDS,
            round=ROUNDS,
            table=["densities", "overlaps"],
        ),
        expand(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/{file}",
            seed=SEEDS,
            round=TICKET_ROUNDS,
            ticket=TICKETS,
            file=["weights.safetensors", "metrics.csv"],
        ),
    localrule: True


rule representations:
    """Activations of every ticket at the claim round, and of what tickets are compared with."""
    input:
        expand(
            "<results>/seed-{seed}/representations/round-{round}/{ticket}.zarr/zarr.json",
            seed=SEEDS,
            round=CLAIM_ROUND,
            ticket=TICKETS,
        ),
        expand(
            "<results>/seed-{seed}/representations/references/{reference}.zarr/zarr.json",
            seed=SEEDS,
            reference=REFERENCES,
        ),
    localrule: True


rule modules:
    """Distances between layers, and the modules that they form."""
    input:
        expand(
            "<answers>/seed-{seed}/geometry/round-{round}/{file}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            file=[
                *("distances.csv", "subset_distances.csv", "layers.csv", "distances.json"),
                *("clusters.csv", "consensus.csv", "chains.csv", "eigenvalues.csv", "summary.json"),
            ],
        ),
    localrule: True


rule assemblies:
    """Core and specialists put together, and their scores on every partition."""
    input:
        expand(
            "<results>/seed-{seed}/assembly/round-{round}/{run}/{file}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            run=expand("{partition}/{assembly}", zip, **RETRAINED),
            file=["weights.safetensors", "metrics.csv"],
        ),
        expand(
            "<results>/seed-{seed}/assembly/round-{round}/fitted.safetensors",
            seed=SEEDS,
            round=CLAIM_ROUND,
        ),
        expand(
            "<results>/seed-{seed}/assembly/round-{round}.{kind}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            kind=SCORES,
        ),
    localrule: True


rule transfer:
    """Every ticket adapted to every target by every protocol."""
    input:
        expand(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}/{protocol}.safetensors",
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
        expand(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/scores.{kind}",
            seed=SEEDS,
            round=TICKET_ROUNDS,
            ticket=TICKETS,
            kind=SCORES,
        ),
        expand(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.{kind}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            target=TARGETS,
            ticket=TICKETS,
            kind=SCORES,
        ),
    localrule: True


rule claims:
    """The claim table, and the tidy tables behind it."""
    input:
        expand("<answers>/tables/{table}.csv", table=TABLES),
        "<answers>/tables/claims.tex",
    localrule: True


rule restore:
    """Results that are gone, but not what follows from them: that runs only if they come out different."""
    input:
        lambda wildcards: [file for file in rules.all.input if not Path(file).exists()],
    localrule: True
