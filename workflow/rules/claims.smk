# A seed's learning curves and scores.
TICKET_METRICS = expand(at.TICKET_METRICS, zip, **EACH_TICKET, allow_missing=True)
TICKET_SCORES = expand([at.TICKET_SCORES, at.TICKET_CORRECT], zip, **EACH_TICKET, allow_missing=True)
TRANSFER_SCORES = expand(
    expand([at.TRANSFER_SCORES, at.TRANSFER_CORRECT], zip, **EACH_TRANSFERRED, allow_missing=True),
    target=TARGETS,
    allow_missing=True,
)
ASSEMBLY_SCORES = expand([at.ASSEMBLIES_SCORES, at.ASSEMBLIES_CORRECT], round=GEOMETRY_ROUND, allow_missing=True)


rule summarise:
    """Gather tidy tables, decide the claims, draw the figures."""
    input:
        tickets=of_seeds([at.DENSITIES, at.OVERLAPS]),
        training=of_seeds([*of_rounds(at.RUN_METRICS), *TICKET_METRICS]),
        scores=of_seeds([*TICKET_SCORES, *TRANSFER_SCORES, *ASSEMBLY_SCORES]),
        distances=expand(at.DISTANCES, seed=SEEDS, round=GEOMETRY_ROUND),
        modules=expand(
            [at.CLUSTERS, at.STABILITY, at.CHAINS, at.EIGENVALUES],
            seed=SEEDS,
            round=GEOMETRY_ROUND,
        ),
        module_summaries=expand(at.MODULES_SUMMARY, seed=SEEDS, round=GEOMETRY_ROUND),
        lines=of_seeds([at.LINES, at.BARRIERS]),
    output:
        claims=report(
            at.TABLE.format(table="claims"),
            caption="../report/claims.rst",
            category="2 Comparisons",
            labels={"table": "claims"},
        ),
        verdicts=report(
            at.TABLE.format(table="verdicts"),
            caption="../report/verdicts.rst",
            category="1 Verdicts",
            labels={"table": "verdicts"},
        ),
        tables=expand(at.TABLE, table=[t for t in TABLES if t not in ("claims", "verdicts")]),
        latex=at.CLAIMS_LATEX,
        figures=[
            report(
                at.FIGURE.format(figure=figure),
                caption="../report/figures.rst",
                category="3 Figures",
                labels={"figure": figure.replace("_", " ")},
            )
            for figure in FIGURES
        ],
        bitmaps=expand(at.FIGURE_BITMAP, figure=FIGURES),
    log:
        at.LOG["summarise"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("summarise", runtime=30),
    params:
        **code("dilt.summarise"),
        options=options(*ALL_BUT_JOBS),
        partitions=PARTITIONS,
        networks=subpath(input[0], ancestor=3),
        answers=subpath(output.claims, ancestor=2),
    shell:
        "python -m dilt.summarise --partitions {params.partitions}"
        " --networks {params.networks} --answers {params.answers}"
        f" {LOGGED}"


rule report:
    """Put everything on one page: verdicts, figures, tables, and what the run took."""
    input:
        tables=expand(at.TABLE, table=TABLES),
        figures=expand(at.FIGURE, figure=FIGURES),
        bitmaps=expand(at.FIGURE_BITMAP, figure=FIGURES),
    output:
        page=report(
            at.PAGE,
            caption="../report/page.rst",
            category="4 Everything",
            labels={"page": "report"},
        ),
        runtime=at.TABLE.format(table="runtime"),
    log:
        at.LOG["report"],
    localrule: True
    conda:
        ENVIRONMENT
    resources:
        **cpu_job("report", runtime=30),
    params:
        *template_digests(),
        **code("dilt.report"),
        options=options(*ALL_BUT_JOBS),
        tables=TABLES,
        figures=FIGURES,
        # Not from an input, as in summarise: the logs that lie there are read, but are no inputs.
        networks=lambda wildcards: RESULTS,
        answers=subpath(output.page, parent=True),
        # Of rounds that have jobs of their own.
        runs=[] if ROUNDS_TOGETHER else "all/all" if TOGETHER else expand("{coupling}/{trajectory}", zip, **EACH_RUN),
        trajectories=[] if ROUNDS_TOGETHER else "all" if TOGETHER else TRAJECTORIES,
        tickets="all/all" if TOGETHER else expand("{round}/{ticket}", zip, **EACH_TICKET),
        transferred=(
            expand("all/{target}/all", target=TARGETS if ASKED.transferred else [])
            if TOGETHER
            else expand(expand("{round}/{{target}}/{ticket}", zip, **EACH_TRANSFERRED), target=TARGETS)
        ),
        compared="all" if TOGETHER else ASKED.compared,
        assemblies="all/all" if TOGETHER else expand("{partition}/{assembly}", zip, **EACH_RETRAINED),
        parts=expand("{part}-of-{parts}", part=PARTS, parts=len(PARTS)),
        to_core=[] if ROUNDS_TOGETHER else expand("{core_round}/full/round-{round}", zip, **TO_CORE),
        rewound=rewound_names(REWOUND, "all" if TOGETHER else EACH_REWOUND["trajectory"]),
        gpus=EXPERIMENT.jobs.gpus,
    shell:
        "python -m dilt.report --networks {params.networks} --answers {params.answers} --tables {params.tables}"
        " --figures {params.figures} --runs {params.runs} --trajectories {params.trajectories} --tickets {params.tickets}"
        " --transferred {params.transferred} --compared {params.compared}"
        " --assemblies {params.assemblies} --to-core {params.to_core} --rewound {params.rewound} --parts {params.parts}"
        " --gpus {params.gpus}"
        f" {LOGGED}"
