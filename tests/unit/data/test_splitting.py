"""Facts about splits: every image on one side, no group on two, fixed by the seed, whatever the order of files."""

import contextlib
import hashlib
import itertools
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.data.prepared import SPLITS, Split
from dilt.data.splitting import split_groups, split_images
from dilt.settings.data import DataSet

ROOT = Path(__file__).resolve().parents[3]
CLASSES = ("ant", "bee", "cat")
# Images as (class, group); enough groups of one class each for all sides, and some of several classes.
FIRM = [(label, 10 * label + number) for label in range(3) for number in range(4) for _ in range(3)]
DRAWN = st.lists(st.tuples(st.integers(0, 2), st.integers(100, 112)), max_size=60)


def section(**values: object) -> DataSet:
    return DataSet.model_validate({"name": "folder", "test_share": 0.3, "validation_share": 0.25} | values)


def sides(images: list[tuple[int, int]], data: DataSet, order: list[int] | None = None) -> dict[str, Split]:
    """The split of each image by name, found from images listed in some order."""
    order = order if order is not None else list(range(len(images)))
    names = [f"{index}.png" for index in order]
    labels = np.array([images[index][0] for index in order])
    found = split_groups(labels, CLASSES, [f"g{images[index][1]}" for index in order], names, data)
    told = [names[index] for chosen in found.values() for index in chosen]
    assert len(told) == len(set(told)), "an image is on two sides"
    return {names[index]: split for split, chosen in found.items() for index in chosen}


@given(DRAWN, st.integers(0, 5), st.booleans(), st.randoms(use_true_random=False))
def test_no_group_is_on_two_sides(
    drawn: list[tuple[int, int]], seed: int, own_test: bool, shuffler: random.Random
) -> None:
    images = FIRM + drawn
    data = section(split_seed=seed, test_split="test" if own_test else None)
    found = sides(images, data)
    assert len(found) == len(images)
    by_group = defaultdict(set)
    for index, (_, group) in enumerate(images):
        by_group[group].add(found[f"{index}.png"])
    assert all(len(where) == 1 for where in by_group.values())
    for label in range(3):
        there = {found[f"{index}.png"] for index, image in enumerate(images) if image[0] == label}
        assert there == {"train", "validation", *([] if own_test else ["test"])}
    order = list(range(len(images)))
    shuffler.shuffle(order)
    assert sides(images, data, order) == found


@given(st.lists(st.integers(1, 9), min_size=12, max_size=40), st.integers(0, 5))
def test_shares_are_as_near_as_the_largest_group_allows(sizes: list[int], seed: int) -> None:
    images = [(0, group) for group, size in enumerate(sizes) for _ in range(size)]
    images += [(label, 100 * label + number) for label in (1, 2) for number in range(20)]
    found = sides(images, section(split_seed=seed))
    for label in range(3):
        own = [f"{index}.png" for index, image in enumerate(images) if image[0] == label]
        num_test = round(0.3 * len(own))
        wanted = {"test": num_test, "validation": round(0.25 * (len(own) - num_test))}
        largest = max(sizes) if label == 0 else 1
        for split, number in wanted.items():
            assert abs(sum(found[name] == split for name in own) - number) <= largest


def test_groups_of_one_image_are_split_as_exactly_as_images() -> None:
    images = [(label, 100 * label + number) for label in range(3) for number in range(40)]
    found = sides(images, section())
    for label in range(3):
        own = [found[f"{index}.png"] for index, image in enumerate(images) if image[0] == label]
        assert {split: own.count(split) for split in SPLITS} == {"train": 21, "validation": 7, "test": 12}
    assert sides(images, section(split_seed=1)) != found


def test_a_split_is_the_same_in_another_process() -> None:
    images = [(index % 3, index // 4) for index in range(120)]
    here = sides(images, section(split_seed=3))
    code = f"""
import sys; sys.path[:0] = {[str(Path(__file__).parent), str(ROOT)]}
from test_splitting import section, sides
print(sorted(sides({images}, section(split_seed=3)).items()))
"""
    environment = {"PYTHONHASHSEED": "7", "PATH": ""}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() == str(sorted(here.items()))


def test_classes_with_too_few_groups_are_told() -> None:
    groups = {0: [1, 2], 1: [11, 12, 13], 2: [21]}
    images = [(label, group) for label, own in groups.items() for group in own for _ in range(4)]
    line = r"^groups: class 'ant' has 2 group\(s\) \(and 1 more like it\); test, validation and train images need one"
    with pytest.raises(ValueError, match=line):
        sides(images, section())
    with pytest.raises(
        ValueError, match=r"^groups: class 'cat' has 1 group\(s\); validation and train images need one"
    ):
        sides(images, section(test_split="test"))


def test_a_way_is_found_wherever_there_is_one_but_for_a_few() -> None:
    """Of few groups with up to three classes each, against all ways that there are."""
    draws = random.Random(0)
    possible = found = 0
    for _ in range(100):
        images = [
            (label, group)
            for group in range(draws.randint(4, 6))
            for label in draws.sample(range(3), draws.randint(1, 3))
            for _ in range(draws.randint(2, 6))
        ]
        owned = [{group for label, group in images if label == wanted} for wanted in range(3)]
        ways = itertools.product(range(3), repeat=6)
        if not any(all(len({way[group] for group in own}) == 3 for own in owned) for way in ways):
            with pytest.raises(ValueError, match=r"^(groups: (class|no split has class)|classes:) '"):
                sides(images, section())
            continue
        possible += 1
        with contextlib.suppress(ValueError):
            found += len(sides(images, section())) == len(images)
    assert possible > 50
    assert found >= 0.98 * possible


def test_without_groups_splits_are_what_they_always_were() -> None:
    labels = np.repeat(np.arange(3), [30, 41, 7])
    found = split_images(labels, CLASSES, section(split_seed=5))
    digest = hashlib.sha256(b"".join(found[split].astype("<i8").tobytes() for split in SPLITS)).hexdigest()
    assert digest[:16] == "8ab777ac030caa5d"
    assert {split: len(chosen) for split, chosen in found.items()} == {"train": 42, "validation": 13, "test": 23}


@pytest.mark.parametrize("grouped", [False, True])
def test_a_limit_leaves_some_of_the_same_images(grouped: bool) -> None:
    labels = np.repeat(np.arange(3), [30, 41, 9])
    names = [f"{index}.png" for index in range(len(labels))]

    def split(**values: object) -> dict[Split, np.ndarray]:
        data = section(**values)
        if grouped:
            return split_groups(labels, CLASSES, [str(index // 2) for index in range(len(labels))], names, data)
        return split_images(labels, CLASSES, data)

    whole, many, few, again = split(), split(images_per_class=20), split(images_per_class=8), split(images_per_class=8)
    other = split(images_per_class=8, split_seed=1)
    for part in SPLITS:
        assert np.array_equal(few[part], again[part])
        assert set(few[part]) <= set(many[part]) <= set(whole[part])
        assert not np.array_equal(few[part], other[part])
    assert np.array_equal(few["test"], whole["test"])
    assert np.bincount(labels[few["validation"]]).tolist() == [2, 2, 2]
    for index in range(3):
        trained = sum(int((labels[part] == index).sum()) for part in (few["train"], few["validation"]))
        available = sum(int((labels[part] == index).sum()) for part in (whole["train"], whole["validation"]))
        assert trained == min(8, available)
