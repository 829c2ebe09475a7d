"""Facts about looks and flags in the claim table: which seeds count, and which comparisons decide nothing."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from dilt.answers.claim_table import claim_table, verdict_table
from dilt.answers.comparisons import comparisons
from dilt.answers.scores import contributions, measures
from dilt.settings.answers import Claims, OwnClaim
from tests.unit.answers.planted import scores, table, verdict

LOOKS = Claims(looks=[5, 10, 15])
AROUND = (-1.0, -1.0, 0.0, 1.0, 1.0)  # standard deviation 1; twice over .94, the root of 8 / 9
Points = Mapping[str, Sequence[float]]


def judged(
    points: Points,
    settings: Claims = LOOKS,
    collapsed: Mapping[str, Sequence[int]] | None = None,
    seeds: Sequence[int] | None = None,
    **claim: Any,
) -> pd.DataFrame:
    """The claim table of a ticket at 50 % and controls that it is so many points better than, seed by seed."""
    number = len(next(iter(points.values())))
    order = list(seeds or range(number))
    by_ticket = {"core": [50.0] * number} | {name: [50 - each for each in found] for name, found in points.items()}
    rows = [
        {"seed": seed, "round": 2, "ticket": name, "measure": "source", "score": accuracy / 100}
        | {"collapsed": seed in (collapsed or {}).get(name, ())}
        for name, found in by_ticket.items()
        for seed, accuracy in zip(order, found, strict=True)
    ]
    texts = [f"core - {name} on source" for name in points]
    stated = {"mine": OwnClaim(**{"statement": "It is.", "round": 2, "comparisons": texts} | claim)}
    return claim_table(pd.DataFrame(rows), comparisons(stated, ["low", "high"]), settings, order)


def one(*args: Any, **more: Any) -> pd.Series:
    """The only row."""
    (row,) = judged(*args, **more).to_dict("records")
    return pd.Series(row)


def by(mean: float, times: int = 1) -> list[float]:
    return [mean + each for each in AROUND] * times


def test_the_first_look_that_decides_counts_and_later_seeds_change_nothing() -> None:
    five, fifteen = one({"lth": by(5)}), one({"lth": [*by(5), *by(-40, 2)]})
    assert five["verdict"] == "supported"
    pd.testing.assert_series_equal(fifteen, five)
    assert fifteen["difference_points"] == pytest.approx(5)
    assert (fifteen["seeds"], fifteen["level"]) == (5, pytest.approx(0.005))
    refuted = one({"lth": [*by(-5), *by(40)]})
    assert (refuted["verdict"], refuted["seeds"]) == ("not supported", 5)


def test_each_look_has_a_level_of_its_own() -> None:
    # t = 1.5 sqrt(5) = 3.35 with four degrees of freedom: a p of .0142, between .005 and .025.
    first = one({"lth": by(1.5)})
    assert first["p_larger"] == pytest.approx(0.0142, abs=1e-4)
    assert (first["verdict"], first["outcome"], first["level"]) == ("inconclusive", "unclear", pytest.approx(0.005))
    without = one({"lth": by(1.5)}, Claims())
    assert (without["verdict"], without["level"]) == ("supported", pytest.approx(0.025))
    # At ten seeds t = 1.5 sqrt(10) / .94 = 5.03, a p of .0004.
    for times in (2, 3):
        second = one({"lth": by(1.5, times)})
        assert (second["verdict"], second["seeds"], second["level"]) == ("supported", 10, pytest.approx(0.01))


def test_fewer_seeds_than_the_first_look_decide_nothing() -> None:
    four = one({"lth": [5.0, 5.1, 5.0, 4.9]})
    assert four["p_larger"] < 1e-4
    assert (four["verdict"], four["outcome"], four["seeds"], four["level"]) == ("inconclusive", "unclear", 4, 0)
    assert four["seeds_needed"] == 5


@pytest.mark.parametrize(("number", "seen"), [(5, 5), (9, 5), (10, 10), (14, 10), (15, 15), (20, 15)])
def test_undecided_claims_rest_on_the_last_look_that_there_are_seeds_for(number: int, seen: int) -> None:
    found = one({"lth": (by(0.5) * 4)[:number]}, Claims(looks=[5, 10, 15], margin=0.6))
    assert (found["verdict"], found["seeds"]) == ("inconclusive", seen)
    assert found["difference_points"] == pytest.approx(0.5)


def test_seeds_needed_are_those_of_the_next_look_that_would_do_or_of_a_new_experiment_after_the_last() -> None:
    assert one({"lth": by(1.4)})["seeds_needed"] == 10
    assert math.isnan(one({"lth": by(0.5)}, Claims(looks=[5, 10, 15], margin=1))["seeds_needed"])
    last = one({"lth": by(0.5, 3)}, Claims(looks=[5, 10, 15], margin=1))
    assert last["seeds"] == 15
    assert last["seeds_needed"] > 15


def test_looks_take_seeds_in_the_order_in_which_they_are_listed() -> None:
    points = [*by(5), *by(-40)]
    found = one({"lth": points}, seeds=[90, 80, 70, 60, 50, 0, 1, 2, 3, 4])
    assert (found["verdict"], found["difference_points"]) == ("supported", pytest.approx(5))


def test_a_claim_is_judged_as_a_whole_at_one_look_and_what_decides_nothing_by_all_seeds() -> None:
    rows = judged(
        {"lth": by(5, 2), "random": by(1.5, 2)}, comparisons=["core - lth on source", "core - random on source"]
    )
    assert rows[["seeds", "verdict"]].to_numpy().tolist() == [[10, "supported"], [10, "supported"]]
    besides = judged(
        {"lth": by(5, 2), "random": by(1.5, 2)},
        comparisons=["core - lth on source"],
        besides=["core - random on source"],
    )
    assert besides[["seeds", "level"]].to_numpy().tolist() == [[5, pytest.approx(0.005)], [10, pytest.approx(0.025)]]


def test_the_verdict_tells_at_which_look_it_was_found() -> None:
    claim = {"mine": OwnClaim(statement="It is.", round=2, comparisons=["core - lth on source"])}
    (found,) = verdict_table(judged({"lth": by(5, 3)}), claim, LOOKS, 15, 2).to_dict("records")
    assert (found["seeds"], found["verdict"]) == (5, "supported")
    assert found["words"].startswith(
        "Judged at the look at 5 seeds, at level 0.005, which 10 later seeds do not change."
    )


def near_ceiling(control: Sequence[float]) -> pd.Series:
    """A ticket that is right on all images, and a control that is nearly."""
    rows = [
        {"seed": seed, "round": 2, "ticket": name, "measure": "source", "score": score}
        for seed, each in enumerate(control)
        for name, score in (("core", 1.0), ("lth", each))
    ]
    claim = {"mine": OwnClaim(statement="It is.", round=2, comparisons=["core - lth on source"])}
    compared = comparisons(claim, ["low", "high"])
    return claim_table(pd.DataFrame(rows), compared, Claims(), range(len(control))).iloc[0]


def test_a_control_with_less_headroom_than_the_margin_is_at_the_ceiling_and_decides_nothing() -> None:
    for accuracies in ([0.994, 0.995, 0.996], [0.999, 0.9999, 0.998]):
        found = near_ceiling(accuracies)
        assert found["headroom_points"] == pytest.approx(100 - 100 * sum(accuracies) / 3)
        assert (found["flag"], found["verdict"]) == ("ceiling", "inconclusive")
    assert near_ceiling([0.994, 0.995, 0.996])["p_larger"] < 0.025, "which would have decided"
    free = near_ceiling([0.98, 0.983, 0.997])
    assert free["headroom_points"] == pytest.approx(4 / 3), "on average over seeds"
    assert free["flag"] == ""


@pytest.mark.parametrize(
    ("low", "high", "headroom", "flag"),
    [(0.9, 0.3, 40, ""), (1.0, 0.005, 0.5, "ceiling"), (0.2, 0.9, 170, ""), (0.995, 0.995, 100, "")],
)
def test_headroom_of_a_difference_of_measures_is_what_its_control_leaves_to_one_that_is_right_on_the_first_alone(
    low: float, high: float, headroom: float, flag: str
) -> None:
    text = "core - lth on source, low minus source, high"
    rows = [
        {"seed": seed, "round": 2, "ticket": name, "measure": f"source, {part}", "score": score}
        for seed in range(3)
        for name, scored in (("core", (0.9, 0.1)), ("lth", (low, high)))
        for part, score in zip(("low", "high"), scored, strict=True)
    ]
    claim = {"mine": OwnClaim(statement="It is.", round=2, comparisons=[text])}
    found = claim_table(pd.DataFrame(rows), comparisons(claim, ["low", "high"]), Claims(), range(3)).iloc[0]
    assert found["headroom_points"] == pytest.approx(headroom)
    assert found["flag"] == flag


@pytest.mark.parametrize("run", ["core", "lth"])
def test_one_collapsed_run_of_ticket_or_control_keeps_a_comparison_from_deciding(run: str) -> None:
    found = one({"lth": by(5)}, Claims(), collapsed={run: [3]})
    assert (found["flag"], found["collapsed_seeds"], found["verdict"]) == ("collapse", 1, "inconclusive")
    assert found["outcome"] == "larger"
    both = one({"lth": by(5)}, Claims(), collapsed={"core": [3], "lth": [3, 4]})
    assert both["collapsed_seeds"] == 2, "seeds, not runs"


def test_a_run_that_collapses_after_the_look_that_decides_changes_nothing() -> None:
    found = one({"lth": by(5, 2)}, collapsed={"lth": [7]})
    assert (found["flag"], found["collapsed_seeds"], found["seeds"]) == ("", 0, 5)
    before = one({"lth": by(5, 2)}, collapsed={"lth": [2]})
    assert (before["flag"], before["verdict"], before["seeds"]) == ("collapse", "inconclusive", 10)


def test_a_flagged_comparison_holds_a_claim_back_and_hinders_no_other_from_refuting_it() -> None:
    claim = {"mine": OwnClaim(statement="It is.", round=2, comparisons=["core - lth on source"])}
    supported = judged({"lth": by(5), "random": by(5)}, Claims(), collapsed={"random": [0]})
    assert list(supported["verdict"]) == ["supported", "inconclusive"]
    assert verdict_table(supported, claim, Claims(), 5, 2)["verdict"].item() == "inconclusive"
    refuted = judged({"lth": by(-5), "random": by(5)}, Claims(), collapsed={"random": [0]})
    assert verdict_table(refuted, claim, Claims(), 5, 2)["verdict"].item() == "not supported"


def test_a_mean_over_targets_is_flagged_where_one_run_of_it_collapsed() -> None:
    source, transfer, assembly = scores(better={"core": 0.05})
    run = "ticket == 'lth@core' and seed == 1 and target == 'tools' and protocol == 'linear'"
    transfer.loc[transfer.query(run).index, "collapsed"] = True
    tables = source, transfer, assembly
    found = table(tables).query("flag == 'collapse'")
    assert set(found["control"]) == {"lth@core"}
    assert sorted(found["measure"]) == ["transfer", "transfer to tools, linear"]
    assert verdict("C1", tables) == "inconclusive"


def test_a_mean_over_draws_is_flagged_where_one_of_them_collapsed() -> None:
    source, transfer, assembly = scores(better={"core": 0.05})
    again = transfer.query("ticket == 'random@core'").assign(ticket="random~2@core")
    again["collapsed"] = again["seed"] == 2
    found = measures(contributions(source, pd.concat([transfer, again], ignore_index=True), assembly))
    of_random = found.query("ticket == 'random@core' and measure == 'transfer'").set_index("seed")["collapsed"]
    assert of_random.to_dict() == {0: False, 1: False, 2: True, 3: False}
    assert verdict("C1", (source, pd.concat([transfer, again], ignore_index=True), assembly)) == "inconclusive"
    assert verdict("C1", (source, transfer, assembly)) == "supported"
