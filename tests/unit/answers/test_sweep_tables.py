"""A sweep's rows of each seed are the differences that the points' claim tables have intervals of."""

import pandas as pd
import pytest

from dilt.answers.statistics import paired_interval
from dilt.answers.sweep_tables import sweep_by_seed, sweep_table, table_of
from tests.conftest import ROOT

EVIDENCE = ROOT / "docs/evidence/cifar10-cpu"


@pytest.mark.parametrize(
    "comparison",
    [
        "core - lth@core on transfer",
        "specialist-OWN - null-specialist-OWN@specialist-OWN on source, OWN",
        "core+specialist-OWN - core+specialist-OTHER on assembly, OWN, mean, head",
    ],
)
def test_rows_of_seeds_have_the_intervals_of_the_claim_table(comparison: str) -> None:
    values, folders = [{"epoch": "1"}, {"epoch": "2"}], [EVIDENCE, EVIDENCE]
    rows, told = sweep_by_seed(comparison, values, folders), sweep_table(comparison, values, folders)
    assert len(rows) == 2 * 5
    dense = pd.read_csv(table_of(EVIDENCE, "ticket_scores")).query("ticket == 'dense' and classes == 'all'")
    assert rows["dense_accuracy"].mean() == pytest.approx(dense["accuracy"].mean())
    for epoch, of_point in rows.groupby("epoch"):
        found = paired_interval(of_point["difference_points"].to_numpy(), 0.95)
        (row,) = told[told["epoch"] == epoch].to_dict("records")
        assert [found.mean, found.low, found.high] == pytest.approx(
            [row["difference_points"], row["low_points"], row["high_points"]]
        )
