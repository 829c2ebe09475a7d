"""Stage `summarise`: writes one table of each kind, answers the claims, draws figures. `report` makes their page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dilt.answers import (
    flags,
    instability,
    learning_curves,
    overlap_intervals,
    robustness,
    scores,
    specialisation,
    task_similarity,
    ticket_table,
)
from dilt.answers.answering import answer
from dilt.answers.gathering import (
    OF_ANSWERS,
    OF_NETWORKS,
    TABLES,
    agree,
    files,
    read_tables,
    source_rows,
    take_versions,
)
from dilt.foundations import storage
from dilt.foundations.result_paths import Answers
from dilt.jobs import command
from dilt.reporting.drawing import FIGURES, draw

if TYPE_CHECKING:
    import pandas as pd


def summarise(arguments: argparse.Namespace) -> None:
    """Write tables/ and figures/ beside each other."""
    import pandas as pd

    from dilt.answers import latex
    from dilt.reporting import style
    from dilt.settings.experiment import Config

    config, folder = command.options(arguments, Config), arguments.answers
    tables, sources = {}, []
    for below, patterns in ((arguments.networks, OF_NETWORKS), (folder, OF_ANSWERS)):
        for name, (pattern, over) in patterns.items():
            paths = files(below, pattern, over, config, arguments.partitions)
            tables[name], lengths = read_tables(paths, scores.IMAGE_KEYS.get(name))
            sources += source_rows(name, paths, lengths, folder)
    tables["versions"] = take_versions(tables)
    for name in ("ticket_scores", "transfer"):
        tables[name] = flags.with_collapse(tables[name])
    tables["collapsed"] = flags.collapsed_runs(tables["ticket_scores"], tables["transfer"])
    tables |= measure(tables, arguments.partitions, config.claims.confidence)
    tables |= describe(tables, arguments.partitions, config.tickets.claim_rounds.C2, config.claims.confidence)
    tables |= answer(tables, arguments.partitions, config)
    tables["tickets"] = ticket_table.ticket_table(tables["densities"], tables["terms"], config.tickets.define)
    for name in scores.IMAGE_KEYS:
        tables[name] = tables[name].drop(columns=scores.CORRECT)
    tables["sources"] = pd.DataFrame(sources)
    for name in TABLES:
        with storage.replacing(folder / Answers.TABLE.format(table=name)) as partial:
            tables[name].to_csv(partial, index=False, lineterminator="\n")
    with storage.replacing(folder / Answers.CLAIMS_LATEX) as partial:
        partial.write_text(latex.claims_latex(tables["claims"], tables["verdicts"], config.claims))

    drawn = draw(tables, config)
    for name in FIGURES:
        style.save(drawn[name], (folder / Answers.FIGURE.format(figure=name)).with_suffix(""))


def measure(
    tables: Mapping[str, pd.DataFrame], partitions: Sequence[str], confidence: float
) -> dict[str, pd.DataFrame]:
    """Tables computed from others that answer no claim: barriers, specialists' worth, overlaps, agreement of seeds."""
    by_seed = specialisation.specialisation_by_seed(tables["assembly"], partitions)
    return {
        "instability": instability.instability(tables["barriers"], confidence),
        "specialisation": specialisation.specialisation(by_seed, confidence),
        "specialisation_by_seed": by_seed,
        "overlap_intervals": overlap_intervals.overlap_intervals(tables["overlaps"], confidence),
        "seed_agreement": agree(tables["clusters"]),
    }


def describe(
    tables: Mapping[str, pd.DataFrame], partitions: Sequence[str], round_: int, confidence: float
) -> dict[str, pd.DataFrame]:
    """Tables of what networks do besides being right: how they learn, calibration, robustness, likeness of tasks."""
    overlaps, assembly, distances = (tables[name] for name in ("overlaps", "assembly", "distances"))
    return {
        "learning_curves": learning_curves.learning_curves(
            tables["training"], tables["ticket_training"], tables["ticket_scores"]
        ),
        "calibration": robustness.calibration(tables["ticket_scores"], confidence),
        "robustness": robustness.robustness(tables["ticket_scores"], confidence),
        "task_similarity": task_similarity.task_similarity(
            overlaps, assembly, distances, partitions, round_, confidence
        ),
    }


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("summarise", summarise.__doc__)
    parser.add_argument("--partitions", nargs="+", required=True, metavar="NAME", help="names of the partitions")
    command.add_paths(parser, "--networks", help="folder of the networks and what was measured on each")
    command.add_paths(
        parser, "--answers", help="folder of the experiment's distances and modules; all is written there"
    )
    command.run(parser, summarise)


if __name__ == "__main__":
    main()
