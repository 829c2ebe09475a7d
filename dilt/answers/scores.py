"""The scores that tickets are compared by, in one tidy table: test accuracies, and nearness to trained networks.

For a test accuracy it can also be known which single images are right, for the error from the choice of images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dilt.answers import bootstrap
from dilt.foundations import storage
from dilt.geometry.reference_networks import TRAINED
from dilt.settings.evaluation import CLEAN
from dilt.tickets.names import TicketName

if TYPE_CHECKING:
    import pandas as pd

SOURCE, TRANSFER, ASSEMBLY, NEARNESS = "source", "transfer", "assembly", "nearness"
_TABLES = {SOURCE: "ticket_scores", TRANSFER: "transfer", ASSEMBLY: "assembly", NEARNESS: "distances"}
# The geometries that layers are compared by, and their columns in the table of distances.
NEARNESSES = {"GW": "gw_distance", "RDM": "rdm_distance", "debiased CKA": "debiased_cka"}
Score = tuple[Any, ...]
Floats = NDArray[np.float64]
SCORE = ["round", "ticket", "measure"]  # what a score is of, besides its seed
CORRECT, COLLAPSED = "correct", "collapsed"
# The columns that name the single images of a row, in each table of test scores.
IMAGE_KEYS = {
    "ticket_scores": ["corruption", "classes"],
    "transfer": ["protocol"],
    "assembly": ["partition", "assembly", "core_from", "readout"],
}


def measured_in(measure: str) -> str:
    """The table that scores of a measure are taken from."""
    return _TABLES[measure.replace(",", " ").partition(" ")[0]]


def assembly_measure(partition: str, core_from: str, readout: str) -> str:
    """The measure of an assembly: on whose images it is scored, whose weights its core has, how it is read out."""
    return f"{ASSEMBLY}, {partition}, {core_from}, {readout}"


def clean(ticket_scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of scores on test images as they are, which alone claims are read from."""
    return ticket_scores[ticket_scores["corruption"] == CLEAN]


def measures(contributions: pd.DataFrame) -> pd.DataFrame:
    """All scores by test accuracy (fractions) in one tidy table: seed, round, ticket, measure, score, collapsed.

    Args:
        contributions: from `contributions`.
    """
    weighted = contributions.assign(score=contributions["share"] * contributions["accuracy"])
    groups = weighted.groupby(["seed", *SCORE], sort=False)
    together: pd.DataFrame = groups.agg({"score": "sum", COLLAPSED: "any"}).reset_index()
    return together


def contributions(ticket_scores: pd.DataFrame, transfer: pd.DataFrame, assembly: pd.DataFrame) -> pd.DataFrame:
    """The test accuracies that make up each score, on images that are not corrupted.

    Several draws of a random ticket, such as ``random@core`` and ``random~2@core``, are one ticket, whose score is the
    mean over the draws that a seed has.

    Returns:
        Columns seed, round, ticket, measure, images (which test images: of a partition or a target), share, accuracy,
        `COLLAPSED` (whether the run did; assemblies are no runs) and, if a table has it, `CORRECT`. A score is the sum
        of share times accuracy over its rows.
    """
    import pandas as pd

    on_source, transfer = _draws_as_one(clean(ticket_scores)), _draws_as_one(transfer)
    classes = on_source["classes"]
    source = on_source.assign(
        measure=np.where(classes == "all", SOURCE, SOURCE + ", " + classes), images=SOURCE + ", " + classes
    )
    on_target = transfer.assign(images=TRANSFER + " to " + transfer["target"])
    protocol = ", " + transfer["protocol"]
    means = [
        on_target.assign(measure=measure, share=1 / _rows_in_mean(transfer, same))
        for measure, same in (
            (TRANSFER, []),
            (TRANSFER + protocol, ["protocol"]),
            (on_target["images"], ["target"]),
            (on_target["images"] + protocol, ["target", "protocol"]),
        )
    ]
    keys = assembly[["partition", "core_from", "readout"]].itertuples(index=False, name=None)
    parts = assembly.rename(columns={"assembly": "ticket"}).assign(
        measure=[assembly_measure(*key) for key in keys],
        images=SOURCE + ", " + assembly["partition"],
        share=1.0,
        **{COLLAPSED: False},
    )
    together: pd.DataFrame = pd.concat((source, *means, parts), ignore_index=True)
    return together.reindex(columns=["seed", *SCORE, "images", "share", "accuracy", COLLAPSED, CORRECT])


def _rows_in_mean(transfer: pd.DataFrame, same: Sequence[str]) -> pd.Series[int]:
    """For each row the number of rows of its seed, round and ticket that are alike in some columns."""
    counts: pd.Series[int] = transfer.groupby(["seed", "round", "ticket", *same])["accuracy"].transform("size")
    return counts


