"""Facts about what is asked: exactly these tickets are trained, transferred and compared in each round."""

from typing import Any

import pytest

from dilt.answers.asked import Asked, asked, default_compared
from dilt.answers.comparisons import claims_of, comparisons
from dilt.configuration.reading import parse_config
from dilt.settings.experiment import Config
from tests.unit.configurations import changed

PARTITIONS = ["low", "high"]
FIGURE = ["lth", "random", "colt", "core", "union"]
OF_C1 = [
    *("core", "lth@core", "lth-same-rounds@core", "split-core@core", "random@core", "shuffled@core", "reinit@core"),
    *("initial-magnitude@core", "null-core-low@core", "null-core-high@core"),
]
OF_C2 = [
    *("specialist-low", "specialist-high"),
    *("null-specialist-low@specialist-low", "null-specialist-high@specialist-high"),
    *("random@specialist-low", "random@specialist-high"),
    *("core+specialist-low", "core+specialist-high"),
    *("core+null-specialist-low@core+specialist-low", "core+null-specialist-high@core+specialist-high"),
    *("core+random@core+specialist-low", "core+random@core+specialist-high"),
]
OF_C3 = [
    *("colt", "union", "lth@union", "colt@union", "split-union@union", "random@union", "core+random@union"),
    *("null-union-low@union", "null-union-high@union"),
]
LAYERS = ["dense", "lth", "core", "union", *OF_C2[:4]]
By = dict[int, set[str]]


def experiment(**changes: Any) -> Config:
    """The default with C1 read at round 2, C2 at 4, C3 at 5, the figure's points at 2 and 3, and these changes."""
    rounds = {"tickets/rounds": [2, 3], "tickets/claim_rounds": {"C1": 2, "C2": 4, "C3": 5}}
    return parse_config(
        changed(rounds | {key.replace("__", "/"): value for key, value in changes.items()}), across=False
    )


def found(**changes: Any) -> Asked:
    return asked(experiment(**changes), PARTITIONS)


def by_round(runs: list[tuple[int, str]]) -> By:
    names: By = {}
    for round_, name in runs:
        assert name not in names.get(round_, set()), "none twice"
        names.setdefault(round_, set()).add(name)
    return names


def own(*compared: str, round_: int = 2, besides: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"mine": {"statement": "It is.", "round": round_, "comparisons": list(compared), "besides": list(besides)}}


def test_all_claims_each_at_its_own_round_and_the_figure() -> None:
    all_ = found()
    expected = {2: {*FIGURE, *OF_C1}, 3: {*FIGURE}, 4: {*OF_C2, *LAYERS}, 5: {*OF_C3}}
    assert by_round(all_.trained) == expected
    assert by_round(all_.transferred) == {2: {*OF_C1}, 5: {*OF_C3}}
    assert (all_.compared, all_.geometry_round, all_.rounds) == (LAYERS, 4, [2, 3, 4, 5])
    assert all_.tickets == list(dict.fromkeys(name for _, name in all_.trained))


def test_a_round_that_claims_and_figure_share_has_each_ticket_once_and_baselines_first() -> None:
    same = found(tickets__rounds=[3], tickets__claim_rounds={"C1": 3, "C2": 3, "C3": 3})
    assert by_round(same.trained) == {3: {"dense", *FIGURE, *OF_C1, *OF_C2, *OF_C3}}
    assert [name for _, name in same.trained[:6]] == ["dense", *FIGURE]
    assert by_round(same.transferred) == {3: {*OF_C1, *OF_C3}}


@pytest.mark.parametrize(
    ("claims", "trained", "transferred"),
    [
        # C1 compares on the source too, besides; C3 decides by both.
        (["C1"], {2: {*FIGURE, *OF_C1}, 3: {*FIGURE}, 4: {*LAYERS}}, {2: {*OF_C1}}),
        (["C2"], {2: {*FIGURE}, 3: {*FIGURE}, 4: {*OF_C2, *LAYERS}}, {}),
        (["C3"], {2: {*FIGURE}, 3: {*FIGURE}, 4: {*LAYERS}, 5: {*OF_C3}}, {5: {*OF_C3}}),
    ],
    ids=["C1", "C2", "C3"],
)
def test_what_no_claim_asks_for_is_not_made(claims: list[str], trained: By, transferred: By) -> None:
    only = found(claims__asked=claims)
    assert by_round(only.trained) == trained
    assert by_round(only.transferred) == transferred


def test_own_claims_ask_for_the_tickets_of_their_measures_at_their_round() -> None:
    alone = {"claims__asked": [], "distances__tickets": ["lth"]}
    mine = own("core - snip@core on source, low", "union - random@union on transfer", round_=5)
    only = found(claims__own=mine, **alone)
    figure = {2: {"dense", *FIGURE}, 3: {*FIGURE}, 4: {"lth"}}
    assert by_round(only.trained) == figure | {5: {"core", "snip@core", "union", "random@union"}}
    assert by_round(only.transferred) == {5: {"union", "random@union"}}
    assembled = own("core+specialist-OWN - core on assembly, OWN, mean, head", round_=4)
    assert by_round(found(claims__own=assembled, **alone).trained) == figure, "networks of partitions are there already"
    beside = own("core - lth on source", round_=5, besides=("core - grasp@core on transfer to held-out, linear",))
    besides = found(claims__own=beside, **alone)
    assert by_round(besides.trained)[5] == {"core", "lth", "grasp@core"}
    assert by_round(besides.transferred) == {5: {"core", "grasp@core"}}


