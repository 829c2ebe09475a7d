"""Facts about partitions: disjoint, exhaustive, and as equal in size as can be."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.data.partitions import (
    Partitions,
    check_partitions,
    read_class_table,
    split_by_table,
    split_contiguous,
    split_randomly,
)
from dilt.data.preparation import choose_partitions
from dilt.settings.data import SplitPartitions, TablePartitions
from dilt.tickets.trajectories import split_number, trajectory_classes, trajectory_names


@given(st.integers(4, 30), st.integers(2, 5), st.integers(0, 9))
def test_splits_are_disjoint_exhaustive_and_even(num_classes: int, count: int, seed: int) -> None:
    classes = [f"c{index}" for index in range(num_classes)]
    for partitions in (
        split_contiguous(classes, count),
        split_randomly(classes, count, np.random.default_rng(seed)),
    ):
        assert sorted(name for members in partitions.values() for name in members) == sorted(classes)
        sizes = [len(members) for members in partitions.values()]
        assert len(sizes) == count
        assert max(sizes) - min(sizes) <= 1


def test_contiguous_partitions_are_runs_of_neighbours() -> None:
    assert split_contiguous(list("abcde"), 2) == {"part-1": ["a", "b", "c"], "part-2": ["d", "e"]}


def test_a_random_choice_follows_from_its_seed() -> None:
    classes = [str(index) for index in range(12)]
    first, again, other = (
        choose_partitions(SplitPartitions(by="random", count=3, seed=seed), classes) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_class_table_gives_one_partition_per_group(tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    table.write_text("name,kind\ncar,object\ncat,animal\ncup,object\ndog,animal\nelk,animal\n")
    choice = TablePartitions(by="table", table=str(table), class_column="name", group_column="kind")
    assert choose_partitions(choice, ["cat", "car", "dog", "cup"]) == {
        "animal": ["cat", "dog"],
        "object": ["car", "cup"],
    }
    with pytest.raises(ValueError, match=r"groups\.csv: no column 'sort'; name one of name, kind"):
        read_class_table(table, "name", "sort")
    with pytest.raises(ValueError, match="class 'elk' of the class table is not in the data"):
        choose_partitions(choice, ["cat", "car", "dog", "cup"], ["cat", "car", "dog", "cup"])
    with pytest.raises(ValueError, match="class 'fox' is not in the class table"):
        split_by_table(["fox"], {"cat": "animal"})


@pytest.mark.parametrize(
    ("partitions", "problem"),
    [
        ({"a": ["1", "2", "3", "4"]}, "1 partition"),
        ({"a": ["1", "2", "3"], "b": ["4"]}, "partition 'b' has 1 class"),
        ({"a": ["1", "2", "3"], "b": ["3", "4"]}, "class '3' is in 'a' and in 'b'"),
        ({"a": ["1", "2"], "b": ["3", "4", "5"]}, "class '5' of 'b' is not a source class"),
        ({"a": ["1", "2"], "b": ["3", "9"]}, "class '4' is in no partition"),
        ({"a": ["1", "1", "2"], "b": ["3", "4"]}, "class '1' is twice in 'a'"),
    ],
)
def test_a_choice_that_is_no_partition_is_explained(partitions: Partitions, problem: str) -> None:
    assert any(problem in found for found in check_partitions(partitions, ["1", "2", "3", "4"]))


def test_a_good_choice_has_no_problems() -> None:
    assert check_partitions({"a": ["1", "2"], "b": ["3", "4"]}, ["1", "2", "3", "4"]) == []


def test_siblings_see_their_partitions_classes_and_the_full_trajectory_all() -> None:
    partitions = {"low": ["0", "1"], "high": ["2", "3"]}
    names = trajectory_names(list(partitions))
    assert names == ["low", "high", "full", "low-sibling", "high-sibling"]
    seen = {name: trajectory_classes(name, partitions, ["0", "1", "2", "3"]) for name in names}
    assert seen["low-sibling"] == seen["low"] == ["0", "1"]
    assert seen["full"] == ["0", "1", "2", "3"]
    with pytest.raises(ValueError, match="no trajectory 'middle'"):
        trajectory_classes("middle", partitions, ["0"])


def test_there_are_as_many_splits_as_partitions_each_with_all_classes() -> None:
    partitions = {"low": ["0", "1"], "high": ["2", "3"]}
    names = trajectory_names(list(partitions), with_splits=True)
    assert names[5:] == ["split-1", "split-2"]
    assert [split_number(name) for name in names] == [None] * 5 + [1, 2]
    assert trajectory_classes("split-2", partitions, ["0", "1", "2", "3"]) == ["0", "1", "2", "3"]
    with pytest.raises(ValueError, match=r"no trajectory 'split-3'; .* split-1 to split-2"):
        trajectory_classes("split-3", partitions, ["0"])


@pytest.mark.parametrize("name", ["split-0", "split-01", "split-", "split-a", "split-1-sibling", "my-split-1"])
def test_other_names_are_no_splits(name: str) -> None:
    assert split_number(name) is None
