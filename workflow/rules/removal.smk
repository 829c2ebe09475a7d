# Included if jobs.keep is masks: a seed's networks, which follow from theta0, masks and data, are removed in the end.

# Every network of a seed.
NETWORKS_OF_SEED = list(
    dict.fromkeys(
        [
            *of_rounds(at.RUN_WEIGHTS),
            *to_core(at.TO_CORE_WEIGHTS, first=2),
            *expand(at.REWOUND_WEIGHTS, rewind=REWOUND, round=1, **EACH_REWOUND, allow_missing=True),
            *expand(at.TICKET_WEIGHTS, zip, **EACH_TICKET, allow_missing=True),
            *expand(
                expand(at.RETRAINED_WEIGHTS, zip, **EACH_RETRAINED, allow_missing=True),
                round=GEOMETRY_ROUND,
                allow_missing=True,
            ),
            *expand(
                expand(at.TRANSFERRED, zip, **EACH_TRANSFERRED, allow_missing=True),
                target=TARGETS,
                protocol=PROTOCOLS,
                allow_missing=True,
            ),
        ]
    )
)
# The files of digests that stand for some of them.
DIGESTS_OF_NETWORKS = [file for file in JOBS_IN_TURN.standing_for(NETWORKS_OF_SEED) if file not in NETWORKS_OF_SEED]


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
        networks=lambda wildcards: below_results(NETWORKS_OF_SEED, wildcards),
        # Gone too, so that jobs that read networks have them made first.
        digests=lambda wildcards: below_results(DIGESTS_OF_NETWORKS, wildcards),
    shell:
        "python -m dilt.remove_networks --results {params.results} --seed {wildcards.seed}"
        " --networks {params.networks} --digests {params.digests} --removed {output.removed}"
        f" {LOGGED}"
