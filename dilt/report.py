"""Stage `report`: writes one page on what a run found, what it cost, and where every number is from."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dilt.foundations import storage
from dilt.foundations.result_paths import Answers
from dilt.jobs import command

if TYPE_CHECKING:
    import pandas as pd

    from dilt.reporting import page
    from dilt.settings.experiment import Config

# Tables that do not stand among the others, since they are about the run or about all tables.
OF_RUN, PROVENANCE = ("runtime", "versions"), "sources"


def report(arguments: argparse.Namespace) -> None:
    """Write report.html, and tables/runtime.csv, into the folder of the answers."""
    import pandas as pd

    from dilt.reporting import captions, costs, page
    from dilt.settings.experiment import Config
    from dilt.tickets import overlap

    config, folder = command.options(arguments, Config), arguments.answers
    tables = {name: pd.read_csv(folder / Answers.TABLE.format(table=name)) for name in arguments.tables}
    if arguments.usage:
        arguments.usage.write()  # the page counts what this job took so far
    gpus = arguments.gpus if on_gpu(tables["versions"]) else 0
    jobs = costs.jobs_of(arguments.networks, folder, wildcards(config, arguments), gpus)
    tables["runtime"] = costs.runtime_table(jobs)
    with storage.replacing(folder / Answers.TABLE.format(table="runtime")) as partial:
        tables["runtime"].to_csv(partial, index=False, lineterminator="\n")

    summaries = tables["module_summaries"]
    summary = summaries[summaries["seed"] == config.seeds[0]].to_dict("records")[0]
    texts = captions.figure_captions(config, summary)
    texts["instability"] += f" {captions.averaging(tables['instability'])}"
    drawn = {name: (folder / Answers.FIGURE.format(figure=name)).read_text() for name in arguments.figures}
    figures = [
        page.PageFigure(name, texts[name], drawn[name], captions.DRAWN_FROM[name], captions.SEE[name], group)
        for group, names in captions.GROUPS.items()
        for name in names
    ]
    shown = {name: page.PageTable(name, captions.TABLES[name], tables[name], origins(name, tables)) for name in tables}
    text = page.render(
        config.experiment,
        tables["verdicts"],
        tables["claims"],
        figures,
        [table for name, table in shown.items() if name not in (*OF_RUN, PROVENANCE, "verdicts")],
        [shown[name] for name in OF_RUN],
        facts(config),
        shown[PROVENANCE],
        captions.connection(overlap.disconnected(tables["densities"].to_dict("records"))),
        glances(tables),
        tables["tickets"],
        captions.OPEN,
    )
    with storage.replacing(folder / Answers.PAGE) as partial:
        partial.write_text(text)


def glances(tables: Mapping[str, pd.DataFrame]) -> list[page.Glance]:
    """What stands beside the verdicts; of versions only if they are mixed."""
    from dilt.reporting import at_a_glance, page

    found = [
        page.Glance("Did controls train?", at_a_glance.trained(tables), "collapsed"),
        page.Glance("What did it cost?", at_a_glance.cost(tables["runtime"]), "runtime"),
    ]
    if mixed := at_a_glance.made_with(tables["versions"]):
        found.append(page.Glance("Made with the same libraries?", f"No: {mixed}.", "versions"))
    return found


def on_gpu(versions: pd.DataFrame) -> bool:
    """Whether any network was trained on a GPU, as recorded with it."""
    trained = versions.loc[versions["table"] == "ticket_scores", "versions"]
    return bool((~trained.str.contains(", cpu with ", regex=False)).any())


def wildcards(config: Config, arguments: argparse.Namespace) -> dict[str, Sequence[object]]:
    """The values of the wildcards in the names of jobs."""
    rounds = range(1, config.pruning.rounds + 1)
    return {
        "dataset": ["source", *config.targets],
        "seed": config.seeds,
        "round": rounds,
        "first_round": [1],
        "geometry_round": [config.tickets.claim_rounds.C2],
        "pruned_round": rounds if arguments.trajectories else [],
        "run": arguments.runs,
        "trajectory": arguments.trajectories,
        "rewind": config.other_rewindings,
        "rewound": arguments.rewound,
        "trained": arguments.tickets,
        "transferred": arguments.transferred,
        "compared": arguments.compared,
        "assembly": arguments.assemblies,
        "part": arguments.parts,
        "to_core": arguments.to_core,
        "trained_to_core": [way for way in arguments.to_core if not way.endswith("/round-1")],  # that is LTH's own
    }


def origins(name: str, tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """Where each row of a table comes from, as link words to address: files, or the tables that it is computed from."""
    if name == "claims":
        return [_of_comparison(row, tables["terms"]) for row in tables["claims"].to_dict("records")]
    if name == "terms":
        return [{table: f"#table-{table}"} for table in tables["terms"]["table"]]
    if name == PROVENANCE:
        return [{"open": file} for file in tables[name]["file"]]
    files = tables[PROVENANCE].loc[tables[PROVENANCE]["table"] == name, ["file", "rows"]]
    return [{file: file} for file, rows in files.itertuples(index=False) for _ in range(rows)]


def _of_comparison(row: Mapping[Any, Any], terms: pd.DataFrame) -> dict[str, str]:
    keys = ["claim", "comparison", "ticket", "control", "measure"]
    own = terms[(terms[keys] == [row[key] for key in keys]).all(axis=1)]
    return {table: f"#table-{table}" for table in own["table"].unique()}


def facts(config: Config) -> dict[str, str]:
    """Configuration, and versions and machine of this process, as text; the jobs' versions are in tables."""
    import yaml

    from dilt.reporting.machine import machine

    return {
        "Configuration": yaml.safe_dump(config.model_dump(mode="json", exclude={"jobs"}), sort_keys=False),
        "Versions that made this page": command.versions().replace(", ", "\n"),
        "Machine that made this page": "\n".join(f"{name}: {value}" for name, value in machine().items()),
    }


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("report", report.__doc__)
    command.add_paths(parser, "--networks", help="folder of the networks and what was measured on each")
    command.add_paths(parser, "--answers", help="folder of the experiment's tables and figures; the page is put there")
    for option, words in {
        "--tables": "tables on the page, by name",
        "--figures": "figures on the page, by name",
        "--tickets": "round/ticket of each job that trains one, or all/all",
        "--compared": "ticket of each job that represents one, or all",
        "--assemblies": "partition/assembly of each job that retrains one, or all/all",
    }.items():
        parser.add_argument(option, nargs="+", required=True, metavar="NAME", help=words)
    for option, words in {
        "--runs": "coupling/trajectory of each job that trains for a round, or all/all",
        "--trajectories": "trajectory of each job that prunes, or all",
        "--transferred": "round/target/ticket of each job that transfers one",
        "--to-core": "core_round/full/round-round of each job that prunes LTH to a core",
        "--rewound": "rewind-EPOCH/trajectory of each job that trains anew",
    }.items():
        parser.add_argument(option, nargs="*", default=[], metavar="NAME", help=words)
    parser.add_argument("--parts", nargs="*", default=[], metavar="K-of-N", help="parts that distances were cut into")
    parser.add_argument("--gpus", type=int, default=1, help="GPUs that a job that trains reserves")
    command.run(parser, report)


if __name__ == "__main__":
    main()