def test_named_and_defined_tickets_are_trained_where_the_figure_is_and_transferred_where_claims_transfer() -> None:
    user = {"shared", "null-specialist-low", "lth@shared"}
    more = found(tickets__names=["null-specialist-low", "lth@shared"], tickets__define={"shared": "low & full"})
    plain = found()
    added = {
        round_: names - by_round(plain.trained).get(round_, set()) for round_, names in by_round(more.trained).items()
    }
    assert added == {2: user, 3: user, 4: set(), 5: user}
    assert by_round(more.transferred) == {2: {*OF_C1, *user}, 5: {*OF_C3, *user}}
    assert more.compared == plain.compared


def test_controls_of_core_and_union_that_are_named_are_compared_besides() -> None:
    names = by_round(found(tickets__names=["snip@core", "colt@core", "synflow@union"]).trained)
    assert {"snip@core", "colt@core", "synflow@union"} <= names[2] & names[5]
    named = experiment(tickets__names=["snip@core", "synflow@union"])
    more = [
        (c.claim, c.round, c.comparison, c.primary)
        for c in comparisons(claims_of(named), PARTITIONS)
        if c not in comparisons(claims_of(experiment()), PARTITIONS)
    ]
    assert more == [
        ("C1", 2, "core - snip@core on transfer", False),
        ("C1", 2, "core - snip@core on source", False),
        ("C3", 5, "union - synflow@union on source", False),
        ("C3", 5, "union - synflow@union on transfer", False),
    ]


@pytest.mark.parametrize("names", [["core"], ["dense", "lth", "random@specialist-high"]], ids=str)
def test_layers_are_compared_of_the_tickets_named_which_are_trained_at_the_round_of_c2(names: list[str]) -> None:
    chosen = found(claims__asked=["C1"], distances__tickets=names)
    assert chosen.compared == names
    assert by_round(chosen.trained)[4] == {*names}
    assert default_compared(PARTITIONS) == LAYERS


@pytest.mark.parametrize(
    ("changes", "round_"),
    [
        ({}, 4),
        ({"distances__tickets": ["core"]}, 2),
        ({"distances__tickets": ["core"], "claims__own": own("dense - core on source", round_=5)}, 5),
    ],
    ids=["its layers are compared", "only the figure shows it", "a claim compares it"],
)
def test_the_dense_network_which_is_the_same_in_every_round_is_trained_in_one(
    changes: dict[str, Any], round_: int
) -> None:
    assert [at for at, name in found(**changes).trained if name == "dense"] == [round_]


def test_every_draw_is_trained_and_transferred_and_the_first_compared() -> None:
    three = found(tickets__draws=3, distances__tickets=["random@specialist-low"])
    trained, transferred = by_round(three.trained), by_round(three.transferred)
    for method in ("random", "shuffled", "reinit"):
        assert {f"{method}@core", f"{method}~2@core", f"{method}~3@core"} <= trained[2] & transferred[2]
    assert {"random", "random~2", "random~3"} <= trained[3]
    assert {"core+random@union", "core+random~2@union", "core+random~3@union"} <= trained[5] & transferred[5]
    assert not [name for _, name in three.trained if "~" in name and name.split("~")[0] in ("lth", "core", "colt")]
    assert three.compared == ["random@specialist-low"]


@pytest.mark.parametrize("partitions", [PARTITIONS, ["a", "b", "c"]], ids=len)
def test_every_score_that_a_comparison_reads_is_made_and_none_transferred_that_none_reads(
    partitions: list[str],
) -> None:
    config = experiment()
    all_ = asked(config, partitions)
    terms = [(c.round, term) for c in comparisons(claims_of(config), partitions) for term in c.terms]
    on_source = {(round_, term.ticket) for round_, term in terms if term.measure.startswith("source")}
    on_target = {(round_, term.ticket) for round_, term in terms if term.measure.startswith("transfer")}
    assert on_target == set(all_.transferred)
    assert on_source | on_target <= set(all_.trained)


def test_what_tickets_are_made_from_follows_from_them() -> None:
    assert found().same_rounds == [2]
    assert found(claims__asked=["C2"]).same_rounds == []
    assert found(tickets__names=["lth-same-rounds@core"]).same_rounds == [2, 3, 5]
    needs = {claim: found(claims__asked=[claim]).needs_splits for claim in ("C1", "C2", "C3")}
    assert needs == {"C1": True, "C2": False, "C3": True}
    assert not found().needs_saliencies
    assert found(tickets__names=["grasp@union"]).needs_saliencies
    made_of = found(tickets__define={"a": "snip@core - core", "b": "split-union[2] & full"})
    assert made_of.needs_saliencies
    assert {"snip@core", "core", "split-union", "full"} == {*made_of.made_of}
    alone = {"claims__asked": ["C2"], "tickets__define": {"b": "split-core@core - core"}}
    assert found(**alone).needs_splits
