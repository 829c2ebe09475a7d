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
            file=["theta0", "dense"],
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
    localrule: True


rule tickets:
    """Trajectories, every round's tickets with densities and overlaps, and the trained ones with their scores."""
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
            file=["weights.safetensors", "metrics.csv", "scores.csv"],
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


rule transfer:
    """Scores of every ticket on every target, and of assemblies on every partition."""
    input:
        expand(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.csv",
            seed=SEEDS,
            round=CLAIM_ROUND,
            target=TARGETS,
            ticket=TICKETS,
        ),
        expand(
            "<results>/seed-{seed}/assembly/round-{round}.csv",
            seed=SEEDS,
            round=CLAIM_ROUND,
        ),
    localrule: True


rule claims:
    """The claim table, and the tidy tables behind it."""
    input:
        expand("<answers>/tables/{table}.csv", table=TABLES),
    localrule: True


rule restore:
    """Results that are gone, but not what follows from them: that runs only if they come out different."""
    input:
        lambda wildcards: [file for file in rules.all.input if not Path(file).exists()],
    localrule: True
