"""Stage `summarise`: all tables in one place each, the claims answered, figures drawn; their page is `report`'s."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import combinations, product
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from dilt import claims, command, comparisons, consensus, overlap_intervals, scores, specialisation, storage
from dilt.distances import distance_matrix
from dilt.tickets import ticket_names
from dilt.trajectories import trajectory_names

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from dilt.config import Config

# Where the stages leave their tables, below the folder of the networks or of the experiment's answers. Patterns rather
# than files on the command line, which could not hold the files of a large experiment.
OF_NETWORKS = {
    "densities": "seed-{seed}/tickets/round-{round}/densities.csv",
    "overlaps": "seed-{seed}/tickets/round-{round}/overlaps.csv",
    "training": "seed-{seed}/{run}/round-{round}/metrics.csv",
    "ticket_scores": "seed-{seed}/tickets/round-{ticket_round}/{ticket}/scores.csv",
    "transfer": "seed-{seed}/transfer/round-{claim_round}/{target}/{ticket}.csv",
    "assembly": "seed-{seed}/assembly/round-{claim_round}.csv",
}
OF_ANSWERS = {
    "distances": "seed-{seed}/geometry/round-{claim_round}/distances.csv",
    "clusters": "seed-{seed}/geometry/round-{claim_round}/clusters.csv",
    "consensus": "seed-{seed}/geometry/round-{claim_round}/consensus.csv",
    "chains": "seed-{seed}/geometry/round-{claim_round}/chains.csv",
    "eigenvalues": "seed-{seed}/geometry/round-{claim_round}/eigenvalues.csv",
    "module_summaries": "seed-{seed}/geometry/round-{claim_round}/summary.json",
}
MEASURED = ("specialisation", "specialisation_by_seed", "overlap_intervals", "seed_agreement")
TABLES = (*OF_NETWORKS, *OF_ANSWERS, *MEASURED, "versions", "claims", "verdicts", "terms", "sources")
FIGURES = (
    "accuracy_over_density",
    "overlap_by_round",
    "overlap_by_layer",
    "gw_matrix",
    "module_map",
    "consensus",
    "dendrogram",
    "eigenvalues",
    "adjacent_distances",
    "layer_map",
    "transfer_forest",
    "specialisation",
)


def summarise(arguments: argparse.Namespace) -> None:
    """Write tables/ and figures/ beside each other."""
    import pandas as pd

    from dilt import drawing, latex
    from dilt.config import Config

    config, folder = command.options(arguments, Config), arguments.answers
    tables, sources = {}, []
    for below, patterns in ((arguments.networks, OF_NETWORKS), (folder, OF_ANSWERS)):
        for name, pattern in patterns.items():
            paths = files(below, pattern, config, arguments.partitions)
            tables[name], lengths = read_tables(paths, scores.IMAGE_KEYS.get(name))
            sources += source_rows(name, paths, lengths, folder)
    tables["versions"] = take_versions(tables)
    tables |= measure(tables, arguments.partitions, config.claims.confidence)
    tables |= answer(tables, arguments.partitions, config)
    for name in scores.IMAGE_KEYS:
        tables[name] = tables[name].drop(columns=scores.CORRECT)
    tables["sources"] = pd.DataFrame(sources)
    for name in TABLES:
        with storage.replacing(folder / "tables" / f"{name}.csv") as partial:
            tables[name].to_csv(partial, index=False, lineterminator="\n")
    with storage.replacing(folder / "tables" / "claims.tex") as partial:
        partial.write_text(latex.claims_latex(tables["claims"], tables["verdicts"], config.claims))

    drawn = draw(tables, config)
    for name in FIGURES:
        drawing.save(drawn[name], folder / "figures" / name)


def take_versions(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Take the column that tells which versions of the libraries made a row out of all tables that have it.

    Returns:
        A row per table and set of versions: table, versions, rows. More than one set in a table is worth knowing.
    """
    import pandas as pd

    counts = {
        name: table.pop("versions").value_counts(sort=False).rename_axis("versions").reset_index(name="rows")
        for name, table in tables.items()
        if "versions" in table
    }
    return pd.concat(counts, names=["table"]).reset_index("table")


def measure(
    tables: Mapping[str, pd.DataFrame], partitions: Sequence[str], confidence: float
) -> dict[str, pd.DataFrame]:
    """What follows from the tables and is no claim: worth of specialists, overlaps, agreement of seeds."""
    by_seed = specialisation.specialisation_by_seed(tables["assembly"], partitions)
    return {
        "specialisation": specialisation.specialisation(by_seed, confidence),
        "specialisation_by_seed": by_seed,
        "overlap_intervals": overlap_intervals.overlap_intervals(tables["overlaps"], confidence),
        "seed_agreement": agree(tables["clusters"]),
    }


def answer(tables: dict[str, pd.DataFrame], partitions: Sequence[str], config: Config) -> dict[str, pd.DataFrame]:
    """The claim table, the verdicts and the terms of every comparison, from scores at the claim round."""
    import pandas as pd

    on_source = tables["ticket_scores"]
    on_source = on_source[on_source["round"] == config.tickets.claim_round]
    scored = (on_source, tables["transfer"], tables["assembly"])
    measured, asked = scores.measures(*scored), config.claims.asked
    compared = comparisons.comparisons(partitions, list(config.targets), config.transfer.protocols, asked)
    near = scores.nearness(tables["distances"], partitions)
    if "C2" in asked and not near.empty:
        measured, compared = pd.concat([measured, near]), compared + comparisons.evidence(partitions)
    errors = scores.image_errors(scores.contributions(*scored), config.claims.resamples)
    table = claims.claim_table(measured, compared, config.claims, errors)
    verdicts = claims.verdict_table(table, config.claims)
    return {"claims": table, "verdicts": verdicts, "terms": comparisons.terms_table(compared)}


