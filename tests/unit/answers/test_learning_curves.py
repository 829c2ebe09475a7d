"""Facts about learning curves: networks of a kind are summed up, and each kind has its chance level."""

from itertools import product

import pandas as pd
import pytest

from dilt.answers.learning_curves import COLUMNS, learning_curves

RUNS = {
    ("independent", "low"): 0.5,
    ("independent", "high"): 0.7,
    ("independent", "full"): 0.6,
    ("independent", "low-sibling"): 0.4,
    ("independent", "split-1"): 0.3,
    ("cyclic", "low"): 0.2,
}
SCORES = pd.DataFrame({"classes": ["all", "low", "high", "all"], "chance": [0.2, 0.4, 0.5, 0.2]})


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two seeds, rounds 2 and 1, two epochs; a tenth more in seed 1, a fifth more in epoch 2."""
    whole = list(product((0, 1), (2, 1), (1, 2)))
    training = pd.DataFrame(
        {"seed": seed, "coupling": coupling, "trajectory": name, "round": round_, "epoch": epoch}
        | {"train_loss": 1.0, "validation_accuracy": start + 0.1 * seed + 0.2 * (epoch - 1)}
        for (coupling, name), start in RUNS.items()
        for seed, round_, epoch in whole
    )
    tickets = pd.DataFrame(
        {"seed": seed, "round": round_, "ticket": ticket, "epoch": epoch, "validation_accuracy": start + 0.1 * seed}
        for ticket, start in {"core": 0.5, "random@core": 0.1, "random~2@core": 0.3, "specialist-low": 0.2}.items()
        for seed, round_, epoch in whole
    )
    return training, tickets


def test_a_row_for_each_kind_round_and_epoch_in_order() -> None:
    found = learning_curves(*tables(), SCORES)
    assert list(found.columns) == COLUMNS
    kinds = list(dict.fromkeys(found[["of", "kind"]].itertuples(index=False, name=None)))
    of_runs = ["partitions", "siblings", "all classes", "random splits", "COLT"]
    expected = [("trajectory", kind) for kind in of_runs] + [
        ("ticket", t) for t in ("core", "random@core", "specialist")
    ]
    assert kinds == expected
    for _, rows in found.groupby(["of", "kind"]):
        assert list(rows[["round", "epoch"]].itertuples(index=False, name=None)) == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_lowest_median_and_highest_are_over_seeds_partitions_and_draws() -> None:
    found = learning_curves(*tables(), SCORES).set_index(["kind", "round", "epoch"])
    row = found.loc[("partitions", 1, 2)]
    assert row["networks"] == 4
    assert row[["lowest", "median", "highest"]].tolist() == pytest.approx([0.7, 0.85, 1.0])
    drawn = found.loc[("random@core", 2, 1)]
    assert drawn["networks"] == 4
    assert drawn[["lowest", "median", "highest"]].tolist() == pytest.approx([0.1, 0.25, 0.4])


def test_chance_is_that_of_the_classes_which_a_kind_sees() -> None:
    found = learning_curves(*tables(), SCORES).groupby("kind", sort=False)["chance"].unique().map(list)
    assert found.to_dict() == {
        "partitions": [0.5],
        "siblings": [0.4],
        "all classes": [0.2],
        "random splits": [0.2],
        "COLT": [0.4],
        **{ticket: [0.2] for ticket in ("core", "random@core", "specialist")},
    }
