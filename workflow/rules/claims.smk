rule summarise:
    """Answer the claims: tidy tables, figures and the report."""
    input:
        densities=expand(
            "<results>/seed-{seed}/tickets/round-{round}/densities.csv",
            seed=SEEDS,
            round=ROUNDS,
        ),
        overlaps=expand(
            "<results>/seed-{seed}/tickets/round-{round}/overlaps.csv",
            seed=SEEDS,
            round=ROUNDS,
        ),
        training=expand(
            "<results>/seed-{seed}/{run}/round-{round}/metrics.csv",
            seed=SEEDS,
            run=expand("{coupling}/{trajectory}", zip, **RUNS),
            round=ROUNDS,
        ),
        ticket_scores=expand(
            "<results>/seed-{seed}/tickets/round-{round}/{ticket}/scores.{kind}",
            seed=SEEDS,
            round=TICKET_ROUNDS,
            ticket=TICKETS,
            kind=SCORES,
        ),
        transfer=expand(
            "<results>/seed-{seed}/transfer/round-{round}/{target}/{ticket}.{kind}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            target=TARGETS,
            ticket=TICKETS,
            kind=SCORES,
        ),
        assembly=expand(
            "<results>/seed-{seed}/assembly/round-{round}.{kind}",
            seed=SEEDS,
            round=CLAIM_ROUND,
            kind=SCORES,
        ),
        distances=expand(
            "<answers>/seed-{seed}/geometry/round-{round}/distances.csv",
            seed=SEEDS,
            round=CLAIM_ROUND,
        ),
        modules=expand(
            "<answers>/seed-{seed}/geometry/round-{round}/{table}.csv",
            seed=SEEDS,
            round=CLAIM_ROUND,
            table=["clusters", "consensus", "chains", "eigenvalues"],
        ),
        module_summaries=expand(
            "<answers>/seed-{seed}/geometry/round-{round}/summary.json",
            seed=SEEDS,
            round=CLAIM_ROUND,
        ),
    output:
        claims=report(
            "<answers>/tables/claims.csv",
            caption="../report/claims.rst",
            category="Claims",
        ),
        verdicts=report(
            "<answers>/tables/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Claims",
        ),
        tables=expand(
            "<answers>/tables/{table}.csv",
            table=[t for t in TABLES if t not in ("claims", "verdicts")],
        ),
        latex="<answers>/tables/claims.tex",
        figures=report(
            expand("<answers>/figures/{figure}.svg", figure=FIGURES),
            caption="../report/figures.rst",
            category="Figures",
        ),
        bitmaps=expand("<answers>/figures/{figure}.png", figure=FIGURES),
        page="<answers>/report.html",
    log:
        "<answers>/logs/summarise.log",
    benchmark:
        "<answers>/benchmarks/summarise.tsv"
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("summarise", runtime=30),
    params:
        *fingerprint("dilt.summarise"),
        file_digest("dilt/report.html.jinja"),
        code=code_digest("dilt.summarise"),
        options=options(*(key for key in type(EXPERIMENT).model_fields if key != "jobs")),
        partitions=PARTITIONS,
        networks=subpath(input[0], ancestor=4),
        answers=subpath(output.page, parent=True),
    shell:
        "python -m dilt.summarise --partitions {params.partitions} --networks {params.networks} --answers {params.answers}"
        " --code {params.code} --options {params.options:q} > {log} 2>&1"
