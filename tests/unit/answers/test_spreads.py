"""The spread over seeds that a claim table tells is that of the differences which it was made from."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.comparisons import Comparison
from dilt.answers.spreads import seen
from dilt.answers.statistics import paired_interval

DIFFERENCES = {"lth": [1.0, 4.0, 2.0], "random": [5.0, 9.0, -2.0]}


def comparison(control: str) -> Comparison:
    return Comparison("C1", 2, f"core - {control}", "core", control, "transfer", True, False, ())


def row(control: str, differences: list[float]) -> dict[str, object]:
    estimate = paired_interval(np.array(differences), 0.95)
    named = {"claim": "C1", "comparison": f"core - {control}", "ticket": "core", "control": control}
    numbers = {"difference_points": estimate.mean, "effect": estimate.effect, "seeds": estimate.num_seeds}
    return named | {"measure": "transfer"} | numbers


def test_spreads_are_those_of_the_differences_and_unknown_ones_the_median() -> None:
    table = pd.DataFrame([row(control, found) for control, found in DIFFERENCES.items()])
    expected = [float(np.std(found, ddof=1)) for found in DIFFERENCES.values()]
    found = seen(table, [comparison(control) for control in ("random", "new", "lth")])
    assert found == pytest.approx([expected[1], float(np.median(expected)), expected[0]])


def test_equal_differences_have_no_spread_and_one_seed_tells_none() -> None:
    assert seen(pd.DataFrame([row("lth", [2.0, 2.0])]), [comparison("lth")]) == [0.0]
    assert seen(pd.DataFrame([row("lth", [2.0])]), [comparison("lth")]) == []
