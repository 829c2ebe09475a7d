"""Facts about robustness and calibration over seeds: hand-computed means, paired drops, a row for every ticket."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.robustness import calibration, robustness

T_2 = 4.302653  # t quantile for .975 and two degrees of freedom


def scores() -> pd.DataFrame:
    """Three seeds, with drops under noise that are equal although accuracies are not."""
    rows = []
    for seed, accuracy in enumerate((0.7, 0.8, 0.9)):
        for ticket, drop in (("core", 0.1), ("random~2@core", 0.3)):
            address = {"seed": seed, "round": 2, "ticket": ticket}
            found = {"accuracy": accuracy, "ece": 0.02 * (seed + 1), "nll": 1.0 + seed}
            rows.append(address | {"corruption": "none", "classes": "all"} | found)
            rows.append(address | {"corruption": "none", "classes": "low"} | found | {"ece": 0.9, "accuracy": 0.0})
            rows.append(address | {"corruption": "noise", "classes": "all", "accuracy": accuracy - drop, "ece": 0.5})
    return pd.DataFrame(rows)


def test_what_a_corruption_takes_is_paired_by_seed() -> None:
    found = robustness(scores(), 0.95).set_index(["round", "ticket", "corruption"])
    assert list(found.index) == [(2, "core", "noise"), (2, "random~2@core", "noise")]
    core = found.loc[2, "core", "noise"]
    assert core["accuracy"] == pytest.approx(0.7)
    assert core["accuracy_low"] == pytest.approx(0.7 - T_2 * 0.1 / np.sqrt(3))
    assert core[["drop_points", "drop_low_points", "drop_high_points"]].tolist() == pytest.approx([10, 10, 10])
    assert found.loc[2, "random~2@core", "noise"]["drop_points"] == pytest.approx(30)
    assert set(found["seeds"]) == {3}


def test_calibration_is_of_all_classes_and_of_images_as_they_are() -> None:
    found = calibration(scores(), 0.95).set_index(["round", "ticket"])
    assert list(found.index) == [(2, "core"), (2, "random~2@core")]
    core = found.loc[2, "core"]
    assert core["ece"] == pytest.approx(0.04)
    assert core["ece_high"] == pytest.approx(0.04 + T_2 * 0.02 / np.sqrt(3))
    assert core["nll"] == pytest.approx(2)
    assert core["nll_low"] == pytest.approx(2 - T_2 / np.sqrt(3))


def test_one_seed_has_no_interval_and_without_corruptions_there_are_no_rows() -> None:
    one = scores()[scores()["seed"] == 0]
    assert robustness(one, 0.95)[["drop_low_points", "accuracy_high"]].isna().all(axis=None)
    clean = one[one["corruption"] == "none"]
    assert robustness(clean, 0.95).empty
    assert list(robustness(clean, 0.95)) == list(robustness(one, 0.95))
    assert len(calibration(clean, 0.95)) == 2
