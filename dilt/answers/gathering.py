"""Puts together the tables that stages write for every seed, round and ticket: one table of each kind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.answers import scores
from dilt.answers.asked import asked
from dilt.foundations import storage
from dilt.foundations.result_paths import Answers, Networks
from dilt.grouping import stability
from dilt.tickets.trajectories import trajectory_names

if TYPE_CHECKING:
    import pandas as pd

    from dilt.settings.experiment import Config

# Where the stages write their tables, and over what they are put together (`_choices`): a command line could not name
# all files of a large experiment.
OF_NETWORKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "densities": (Networks.DENSITIES, ("seed",)),
    "overlaps": (Networks.OVERLAPS, ("seed",)),
    "training": (Networks.RUN_METRICS, ("seed", "run", "round")),
    "ticket_training": (Networks.TICKET_METRICS, ("seed", "trained")),
    "ticket_scores": (Networks.TICKET_SCORES, ("seed", "trained")),
    "transfer": (Networks.TRANSFER_SCORES, ("seed", "target", "transferred")),
    "assembly": (Networks.ASSEMBLIES_SCORES, ("seed", "geometry")),
}
OF_ANSWERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "lines": (Answers.LINES, ("seed",)),
    "barriers": (Answers.BARRIERS, ("seed",)),
    "distances": (Answers.DISTANCES, ("seed", "geometry")),
    "clusters": (Answers.CLUSTERS, ("seed", "geometry")),
    "stability": (Answers.STABILITY, ("seed", "geometry")),
    "chains": (Answers.CHAINS, ("seed", "geometry")),
    "eigenvalues": (Answers.EIGENVALUES, ("seed", "geometry")),
    "module_summaries": (Answers.MODULES_SUMMARY, ("seed", "geometry")),
}
# Columns of the table of transfers, where there are none.
TRANSFER: dict[str, type] = {
    **dict.fromkeys(("seed", "round"), int),
    **dict.fromkeys(("ticket", "target", "protocol"), str),
    **dict.fromkeys(("images", "accuracy", "chance", "nll", "ece", "penalty"), float),
    **dict.fromkeys(("improved", "versions", scores.CORRECT), object),
}
MEASURED = ("instability", "specialisation", "specialisation_by_seed", "overlap_intervals", "seed_agreement")
DESCRIBED = ("learning_curves", "calibration", "robustness", "task_similarity")
ANSWERED = ("collapsed", "versions", "claims", "verdicts", "terms", "tickets", "sources")
TABLES = (*OF_NETWORKS, *OF_ANSWERS, *MEASURED, *DESCRIBED, *ANSWERED)


def take_versions(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Remove the column of the libraries' versions from all tables that have it, and count its values.

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


def agree(clusters: pd.DataFrame) -> pd.DataFrame:
    """Adjusted Rand index of the modules of every two seeds: seed_a, seed_b, ari; empty for one seed."""
    import pandas as pd

    groupings = over_seeds(clusters)
    rows = [
        {"seed_a": a, "seed_b": b, "ari": stability.mean_rand_index(groupings[[a, b]].to_numpy().T)}
        for a, b in combinations(groupings, 2)
    ]
    return pd.DataFrame(rows, columns=["seed_a", "seed_b", "ari"])


def over_seeds(clusters: pd.DataFrame) -> pd.DataFrame:
    """Modules with a row per (ticket, depth, layer), in order of appearance, and a column per seed."""
    wide = clusters.pivot(index=["ticket", "depth", "layer"], columns="seed", values="cluster")
    return wide.loc[list(dict.fromkeys(nodes(clusters)))].fillna(stability.ABSENT).astype(int)


def nodes(clusters: pd.DataFrame) -> Iterator[tuple[str, int, str]]:
    """Ticket, depth and layer of every row."""
    return clusters[["ticket", "depth", "layer"]].itertuples(index=False, name=None)


def files(folder: Path, pattern: str, over: Sequence[str], config: Config, partitions: Sequence[str]) -> list[Path]:
    """The files that a table is put together from, in the order of the configuration.

    Args:
        over: of which things there is a file each, by their names in `_choices`.
    """
    choices = _choices(config, partitions)
    together = product(*(choices[name] for name in over))
    return [
        folder / pattern.format(**{key: value for part in parts for key, value in part.items()}) for parts in together
    ]


def _choices(config: Config, partitions: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The wildcards of each thing that stages write a table of."""
    tickets = asked(config, partitions)
    independent = trajectory_names(partitions, tickets.needs_splits)
    runs = [("independent", name) for name in independent] + [("cyclic", name) for name in partitions]
    return {
        "seed": [{"seed": seed} for seed in config.seeds],
        "round": [{"round": round_} for round_ in range(1, config.pruning.rounds + 1)],
        "run": [{"coupling": coupling, "trajectory": trajectory} for coupling, trajectory in runs],
        "trained": [{"round": round_, "ticket": ticket} for round_, ticket in tickets.trained],
        "transferred": [{"round": round_, "ticket": ticket} for round_, ticket in tickets.transferred],
        "target": [{"target": target} for target in config.targets],
        "geometry": [{"round": tickets.geometry_round}],
    }


def read_tables(paths: Sequence[Path], image_key: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[int]]:
    """Tables (CSV) or records (JSON, a row each) of one kind as one table, in the order given; and the rows of each.

    Args:
        image_key: columns that name a row's single images, for tables of test scores, whose single images lie beside
            them.

    Raises:
        ValueError: a file is not a table; the message names it.
    """
    import pandas as pd

    parts = [] if paths else [pd.DataFrame(columns=[*TRANSFER]).astype(TRANSFER)]  # no claim transfers anything
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
    return together, [len(part) for part, _ in zip(parts, paths, strict=False)]


def source_rows(table: str, paths: Sequence[Path], lengths: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    """Where the rows of a table come from, in their order: table, file (relative to ``folder``), rows, sha256."""
    return [
        {"table": table, "file": os.path.relpath(path, folder), "rows": rows, "sha256": storage.file_digest(path)}
        for path, rows in zip(paths, lengths, strict=True)
    ]
