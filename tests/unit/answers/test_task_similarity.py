"""Facts about likeness of partitions: each cell is the value that was written for its two partitions."""

import pandas as pd
import pytest

from dilt.answers.task_similarity import task_similarity
from dilt.tickets.overlap import WHOLE

SEEDS = (0, 1)


def overlap(kind: str, names: str, jaccard: float, **other: object) -> list[dict[str, object]]:
    """Rows of two seeds, the second's .1 larger; and of a layer and another round, which nothing should read."""
    row = {"round": 2, "kind": kind, "trajectories": names, "layer": WHOLE} | other
    return [
        row | {"seed": seed, "jaccard": jaccard + 0.1 * seed, "jaccard_by_chance": 0.1, **changes}
        for seed in SEEDS
        for changes in ({}, {"layer": "first", "jaccard": 9.0}, {"round": 1, "jaccard": 9.0})
    ]


def overlaps(partitions: tuple[str, ...]) -> pd.DataFrame:
    rows = [row for name in partitions for row in overlap("siblings", f"{name} & {name}-sibling", 0.6)]
    rows += overlap("partitions", " & ".join(partitions), 0.2)
    if len(partitions) > 2:
        for place, pair in enumerate((("a", "b"), ("a", "c"), ("b", "c"))):
            rows += overlap("pairs", " & ".join(pair), 0.3 + 0.01 * place)
    return pd.DataFrame(rows)


def assembly(partitions: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for seed in SEEDS:
        for place, core_from in enumerate(partitions):
            for other, partition in enumerate(partitions):
                row = {"seed": seed, "round": 2, "core_from": core_from, "partition": partition}
                row |= {"assembly": "intact", "readout": "linear", "accuracy": 0.5 + 0.1 * place + 0.01 * other}
                rows += [row, row | {"assembly": "core", "accuracy": 0.0}, row | {"readout": "head", "accuracy": 0.0}]
    return pd.DataFrame(rows)


def distances(seeds: tuple[int, ...] = SEEDS, networks: tuple[str, ...] = ("trained-a", "trained-b")) -> pd.DataFrame:
    layers = (("one", 0.2), ("two", 0.6))
    rows = [
        {"seed": seed, "round": 2, "ticket_a": first, "layer_a": layer, "ticket_b": second, "layer_b": other}
        | {"debiased_cka": value if layer == other else 0.0}
        for seed in seeds
        for first, second in ((networks[0], networks[1]), ("core", networks[0]), (networks[0], networks[0]))
        for layer, value in layers
        for other, _ in layers
    ]
    return pd.DataFrame(rows)


def test_every_measure_of_two_partitions_is_what_was_written_for_them() -> None:
    names = ("a", "b")
    found = task_similarity(overlaps(names), assembly(names), distances(), names, 2, 0.95)
    value = found.set_index(["measure", "partition_a", "partition_b"])["value"]
    overlap_ = value["mask overlap"]
    assert overlap_["a", "b"] == overlap_["b", "a"] == pytest.approx(0.25)
    assert overlap_["a", "a"] == overlap_["b", "b"] == pytest.approx(0.65), "of siblings"
    assert value["mask overlap by chance", "a", "b"] == pytest.approx(0.1)
    assert value["transfer", "a", "b"] == pytest.approx(0.51)
    assert value["transfer", "b", "a"] == pytest.approx(0.6), "a's classes on b's network"
    assert value["CKA", "a", "b"] == value["CKA", "b", "a"] == pytest.approx(0.4), "mean over the same layers"
    assert ("CKA", "a", "a") not in value.index
    assert set(found["seeds"]) == {2}
    low = found.set_index(["measure", "partition_a", "partition_b"]).loc[("mask overlap", "a", "b"), "low"]
    assert low == pytest.approx(0.25 - 12.7062 * 0.05, rel=1e-4)


def test_of_three_partitions_each_pair_has_its_own_overlap() -> None:
    names = ("a", "b", "c")
    found = task_similarity(overlaps(names), assembly(names), distances(), names, 2, 0.95)
    value = found.set_index(["measure", "partition_a", "partition_b"])["value"]
    assert value["mask overlap", "c", "a"] == pytest.approx(0.36)
    assert value["mask overlap", "b", "c"] == pytest.approx(0.37)
    assert value["transfer", "c", "b"] == pytest.approx(0.71)
    assert len(value["transfer"]) == 9


def test_without_the_trained_networks_among_the_distances_there_is_no_cka() -> None:
    names = ("a", "b")
    few = distances(networks=("lth", "union"))
    found = task_similarity(overlaps(names), assembly(names), few, names, 2, 0.95)
    assert set(found["measure"]) == {"mask overlap", "mask overlap by chance", "transfer"}