def _draws_as_one(table: pd.DataFrame) -> pd.DataFrame:
    """A table with all draws of a ticket under its name, and the share of each draw in their mean in ``share``."""
    first = _first_draws(table["ticket"])
    draws = table.groupby(["seed", "round", first])["ticket"].transform("nunique")
    return table.assign(ticket=first, share=1 / draws)


def _first_draws(tickets: pd.Series[str]) -> pd.Series[str]:
    """Names of tickets without their draws."""
    return tickets.map({name: str(TicketName.parse(name).first) for name in tickets.unique()})


def image_errors(contributions: pd.DataFrame, resamples: int) -> dict[Score, dict[int, Floats]]:
    """Changes of scores when test images are drawn anew, the same ones for all tickets, measures and seeds.

    Returns:
        By round, ticket and measure, and by seed, shape (resamples,); only where single images are known.
    """
    errors: dict[Score, dict[int, Floats]] = {}
    for images, rows in contributions[contributions[CORRECT].notna()].groupby("images", sort=False):
        groups = rows.groupby([*SCORE, "seed"])
        values = [group["share"].to_numpy() @ np.stack(list(group[CORRECT])) for _, group in groups]
        drawn = bootstrap.image_errors(np.stack(values, axis=1), resamples, str(images))
        for (key, _), change in zip(groups, drawn.T, strict=True):
            *score, seed = cast(tuple[Any, ...], key)
            by_seed = errors.setdefault(tuple(score), {})
            by_seed[seed] = change + by_seed.get(seed, np.zeros(1))
    return errors


def with_correct(table: pd.DataFrame, path: Path, key: Sequence[str]) -> pd.DataFrame:
    """A table of test scores with the column `CORRECT`: single images, 1 where right, shape (num_images,).

    Args:
        path: of the table, beside which the single images lie.
        key: columns whose values, joined by slashes, name the tensor of a row.

    Raises:
        FileNotFoundError: there are no single images.
        ValueError: they are damaged, or not of this table; the message names the file.
    """
    import pandas as pd

    beside = correct_file(path)
    tensors, _ = storage.read_tensors(beside)
    found = []
    for *names, accuracy in table[[*key, "accuracy"]].itertuples(index=False, name=None):
        correct = tensors.get("/".join(map(str, names)))
        if correct is None or not math.isclose(correct.mean(), accuracy, abs_tol=1e-9):
            raise ValueError(f"{beside}: not the images that {path.name} counts; delete both and run again")
        found.append(correct)
    return table.assign(**{CORRECT: pd.Series(found, index=table.index, dtype=object)})


def correct_file(table: Path) -> Path:
    """Where the single images of a table of test scores lie."""
    return table.with_suffix(".correct.safetensors")


def nearness(distances: pd.DataFrame, partitions: Sequence[str]) -> pd.DataFrame:
    """Scores of tickets by their nearness to each partition's trained network: seed, round, ticket, measure, score.

    The score is minus the ticket's distance, averaged over layers, each to the same layer, and over draws, as a
    fraction of the core's: the core has -1, a network equal to the trained one 0. There is one for each geometry of
    `NEARNESSES`; the distance by debiased CKA is one minus it. Without distances to trained networks, or without the
    core, there are no rows.

    Args:
        distances: of all seeds, a row per pair of layers, as `compare` writes it.
    """
    import pandas as pd

    same = distances[distances["layer_a"] == distances["layer_b"]]
    directed = pd.concat(
        same.assign(ticket=same[f"ticket_{near}"], network=same[f"ticket_{far}"]) for near, far in ("ab", "ba")
    ).assign(debiased_cka=lambda rows: 1 - rows["debiased_cka"])
    directed["ticket"] = _first_draws(directed["ticket"])
    mean = directed.groupby(["network", "seed", "round", "ticket"])[list(NEARNESSES.values())].mean()
    parts = [pd.DataFrame(columns=["seed", *SCORE, "score"])]
    for partition in partitions:
        network = f"{TRAINED}{partition}"
        if (network, "core") in set(zip(*map(mean.index.get_level_values, ("network", "ticket")), strict=True)):
            relative = -mean.loc[network] / mean.loc[network].xs("core", level="ticket")
            for kind, column in NEARNESSES.items():
                named = relative[column].rename("score").reset_index()
                parts.append(named.assign(measure=f"{NEARNESS} by {kind}, {partition}"))
    together: pd.DataFrame = pd.concat(parts[1:] or parts, ignore_index=True)
    return together
