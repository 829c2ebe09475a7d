"""Facts about flags: which runs collapsed, and how they are counted."""

import pandas as pd
import pytest

from dilt.answers.flags import at_chance, collapsed_runs, with_collapse


@pytest.mark.parametrize(
    ("accuracy", "images", "chance", "found"),
    # Of 300 images at chance 1/6, 50 right are expected; 66 or more come up once in 125 times, 65 once in 87.
    [
        (50 / 300, 300, 1 / 6, True),
        (65 / 300, 300, 1 / 6, True),
        (66 / 300, 300, 1 / 6, False),
        *((0.9, 300, 1 / 6, False), (0.0, 300, 1 / 6, True), (0.6, 10, 0.5, True), (1.0, 10, 0.5, False)),
    ],
)
def test_a_run_is_at_chance_unless_it_is_surely_above(accuracy: float, images: int, chance: float, found: bool) -> None:
    assert at_chance(accuracy, images, chance) == found


def runs() -> pd.DataFrame:
    rows = []
    for seed, accuracy, improved in ((0, 0.9, True), (1, 0.17, True), (2, 0.5, False)):
        for classes, images in (("all", 300), ("low", 150)):
            row = {"seed": seed, "round": 2, "ticket": "core", "corruption": "none"}
            row |= {"classes": classes, "images": images}
            # On a partition's classes a run may be at chance without having collapsed, and the other way round.
            rows.append(
                row | {"accuracy": accuracy if classes == "all" else 0.3, "chance": 1 / 6, "improved": improved}
            )
    return pd.DataFrame(rows)


def test_a_run_collapsed_on_all_classes_or_not_at_all() -> None:
    found = with_collapse(runs()).set_index(["seed", "classes"])
    for classes in ("all", "low"):
        assert found.loc[(slice(None), classes), "at_chance"].tolist() == [False, True, False]
        assert found.loc[(slice(None), classes), "collapsed"].tolist() == [False, True, True]


def test_linear_heads_and_single_epochs_cannot_tell_whether_training_helped() -> None:
    table = runs().assign(improved=None)
    assert with_collapse(table)["unimproved"].sum() == 0
    read_again = pd.read_csv(pd.io.common.StringIO(runs().to_csv(index=False)))
    assert with_collapse(read_again)["unimproved"].sum() == 2


def test_collapsed_runs_are_counted_per_ticket_and_target() -> None:
    transfer = pd.DataFrame(
        {"seed": [0, 1], "round": 2, "ticket": "core", "target": "birds", "protocol": "linear", "images": 100}
        | {"accuracy": [0.9, 0.1], "chance": 0.25, "improved": None}
    )
    found = collapsed_runs(with_collapse(runs()), with_collapse(transfer))
    assert found.to_dict("records") == [
        {
            "round": 2,
            "ticket": "core",
            "trained_on": "source",
            "runs": 3,
            "at_chance": 1,
            "unimproved": 1,
            "collapsed": 2,
        },
        {"round": 2, "ticket": "core", "trained_on": "birds, linear", "runs": 2, "at_chance": 1, "unimproved": 0}
        | {"collapsed": 1},
    ]
    healthy = with_collapse(transfer.assign(accuracy=0.9))
    assert collapsed_runs(with_collapse(runs().query("seed == 0")), healthy).empty
