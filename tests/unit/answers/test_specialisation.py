"""Facts about what specialists are worth: planted worths are found on own and other classes, controls subtracted."""

import numpy as np
import pandas as pd
import pytest
from builders import material

from dilt.answers.specialisation import specialisation, specialisation_by_seed
from dilt.assemblies.joining import Run, assemblies
from dilt.assemblies.names import RETRAINED, THETA0, retrained_names
from dilt.foundations.storage import Tensors

NAMES = {2: ["low", "high"], 3: ["low", "high", "wild"]}
KEYS = ["specialist", "partition", "change", "control", "readout"]


def table(partitions: list[str], seeds: int, worth: dict[tuple[str, str], float]) -> pd.DataFrame:
    """Accuracies of all that is scored: 0.5, and what is planted by partition and assembly; more with each seed."""
    found = material(partitions)
    weights: Tensors = dict(found.theta0)
    runs = {name: Run(run.mask(found.round), weights) for name, run in found.partitions.items()}
    siblings = {name: Run(run.mask(found.round), weights) for name, run in found.siblings.items()}
    scored = [
        (partition, each.core_from, each.name, readout)
        for partition in partitions
        for each in assemblies(runs, siblings, weights, seed=0)
        for readout in each.readouts[partition]
    ]
    scored += [(partition, THETA0, assembly, RETRAINED) for partition, assembly in retrained_names(partitions)]
    columns = ["partition", "core_from", "assembly", "readout"]
    return pd.DataFrame(
        {
            "seed": seed,
            **dict(zip(columns, row, strict=True)),
            "accuracy": 0.5 + 0.01 * seed + (1 + seed) * worth.get((row[0], row[2]), 0),
        }
        for seed in range(seeds)
        for row in scored
    )


@pytest.mark.parametrize("number", [2, 3])
def test_planted_worths_are_found_seed_by_seed_and_own_ones_told_from_others(number: int) -> None:
    partitions = NAMES[number]
    planted = {
        ("low", "intact-specialist"): -0.1,
        ("high", "core+specialist-low"): 0.04,
        ("low", "intact-random"): -0.02,
    }
    found = specialisation_by_seed(table(partitions, 2, planted), partitions).set_index([*KEYS, "seed"])["points"]
    found = found.sort_index()
    assert found["low", "low", "removed", "nothing", "head"].tolist() == pytest.approx([10, 20])
    assert found["low", "low", "removed", "random", "linear"].tolist() == pytest.approx([8, 16])
    assert found["low", "low", "removed", "smallest", "head"].tolist() == pytest.approx([10, 20])
    assert found["low", "high", "added", "nothing", "retrained"].tolist() == pytest.approx([4, 8])
    assert found["low", "high", "added", "random", "head"].tolist() == pytest.approx([4, 8])
    unplanted = found["high", "high"]
    assert unplanted.to_numpy() == pytest.approx(0)


def test_the_null_specialist_s_gain_is_taken_off() -> None:
    planted = {
        ("low", "core"): 0.01,
        ("low", "core+part-specialist-low"): 0.08,
        ("low", "null-core-low"): 0.2,
        ("low", "null-core-low+part-null-specialist-low"): 0.23,
        ("low", "intact-part-specialist"): -0.3,
        ("low", "intact-part-null-specialist"): -0.1,
    }
    found = specialisation_by_seed(table(NAMES[2], 1, planted), NAMES[2]).set_index(KEYS)["points"]
    assert found["low", "low", "added", "null specialist", "head"] == pytest.approx(7 - 3)
    assert found["low", "low", "removed", "null specialist", "head"] == pytest.approx(30 - 10)


@pytest.mark.parametrize("number", [2, 3])
def test_what_has_a_row_for_whom(number: int) -> None:
    partitions = NAMES[number]
    found = specialisation_by_seed(table(partitions, 1, {}), partitions)
    assert not found.duplicated([*KEYS, "seed"]).any()
    assert (found["own"] == (found["specialist"] == found["partition"])).all()
    own, other = found[found["own"]], found[~found["own"]]
    assert len(own) == number * (4 + 4 + 3 + 3 + 2)
    assert set(other.loc[other["change"] == "removed", "readout"]) == {"linear"}, "a head knows its own classes alone"
    assert len(other) == number * (number - 1) * (4 + 3 + 2 + 1)


def test_seeds_are_summarised_with_a_t_interval() -> None:
    by_seed = specialisation_by_seed(table(NAMES[2], 3, {("low", "intact-specialist"): -0.1}), NAMES[2])
    found = specialisation(by_seed, 0.95).set_index(KEYS)
    row = found.loc[("low", "low", "removed", "nothing", "head")]
    reach = 4.302653 * 10 / np.sqrt(3)
    assert (row["points"], row["seeds"]) == (pytest.approx(20), 3)
    assert (row["low_points"], row["high_points"]) == (pytest.approx(20 - reach), pytest.approx(20 + reach))
    assert len(found) == len(by_seed) / 3
    alone = specialisation(by_seed[by_seed["seed"] == 0], 0.95)
    assert alone["low_points"].isna().all()


def test_a_score_that_a_seed_lacks_is_an_error() -> None:
    short = table(NAMES[2], 2, {}).drop(index=0)
    with pytest.raises(ValueError, match="finite"):
        specialisation(specialisation_by_seed(short, NAMES[2]), 0.95)
