rule summarise:
    """Answer the claims: tidy tables and figures."""
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
            category="2 Comparisons",
            labels={"table": "claims"},
        ),
        verdicts=report(
            "<answers>/tables/verdicts.csv",
            caption="../report/verdicts.rst",
            category="1 Verdicts",
            labels={"table": "verdicts"},
        ),
        tables=expand(
            "<answers>/tables/{table}.csv",
            table=[t for t in TABLES if t not in ("claims", "verdicts")],
        ),
        latex="<answers>/tables/claims.tex",
        figures=[
            report(
                f"<answers>/figures/{figure}.svg",
                caption="../report/figures.rst",
                category="3 Figures",
                labels={"figure": figure.replace("_", " ")},
            )
            for figure in FIGURES
        ],
        bitmaps=expand("<answers>/figures/{figure}.png", figure=FIGURES),
    log:
        "<answers>/logs/summarise.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("summarise", runtime=30),
    params:
        *fingerprint("dilt.summarise"),
        code=code_digest("dilt.summarise"),
        options=options(*(key for key in type(EXPERIMENT).model_fields if key != "jobs")),
        partitions=PARTITIONS,
        networks=subpath(input[0], ancestor=4),
        answers=subpath(output.claims, ancestor=2),
    shell:
        "python -m dilt.summarise --partitions {params.partitions} --networks {params.networks} --answers {params.answers}"
        " --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"


rule report:
    """Show everything on one page: verdicts, figures, tables, and what the run took."""
    input:
        tables=expand("<answers>/tables/{table}.csv", table=TABLES),
        figures=expand("<answers>/figures/{figure}.svg", figure=FIGURES),
        bitmaps=expand("<answers>/figures/{figure}.png", figure=FIGURES),
    output:
        page=report(
            "<answers>/report.html",
            caption="../report/page.rst",
            category="4 Everything",
            labels={"page": "report"},
        ),
        runtime="<answers>/tables/runtime.csv",
    log:
        "<answers>/logs/report.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **cpu_job("report", runtime=30),
    params:
        *fingerprint("dilt.report"),
        *map(file_digest, TEMPLATES),
        code=code_digest("dilt.report"),
        options=options(*(key for key in type(EXPERIMENT).model_fields if key != "jobs")),
        tables=TABLES,
        figures=FIGURES,
        # A function, as its logs are no inputs: they are read as far as they are there.
        networks=lambda wildcards: RESULTS,
        answers=subpath(output.page, parent=True),
        runs="all/all" if TOGETHER else expand("{coupling}/{trajectory}", zip, **RUNS),
        trajectories="all" if TOGETHER else TRAJECTORIES,
        tickets="all" if TOGETHER else TICKETS,
        assemblies="all/all" if TOGETHER else expand("{partition}/{assembly}", zip, **RETRAINED),
        parts=PARTS,
        rounds_to_core=ROUNDS_TO_CORE,
        gpus=EXPERIMENT.jobs.gpus,
    shell:
        "python -m dilt.report --networks {params.networks} --answers {params.answers} --tables {params.tables}"
        " --figures {params.figures} --runs {params.runs} --trajectories {params.trajectories} --tickets {params.tickets}"
        " --assemblies {params.assemblies} --rounds-to-core {params.rounds_to_core} --parts {params.parts} --gpus {params.gpus} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1"
