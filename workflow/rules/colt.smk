# What COLT does otherwise: after each round the partitions are intersected and go on from there.


rule prune_to_consensus:
    """Prune the trajectories of the cyclic coupling and intersect their masks: COLT's consensus, where all go on."""
    input:
        weights=cyclic(at.RUN_WEIGHTS, PARTITIONS),
        masks=masks_before("cyclic"),
    output:
        masks=cyclic(at.RUN_MASK, PARTITIONS),
        consensus=at.CONSENSUS_MASK,
    log:
        at.LOG["prune_to_consensus"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("prune_to_consensus", runtime=10),
    params:
        **code("dilt.prune"),
        options=options("pruning.rate", "pruning.scope", "pruning.pattern"),
    shell:
        "python -m dilt.prune --weights {input.weights} --masks {input.masks} --pruned {output.masks}"
        " --intersection {output.consensus}"
        f" {LOGGED}"
