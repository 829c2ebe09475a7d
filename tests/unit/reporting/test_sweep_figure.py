"""A sweep's table has each point's row of the comparison; its figure has the differences where the values are."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dilt.answers.claim_table import COLUMNS
from dilt.answers.sweep_tables import sweep_table
from dilt.reporting.sweep_figure import sweep_figure

AXES = {"epoch": ("0", "1", "4"), "partitions": ("semantic", "random"), "rate": ("0.1", "0.01")}
TEXT = "core - lth@core on transfer"


def tables(folder: Path) -> tuple[list[dict[str, str]], list[Path]]:
    """Points and their folders with claim tables; differences are the points' numbers, intervals one to each side."""
    values, paths = [], []
    for number, named in enumerate(product(*AXES.values())):
        row = dict.fromkeys(COLUMNS, 0.0) | {
            **{"claim": "C1", "round": 1, "comparison": TEXT, "ticket": "core", "control": "lth@core"},
            **{"measure": "transfer", "primary": True, "decisive": False, "outcome": "unclear", "flag": ""},
            **{"verdict": "inconclusive", "seeds": 5, "difference_points": number},
            **{"low_points": number - 0.5, "high_points": number + 0.5},
            **{"bootstrap_low_points": number - 1, "bootstrap_high_points": number + 1},
        }
        paths.append(folder / f"{number}")
        (paths[-1] / "tables").mkdir(parents=True)
        pd.DataFrame([row | {"comparison": "another"}, row]).to_csv(paths[-1] / "tables/claims.csv", index=False)
        values.append(dict(zip(AXES, named, strict=True)))
    return values, paths


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_lines_and_panels_are_the_axes_and_points_their_differences(tmp_path: Path, axes: int) -> None:
    table = sweep_table(TEXT, *tables(tmp_path))
    assert list(table["difference_points"]) == list(range(12))
    names = list(AXES)[:axes]
    first = table.drop_duplicates(names)
    figure = sweep_figure(first, names)
    assert len(figure.axes) == (2 if axes == 3 else 1)
    for ax, panel in zip(figure.axes, AXES["rate"], strict=False):
        rows = first[first["rate"] == panel] if axes == 3 else first
        drawn = np.concatenate([container[0].get_ydata() for container in ax.containers])
        assert sorted(drawn) == sorted(rows["difference_points"])
        assert [label.get_text() for label in ax.get_xticklabels()] == list(AXES["epoch"])
        (low, high) = ax.containers[0][2][0].get_segments()[0][:, 1]
        assert high - low == pytest.approx(2), "over seeds and test images, the wider interval"


def test_a_claim_table_without_the_comparison_is_named(tmp_path: Path) -> None:
    values, paths = tables(tmp_path)
    with pytest.raises(ValueError, match=r"0/tables/claims\.csv: has no comparison 'core - dense on source'"):
        sweep_table("core - dense on source", values, paths)