def agree(clusters: pd.DataFrame) -> pd.DataFrame:
    """Adjusted Rand index of the modules of every two seeds: seed_a, seed_b, ari; empty for one seed."""
    import pandas as pd

    partitions = over_seeds(clusters)
    rows = [
        {"seed_a": a, "seed_b": b, "ari": consensus.mean_rand_index(partitions[[a, b]].to_numpy().T)}
        for a, b in combinations(partitions, 2)
    ]
    return pd.DataFrame(rows, columns=["seed_a", "seed_b", "ari"])


def over_seeds(clusters: pd.DataFrame) -> pd.DataFrame:
    """Modules with a row per (ticket, depth, layer), in order of appearance, and a column per seed."""
    wide = clusters.pivot(index=["ticket", "depth", "layer"], columns="seed", values="cluster")
    return wide.loc[list(dict.fromkeys(_nodes(clusters)))].fillna(consensus.ABSENT).astype(int)


def _nodes(clusters: pd.DataFrame) -> Iterator[tuple[str, int, str]]:
    return clusters[["ticket", "depth", "layer"]].itertuples(index=False, name=None)


def draw(tables: dict[str, pd.DataFrame], config: Config) -> dict[str, Figure]:
    """Every figure by name; those of geometry show the first seed."""
    from dilt import figures

    round_, confidence = config.tickets.claim_round, config.claims.confidence
    return {
        "accuracy_over_density": figures.accuracy_over_density(
            tables["densities"], tables["ticket_scores"], confidence
        ),
        "overlap_by_round": figures.overlap_by_round(tables["overlaps"]),
        "overlap_by_layer": figures.overlap_by_layer(tables["overlaps"], round_),
        "transfer_forest": figures.transfer_forest(tables["claims"]),
        "specialisation": figures.specialisation(tables["specialisation"]),
    } | draw_geometry(tables, config.seeds[0])


def draw_geometry(tables: dict[str, pd.DataFrame], seed: int) -> dict[str, Figure]:
    """The figures of layers' geometry, of one seed."""
    from dilt import geometry_figures

    distances, clusters, shares, eigenvalues, summaries = (
        tables[name][tables[name]["seed"] == seed]
        for name in ("distances", "clusters", "consensus", "eigenvalues", "module_summaries")
    )
    matrix = distance_matrix(distances.to_dict("records"))
    by_seed = consensus.consensus(over_seeds(tables["clusters"]).loc[list(_nodes(clusters))].to_numpy().T)
    numbers = summaries.iloc[0][["modules", "modules_by_eigengap"]].astype(int)
    return {
        "gw_matrix": geometry_figures.gw_matrix(matrix, clusters),
        "module_map": geometry_figures.module_map(clusters),
        "consensus": geometry_figures.consensus(shares, by_seed, clusters),
        "dendrogram": geometry_figures.dendrogram(matrix, clusters),
        "eigenvalues": geometry_figures.eigenvalues(eigenvalues, *numbers),
        "adjacent_distances": geometry_figures.adjacent_distances(matrix),
        "layer_map": geometry_figures.layer_map(matrix),
    }


def files(folder: Path, pattern: str, config: Config, partitions: Sequence[str]) -> list[Path]:
    """The files that a table is put together from, in the order of the configuration."""
    values = {
        "seed": config.seeds,
        "round": range(1, config.pruning.rounds + 1),
        "ticket_round": config.tickets.rounds,
        "claim_round": [config.tickets.claim_round],
        "run": [*(f"independent/{t}" for t in trajectory_names(partitions)), *(f"cyclic/{p}" for p in partitions)],
        "ticket": ticket_names(partitions, config.tickets.names, config.claims.asked),
        "target": list(config.targets),
    }
    names = [name for _, name, _, _ in Formatter().parse(pattern) if name]
    choices = product(*(values[name] for name in names))
    return [folder / pattern.format(**dict(zip(names, choice, strict=True))) for choice in choices]


def read_tables(paths: Sequence[Path], image_key: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[int]]:
    """Tables (CSV) or records (JSON, a row each) of one kind as one table, in the order given; and the rows of each.

    Args:
        image_key: columns that name a row's single images, for tables of test scores, which have them beside them.

    Raises:
        ValueError: a file is not a table; the message names it.
    """
    import pandas as pd

    parts = []
    for path in paths:
        try:
            record = path.suffix == ".json"
            part = (
                pd.json_normalize(storage.read_json(path)) if record else pd.read_csv(StringIO(storage.read_text(path)))
            )
            parts.append(scores.with_correct(part, path, image_key) if image_key else part)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise ValueError(f"{path}: not a readable table ({error}); delete it and run again") from error
    together: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return together, list(map(len, parts))


def source_rows(table: str, paths: Sequence[Path], lengths: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    """Where the rows of a table come from, in their order: table, file (relative to ``folder``), rows, sha256."""
    return [
        {"table": table, "file": os.path.relpath(path, folder), "rows": rows, "sha256": storage.file_digest(path)}
        for path, rows in zip(paths, lengths, strict=True)
    ]


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
