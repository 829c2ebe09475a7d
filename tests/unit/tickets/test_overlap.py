"""Facts about overlap tables: layers add up to the whole, and chance is what random masks give on average."""

import numpy as np
import pytest
from builders import masks
from hypothesis import given

from dilt.tickets.masks import Mask, jaccard
from dilt.tickets.overlap import WHOLE, density_rows, disconnected, overlap_rows, overlaps_of_trajectories


@given(masks(2))
def test_the_row_of_the_whole_is_the_sum_of_the_layers(many: list[Mask]) -> None:
    whole, *layers = overlap_rows("partitions", {mask.origin: mask for mask in many})
    assert whole["layer"] == WHOLE
    assert [row["layer"] for row in layers] == many[0].names
    for column in ("weights", "shared", "joined"):
        assert whole[column] == sum(row[column] for row in layers)
    assert whole["shared_by_chance"] == pytest.approx(sum(row["shared_by_chance"] for row in layers))


@given(masks(1, 1))
def test_equal_masks_overlap_wholly(one: list[Mask]) -> None:
    assert {row["jaccard"] for row in overlap_rows("siblings", {"a": one[0], "b": one[0]})} == {1.0}


@pytest.mark.parametrize("number", [2, 3])
def test_overlap_by_chance_is_what_random_masks_share_on_average(number: int) -> None:
    draws = np.random.default_rng(0)
    found = []
    for _ in range(400):
        drawn = {
            f"m{i}": Mask({"a": draws.permutation(60) < 30, "b": draws.permutation(40) < 8}) for i in range(number)
        }
        found.append(overlap_rows("partitions", drawn)[0])
    for column in ("shared", "joined"):
        values = np.array([row[column] for row in found])
        by_chance = found[0]["shared_by_chance"]
        if column == "joined":
            by_chance = found[0]["shared_by_chance"] / found[0]["jaccard_by_chance"]
        assert abs(values.mean() - by_chance) < 4 * values.std() / np.sqrt(len(values))


@pytest.mark.parametrize(("number", "pairs"), [(2, 0), (3, 3), (4, 6)])
def test_siblings_are_told_beside_pairs_of_partitions(number: int, pairs: int) -> None:
    draws = np.random.default_rng(0)
    partitions, siblings = ({f"p{i}": Mask({"a": draws.random(30) < 0.5}) for i in range(number)} for _ in range(2))
    whole = [row for row in overlaps_of_trajectories(partitions, siblings) if row["layer"] == WHOLE]
    assert [row["kind"] for row in whole] == ["partitions", *["pairs"] * pairs, *["siblings"] * number]
    assert [row["trajectories"] for row in whole[1 + pairs :]] == [f"{name} & {name}-sibling" for name in partitions]
    for row in whole[1 + pairs :]:
        name = str(row["trajectories"]).partition(" ")[0]
        assert row["jaccard"] == jaccard(partitions[name], siblings[name])


def test_densities_and_dead_outputs_are_told_by_layer_with_what_is_on_a_path() -> None:
    mask = Mask(
        {
            "conv": np.array([[[True]], [[False]], [[False]]]),
            "linear": np.array([[True, True], [False, True]]),
        }
    )
    on_path = Mask({"conv": mask["conv"], "linear": np.array([[True, False], [False, False]])})
    whole, conv, linear = density_rows({"core": mask}, lambda found: found & on_path)
    assert (conv["effective"], conv["effective_density"]) == (1, 1 / 3)
    assert (linear["effective"], linear["effective_density"]) == (1, 1 / 4)
    assert (whole["effective"], whole["effective_density"]) == (2, 2 / 7)
    assert (conv["weights"], conv["live"], conv["dead_outputs"]) == (3, 1, 2)
    assert (linear["weights"], linear["live"], linear["dead_outputs"]) == (4, 3, 0)
    assert (whole["layer"], whole["live"], whole["density"], whole["dead_outputs"]) == (WHOLE, 4, 4 / 7, 2)


def test_tickets_with_too_few_weights_on_a_path_are_told_by_round() -> None:
    def row(round_: int, ticket: str, live: int, effective: int, layer: str = WHOLE) -> dict[str, object]:
        return {"round": round_, "ticket": ticket, "layer": layer, "live": live, "effective": effective}

    rows = [
        row(3, "core", 100, 60),
        row(3, "core", 100, 70),  # another seed
        row(3, "core", 10, 0, layer="conv"),
        row(3, "lth", 100, 94),
        row(3, "lth", 100, 96),  # .95 on average
        row(3, "random@core", 1000, 949),
        row(2, "core", 200, 199),
        row(1, "shuffled@core", 4, 1),
        row(1, "core", 0, 0),
    ]
    assert disconnected(rows) == ["round 1: shuffled@core 0.250", "round 3: core 0.650, random@core 0.949"]
