# Included if jobs.keep is masks: a seed's networks, which follow from theta0, masks and data, are removed in the end.

# Every network of a seed, below the folder of results.
NETWORKS_OF_SEED = list(
    dict.fromkeys(
        [
            *of_rounds(Networks.RUN_WEIGHTS),
            *to_core(Networks.TO_CORE_WEIGHTS, first=2),
            *expand(Networks.REWOUND_WEIGHTS, rewind=REWOUND, round=1, **EACH_REWOUND, allow_missing=True),
            *expand(Networks.TICKET_WEIGHTS, zip, **EACH_TICKET, allow_missing=True),
            *expand(
                expand(Networks.RETRAINED_WEIGHTS, zip, **EACH_RETRAINED, allow_missing=True),
                round=GEOMETRY_ROUND,
                allow_missing=True,
            ),
            *expand(
                expand(Networks.TRANSFERRED, zip, **EACH_TRANSFERRED, allow_missing=True),
                target=TARGETS,
                protocol=PROTOCOLS,
                allow_missing=True,
            ),
        ]
    )
)


rule remove_networks:
    """Remove a seed's trained networks, once all that is made of them is there."""
    input:
        tickets=[at.DENSITIES, at.OVERLAPS],
        scores=[*TICKET_SCORES, *TRANSFER_SCORES, *ASSEMBLY_SCORES],
        logits=(
            expand(at.TICKET_LOGITS, zip, **EACH_TICKET, allow_missing=True)
            + expand(
                expand(at.TRANSFER_LOGITS, zip, **EACH_TRANSFERRED, allow_missing=True),
                target=TARGETS,
                allow_missing=True,
            )
            if KEEP_LOGITS
            else []
        ),
        stores=expand(COMPARED, round=GEOMETRY_ROUND, allow_missing=True),
        lines=[at.LINES, at.BARRIERS],
    output:
        removed=at.REMOVED,
    log:
        at.LOG["remove_networks"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("remove_networks", runtime=30),
    params:
        **code("dilt.remove_networks"),
        options=options(),
        results=subpath(output.removed, ancestor=2),
        networks=lambda wildcards: expand(NETWORKS_OF_SEED, seed=wildcards.seed),
    shell:
        "python -m dilt.remove_networks --results {params.results} --seed {wildcards.seed}"
        " --networks {params.networks} --removed {output.removed}"
        f" {LOGGED}"
