"""A finished experiment's evidence, small enough for a repository: its settings, tables and single test images.

Weights and masks stay in the results. From what is here the claim table can be computed and every figure drawn anew,
which a test does; `evidence_page` writes the page that is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dilt.answers import scores
from dilt.foundations import storage
from dilt.foundations.result_paths import Answers
from dilt.geometry.reference_networks import TRAINED
from dilt.settings.experiment import Config
from dilt.tickets.overlap import WHOLE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Tables of an experiment that claims and figures are read from, and what tells of the run.
READ = (
    *("ticket_scores", "transfer", "assembly", "densities", "overlaps", "overlap_intervals", "learning_curves"),
    *("instability", "specialisation", "task_similarity", "collapsed", "distances", "clusters", "module_summaries"),
)
TOLD = ("claims", "verdicts", "terms", "tickets", "runtime", "versions")
SETTINGS, RECORD, SINGLE_IMAGES = "settings.json", "record.json", "single_images.safetensors"


@dataclass(frozen=True)
class Evidence:
    """What is known of a finished experiment.

    Attributes:
        config: its settings.
        tables: by name, as `summarise` writes them; tables of test scores have single images (`scores.CORRECT`).
        record: what stands in no table: partitions, data sets, machine, configuration files.
    """

    config: Config
    tables: Mapping[str, pd.DataFrame]
    record: Mapping[str, Any]

    @property
    def partitions(self) -> list[str]:
        """Names of the partitions, in the order of the configuration."""
        return list(self.record["partitions"])


def write(folder: Path, evidence: Evidence) -> None:
    """Write settings, record, tables and single images; what claims and figures do not read is left out."""
    tables = dict(evidence.tables)
    storage.write_json(folder / SETTINGS, evidence.config.model_dump(mode="json"))
    storage.write_json(folder / RECORD, evidence.record)
    packed = {}
    tables["ticket_scores"] = scores.clean(tables["ticket_scores"])
    for name in scores.IMAGE_KEYS:
        correct = list(tables[name][scores.CORRECT])
        packed[name] = np.packbits(np.concatenate(correct)) if correct else np.zeros(0, np.uint8)
        tables[name] = tables[name].drop(columns=scores.CORRECT)
    storage.write_tensors(folder / SINGLE_IMAGES, packed, {"bits": "of each row's images in turn: 1 where it is right"})
    for name in (*READ, *TOLD):
        rows = _read_rows(name, tables[name], evidence.config.seeds[0])
        with storage.replacing(folder / Answers.TABLE.format(table=name)) as partial:
            rows.to_csv(partial, index=False, lineterminator="\n")


def _read_rows(name: str, table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The rows that claims and figures read.

    Figures of layers show one seed; claims read distances from a layer to the same one of a trained network.
    """
    if name == "densities":
        return table[table["layer"] == WHOLE]
    if name == "distances":
        trained = table["ticket_a"].str.startswith(TRAINED) | table["ticket_b"].str.startswith(TRAINED)
        return table[(table["seed"] == seed) | (trained & (table["layer_a"] == table["layer_b"]))]
    return table


def read(folder: Path) -> Evidence:
    """The evidence in a folder that `write` wrote.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        ValueError: a file is damaged, or single images are not those that a table counts; the message names it.
    """
    config = Config.model_validate(storage.read_json(folder / SETTINGS))
    record = storage.read_json(folder / RECORD)
    tables = {name: read_table(folder / Answers.TABLE.format(table=name)) for name in (*READ, *TOLD)}
    packed, _ = storage.read_tensors(folder / SINGLE_IMAGES, "single images of evidence")
    for name in scores.IMAGE_KEYS:
        tables[name] = _with_single_images(tables[name], packed[name], f"{folder / SINGLE_IMAGES}: {name}")
    return Evidence(config, tables, record)


def read_table(path: Path) -> pd.DataFrame:
    """A table (CSV); raises FileNotFoundError, which names it, where there is none."""
    import pandas as pd

    storage.require_file(path, "evidence that `dilt evidence` wrote")
    return pd.read_csv(path)


def _with_single_images(table: pd.DataFrame, packed: NDArray[np.uint8], named: str) -> pd.DataFrame:
    """A table of test scores with single images, which lie one row's after the other's."""
    import pandas as pd

    images = table["images"].to_numpy(int)
    if len(packed) != -(-images.sum() // 8):
        raise ValueError(f"{named}: not as many images as the table counts; write the evidence again")
    correct = np.split(np.unpackbits(packed, count=images.sum()), np.cumsum(images)[:-1])
    for row, accuracy in enumerate(table["accuracy"]):
        if not math.isclose(correct[row].mean(), accuracy, abs_tol=1e-9):
            raise ValueError(
                f"{named}: not the images that row {row + 1} of the table counts; write the evidence again"
            )
    return table.assign(**{scores.CORRECT: pd.Series(correct[: len(table)], index=table.index, dtype=object)})
